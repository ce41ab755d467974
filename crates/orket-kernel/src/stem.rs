//! Names: stems of the index and ids of runs, as types that cannot hold a hostile name.

use std::fmt;
use std::str::FromStr;

/// Says why a text is not a valid name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{kind} {text:?} is not valid: {reason}")]
pub struct InvalidName {
    /// What the text should have been.
    pub kind: &'static str,
    /// The text, cut to 80 characters.
    pub text: String,
    /// The rule it breaks.
    pub reason: &'static str,
}

fn invalid(kind: &'static str, text: &str, reason: &'static str) -> InvalidName {
    InvalidName {
        kind,
        text: text.chars().take(80).collect(),
        reason,
    }
}

const STEM_LENGTH_MAX_BYTES: usize = 1024;
const RUN_ID_LENGTH_MAX_BYTES: usize = 128;

/// The path-like name of one object in the index: `card/FL-1`, `artifact/lib/phase.sh`.
///
/// At most 1,024 bytes; segments are not empty, not `.` or `..`, and hold no control character, backslash or
/// bidirectional override.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Stem(String);

impl Stem {
    /// Takes `text` as a stem.
    ///
    /// # Errors
    /// Says which rule the text breaks.
    pub fn parse(text: &str) -> Result<Stem, InvalidName> {
        const KIND: &str = "the stem";
        if text.len() > STEM_LENGTH_MAX_BYTES {
            return Err(invalid(KIND, text, "it is longer than 1,024 bytes"));
        }
        if !text.contains('/') {
            return Err(invalid(KIND, text, "it has no kind before a slash"));
        }
        for segment in text.split('/') {
            if segment.is_empty() {
                return Err(invalid(KIND, text, "it has an empty segment"));
            }
            if segment == "." || segment == ".." {
                return Err(invalid(KIND, text, "it has a segment that is . or .."));
            }
        }
        if text.chars().any(is_unsafe_character) {
            return Err(invalid(
                KIND,
                text,
                "it holds a control character, a backslash or a direction mark",
            ));
        }
        Ok(Stem(text.to_owned()))
    }

    /// Returns the text of the stem.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the kind: what stands before the first slash.
    pub fn kind(&self) -> &str {
        self.0.split('/').next().unwrap_or_default()
    }

    /// Returns what stands after the first slash.
    pub fn name(&self) -> &str {
        self.0.split_once('/').map_or("", |(_, name)| name)
    }
}

pub(crate) fn is_unsafe_character(character: char) -> bool {
    character.is_control()
        || character == '\\'
        || matches!(character, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// The id of a run: letters, digits, `.`, `_` and `-`, at most 128 bytes, beginning with a letter or digit.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RunId(String);

impl RunId {
    /// Takes `text` as a run id.
    ///
    /// # Errors
    /// Says which rule the text breaks.
    pub fn parse(text: &str) -> Result<RunId, InvalidName> {
        const KIND: &str = "the run id";
        if text.is_empty() || text.len() > RUN_ID_LENGTH_MAX_BYTES {
            return Err(invalid(KIND, text, "it must have 1 to 128 characters"));
        }
        if !text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
        {
            return Err(invalid(
                KIND,
                text,
                "it may hold only letters, digits, '.', '_' and '-'",
            ));
        }
        if !text.as_bytes()[0].is_ascii_alphanumeric() {
            return Err(invalid(
                KIND,
                text,
                "it must begin with a letter or a digit",
            ));
        }
        Ok(RunId(text.to_owned()))
    }

    /// Returns the text of the id.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

macro_rules! name_impls {
    ($type:ident) => {
        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl FromStr for $type {
            type Err = InvalidName;
            fn from_str(text: &str) -> Result<Self, InvalidName> {
                $type::parse(text)
            }
        }

        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }

        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <String as serde::Deserialize>::deserialize(deserializer)?;
                $type::parse(&text).map_err(serde::de::Error::custom)
            }
        }
    };
}
name_impls!(Stem);
name_impls!(RunId);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_stems_cannot_be_expressed() {
        for text in [
            "",
            "card",
            "/card",
            "card/",
            "card//x",
            "card/../x",
            "card/.",
            "card/a\0b",
            "card/a\nb",
            "card/a\\b",
            "card/\u{202e}x",
        ] {
            assert!(Stem::parse(text).is_err(), "{text:?} was accepted");
        }
        assert!(Stem::parse(&format!("card/{}", "x".repeat(2000))).is_err());
        assert_eq!(
            Stem::parse("artifact/lib/a b.sh").unwrap().name(),
            "lib/a b.sh"
        );
    }

    #[test]
    fn hostile_run_ids_cannot_be_expressed() {
        for text in ["", ".x", "-x", "a/b", "a b", "ä", "a:b"] {
            assert!(RunId::parse(text).is_err(), "{text:?} was accepted");
        }
        assert!(RunId::parse("first_light-1.2").is_ok());
    }
}
