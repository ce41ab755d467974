//! The path of a file that a plan may touch.

use std::fmt;
use std::path::{Path, PathBuf};

/// Directories in which nothing is ever written: they belong to other programs, or to Orket itself.
pub(crate) const OTHERS: &[&str] = &[
    ".git",
    ".hg",
    ".svn",
    ".jj",
    ".orket",
    ".orket-workbench",
    "node_modules",
    "target",
    ".venv",
    "venv",
    "__pycache__",
];

/// A path below the root of a tree, with `/` between its parts.
///
/// It has no part that is empty, `.` or `..`, no NUL, and no part of a directory that belongs to others.
#[derive(
    Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
#[serde(try_from = "String", into = "String")]
pub struct TouchPath(String);

/// Says why a text is no path that a plan may touch.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{path:?} cannot be touched: {reason}")]
pub struct InvalidPath {
    /// The text.
    pub path: String,
    /// What is wrong with it.
    pub reason: String,
}

impl TouchPath {
    /// Reads a path.
    ///
    /// # Errors
    ///
    /// When it leads out of the tree, into a directory of others, or is none.
    pub fn parse(text: &str) -> Result<TouchPath, InvalidPath> {
        let invalid = |reason: String| InvalidPath {
            path: text.to_owned(),
            reason,
        };
        if text.len() > 4096 {
            return Err(invalid("it is longer than 4,096 bytes".to_owned()));
        }
        for part in text.split('/') {
            if matches!(part, "" | "." | "..") || part.contains(['\0', '\\']) {
                return Err(invalid(format!("{part:?} is no name in a tree")));
            }
            if OTHERS.iter().any(|it| it.eq_ignore_ascii_case(part)) {
                return Err(invalid(format!("{part} belongs to another program")));
            }
        }
        Ok(TouchPath(text.to_owned()))
    }

    /// Returns the text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the path below a root.
    pub fn under(&self, root: &Path) -> PathBuf {
        root.join(&self.0)
    }

    /// Returns the directories on the way, outermost first, without the root.
    pub fn directories(&self) -> Vec<TouchPath> {
        let ends = self.0.match_indices('/').map(|(at, _)| at);
        ends.filter_map(|end| self.0.get(..end))
            .map(|text| TouchPath(text.to_owned()))
            .collect()
    }

    /// Tells whether the path is `top` or lies below it.
    pub fn is_within(&self, top: &str) -> bool {
        let rest = self.0.strip_prefix(top);
        top.is_empty() || rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }
}

impl fmt::Display for TouchPath {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl TryFrom<String> for TouchPath {
    type Error = InvalidPath;

    fn try_from(text: String) -> Result<TouchPath, InvalidPath> {
        TouchPath::parse(&text)
    }
}

impl From<TouchPath> for String {
    fn from(path: TouchPath) -> String {
        path.0
    }
}

#[cfg(test)]
mod tests {
    use super::TouchPath;

    #[test]
    fn what_leads_elsewhere_is_no_path() {
        for text in [
            "",
            "/",
            "/a",
            "a/",
            "a//b",
            ".",
            "..",
            "../a",
            "a/../b",
            "./a",
            "a\0b",
            "a\\b",
            ".git/config",
            "x/node_modules/y",
            ".ORKET/db",
            "target/debug/x",
        ] {
            assert!(TouchPath::parse(text).is_err(), "{text:?} was accepted");
        }
        for text in ["a", "a/b.rs", ".gitignore", "a b/ü", "targets/x"] {
            assert_eq!(TouchPath::parse(text).unwrap().as_str(), text);
        }
    }

    #[test]
    fn a_prefix_of_a_name_is_no_directory_above() {
        let path = TouchPath::parse("workbench/src/a").unwrap();
        assert!(
            path.is_within("") && path.is_within("workbench") && path.is_within("workbench/src/a")
        );
        assert!(!path.is_within("work") && !path.is_within("workbench/s"));
        let directories: Vec<String> = path.directories().into_iter().map(String::from).collect();
        assert_eq!(directories, ["workbench", "workbench/src"]);
    }
}
