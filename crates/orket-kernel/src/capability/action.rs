//! Actions: the kind of effect that a tool call has.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use crate::InvalidName;

const LENGTH_MAX_BYTES: usize = 64;

/// The kind of effect of a tool call, as the host names it: a lower-case letter, then letters, digits, `_` and `.`, at
/// most 64 bytes.
///
/// The host takes it from the tool, never from the model. The constants are the actions of Orket's own tools; any other
/// text is parsed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Action(Cow<'static, str>);

impl Action {
    /// A call of which nothing more is known: the action of a request that names none.
    pub const CALL: Action = Action(Cow::Borrowed("call"));
    /// Reading files or directories.
    pub const READ: Action = Action(Cow::Borrowed("read"));
    /// Writing files.
    pub const WRITE: Action = Action(Cow::Borrowed("write"));
    /// Running a program in the sandbox.
    pub const RUN: Action = Action(Cow::Borrowed("run"));
    /// Moving a card to another status.
    pub const CHANGE_STATUS: Action = Action(Cow::Borrowed("change_status"));
    /// Leaving a remark on a card.
    pub const COMMENT: Action = Action(Cow::Borrowed("comment"));
    /// Making a new card.
    pub const CREATE_CARD: Action = Action(Cow::Borrowed("create_card"));

    /// Takes `text` as an action.
    ///
    /// # Errors
    /// Says which rule the text breaks.
    pub fn parse(text: &str) -> Result<Action, InvalidName> {
        let invalid = |reason| InvalidName {
            kind: "the action",
            text: text.chars().take(80).collect(),
            reason,
        };
        if text.is_empty() || text.len() > LENGTH_MAX_BYTES {
            return Err(invalid("it must have 1 to 64 characters"));
        }
        if !text.starts_with(|first: char| first.is_ascii_lowercase()) {
            return Err(invalid("it must begin with a lower-case letter"));
        }
        let is_allowed = |byte: u8| {
            byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_' || byte == b'.'
        };
        if !text.bytes().all(is_allowed) {
            return Err(invalid(
                "it may hold only lower-case letters, digits, '_' and '.'",
            ));
        }
        Ok(Action(Cow::Owned(text.to_owned())))
    }

    /// Returns the text of the action.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for Action {
    fn default() -> Action {
        Action::CALL
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Action {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Action, InvalidName> {
        Action::parse(text)
    }
}

impl serde::Serialize for Action {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> serde::Deserialize<'de> for Action {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <String as serde::Deserialize>::deserialize(deserializer)?;
        Action::parse(&text).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_action_is_a_short_plain_word() {
        for text in ["a", "read", "file.write_2", &"x".repeat(64)] {
            assert_eq!(Action::parse(text).unwrap().as_str(), text);
        }
        let long = "x".repeat(65);
        for text in [
            "", &long, "Read", "2read", "_read", ".read", "re ad", "re-ad", "réad", "read\0", "r/w",
        ] {
            assert!(Action::parse(text).is_err(), "{text:?} was accepted");
        }
    }

    #[test]
    fn the_constants_are_actions() {
        for action in [
            Action::CALL,
            Action::READ,
            Action::WRITE,
            Action::CHANGE_STATUS,
            Action::COMMENT,
            Action::CREATE_CARD,
        ] {
            assert_eq!(Action::parse(action.as_str()).unwrap(), action);
        }
    }
}
