//! The instruction, as it is typed.

use std::str::FromStr;

use crate::error::Error;

/// A renaming: from one name to another one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rename {
    old: String,
    new: String,
}

impl Rename {
    /// Returns the name that goes.
    pub fn old_name(&self) -> &str {
        &self.old
    }

    /// Returns the name that comes.
    pub fn new_name(&self) -> &str {
        &self.new
    }
}

impl FromStr for Rename {
    type Err = Error;

    /// Reads `rename OLD to NEW`, and nothing before, between or behind it.
    fn from_str(text: &str) -> Result<Rename, Error> {
        let unsupported = || Error::UnsupportedInstruction {
            text: text.chars().take(200).collect(),
        };
        let words: Vec<&str> = text.split_whitespace().collect();
        let [verb, old, to, new] = words[..] else {
            return Err(unsupported());
        };
        let is_known = verb.eq_ignore_ascii_case("rename") && to.eq_ignore_ascii_case("to");
        if !is_known || old == new {
            return Err(unsupported());
        }
        Ok(Rename {
            old: old.to_owned(),
            new: new.to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Rename;

    #[test]
    fn an_instruction_is_four_words() {
        for text in ["rename a to b", "  Rename a TO b "] {
            let rename: Rename = text.parse().unwrap();
            assert_eq!((rename.old_name(), rename.new_name()), ("a", "b"));
        }
        for text in [
            "",
            "rename",
            "rename a b",
            "rename a to",
            "rename a to a",
            "please rename a to b",
            "rename a to b now",
            "move a to b",
            "rename a into b",
        ] {
            assert!(text.parse::<Rename>().is_err(), "{text:?} was accepted");
        }
    }
}
