//! What a person did: the author of an operator's turn, the kind of it, and the stems that it set.

use std::fmt;
use std::str::FromStr;

use orket_kernel::{Digest, InvalidName, RunId, Stem, TurnId};

/// The role that stands in the record of every turn of an operator run that no role of a Band took.
pub const OPERATOR_ROLE: &str = "operator";

/// What the journal calls the work of operator runs.
pub const OPERATOR_WORK: &str = "operator";

/// The longest name of an author, in bytes.
const AUTHOR_MAX_BYTES: usize = 128;

/// The name of the person who acts: 1 to 128 bytes without control characters, and no space at either end.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Author(String);

impl Author {
    /// Returns the name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Author {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Author, InvalidName> {
        let is_valid = (1..=AUTHOR_MAX_BYTES).contains(&text.len())
            && text.trim() == text
            && !text.chars().any(char::is_control);
        if is_valid {
            return Ok(Author(text.to_owned()));
        }
        Err(InvalidName {
            kind: "the author",
            text: text.chars().take(80).collect(),
            reason: "it must have 1 to 128 bytes, no control character and no space at an end",
        })
    }
}

impl fmt::Display for Author {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl serde::Serialize for Author {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> serde::Deserialize<'de> for Author {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <String as serde::Deserialize>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// What a person did in one turn of an operator run.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum OperatorAction {
    /// Set files or cards.
    Change(Changes),
    /// Took over what somebody wrote into `agent_output/`.
    Adopt(Changes),
    /// Put stems back as they were.
    Undo {
        /// What was undone.
        undone: Undone,
        /// What was set.
        changes: Changes,
    },
    /// Took an undo back.
    Redo {
        /// The undo that was taken back.
        undo: TurnName,
        /// The run whose turns the undo was about.
        subject: RunId,
        /// What was set.
        changes: Changes,
    },
    /// Called one tool as a role of a Band; the call stands in the record of the turn.
    Tool,
}

impl OperatorAction {
    /// Returns the word for it; it is the step of the turn.
    pub const fn as_str(&self) -> &'static str {
        match self {
            OperatorAction::Change(_) => "change",
            OperatorAction::Adopt(_) => "adopt",
            OperatorAction::Undo { .. } => "undo",
            OperatorAction::Redo { .. } => "redo",
            OperatorAction::Tool => "tool",
        }
    }

    /// Returns what was set, unless a tool did it.
    pub const fn changes(&self) -> Option<&Changes> {
        match self {
            OperatorAction::Change(changes)
            | OperatorAction::Adopt(changes)
            | OperatorAction::Undo { changes, .. }
            | OperatorAction::Redo { changes, .. } => Some(changes),
            OperatorAction::Tool => None,
        }
    }
}

/// What an undo was about.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Undone {
    /// This turn alone: its stems are as before it.
    Turn(TurnName),
    /// Everything that its run changed after this turn.
    After(TurnName),
}

impl Undone {
    /// Returns the turn that was named.
    pub const fn turn(&self) -> &TurnName {
        match self {
            Undone::Turn(turn) | Undone::After(turn) => turn,
        }
    }
}

/// Names a turn.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TurnName {
    /// The run.
    pub run_id: RunId,
    /// The turn.
    pub turn_id: TurnId,
}

impl fmt::Display for TurnName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.run_id, self.turn_id.number())
    }
}

/// The stems that an operator's turn set, by the digests of their documents: enough to execute the turn again.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Changes {
    /// Stems that were put, sorted.
    pub put: Vec<PutStem>,
    /// Stems that were deleted, sorted.
    pub deleted: Vec<Stem>,
    /// Contents that came with the turn and were not in the index before it, sorted.
    pub attached: Vec<Digest>,
}

impl Changes {
    /// Returns every object that a replay needs besides what the turn read.
    pub fn objects(&self) -> impl Iterator<Item = Digest> + '_ {
        let documents = self
            .put
            .iter()
            .flat_map(|put| [put.body, put.links, put.manifest]);
        documents.chain(self.attached.iter().copied())
    }
}

/// A stem with its documents.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PutStem {
    /// The stem.
    pub stem: Stem,
    /// The digest of the body.
    pub body: Digest,
    /// The digest of the links.
    pub links: Digest,
    /// The digest of the manifest.
    pub manifest: Digest,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_author_has_a_name_that_fits_a_line() {
        for name in ["ada", "Ada Lovelace", "é", &"a".repeat(128)] {
            assert_eq!(name.parse::<Author>().unwrap().as_str(), name);
        }
        for name in ["", " ada", "ada ", "a\nb", "a\u{1b}b", &"a".repeat(129)] {
            assert!(name.parse::<Author>().is_err(), "{name:?} was accepted");
        }
    }
}
