//! Trees of files: copied, and read whole for comparison.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// How much of a file a message shows.
const SHOWN_CHARACTERS: usize = 120;

/// What stands at a path.
#[derive(Clone, PartialEq, Eq)]
pub enum Entry {
    /// A directory that may be empty.
    Directory,
    /// A file.
    File {
        /// Its content.
        bytes: Vec<u8>,
        /// Whether its owner may execute it.
        is_executable: bool,
    },
}

/// A tree of files by path from its root, with `/` between the parts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tree(BTreeMap<String, Entry>);

impl Tree {
    /// Reads what lies below a directory; nothing if there is no such directory.
    ///
    /// # Panics
    /// If something cannot be read, or is neither a file nor a directory.
    pub fn read(root: &Path) -> Tree {
        let mut tree = Tree::default();
        if root.exists() {
            tree.collect(root, "");
        }
        tree
    }

    /// Returns the paths, sorted.
    pub fn paths(&self) -> Vec<&str> {
        self.0.keys().map(String::as_str).collect()
    }

    /// Returns the paths of the files, sorted.
    pub fn files(&self) -> Vec<&str> {
        let files = self.0.iter().filter(|(_, it)| **it != Entry::Directory);
        files.map(|(path, _)| path.as_str()).collect()
    }

    /// Returns the content of a file.
    pub fn bytes(&self, path: &str) -> Option<&[u8]> {
        match self.0.get(path) {
            Some(Entry::File { bytes, .. }) => Some(bytes),
            _ => None,
        }
    }

    /// Returns the tree without everything below these directories and without these files.
    #[must_use]
    pub fn without(mut self, paths: &[&str]) -> Tree {
        let is_below = |path: &str, top: &str| {
            path.strip_prefix(top)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        self.0
            .retain(|path, _| !paths.iter().any(|top| is_below(path, top)));
        self
    }

    /// Names every path at which two trees differ, with what differs.
    pub fn differences(&self, other: &Tree) -> Vec<String> {
        let mut found = Vec::new();
        for (path, entry) in &self.0 {
            match other.0.get(path) {
                None => found.push(format!("{path} is gone")),
                Some(it) if it != entry => {
                    found.push(format!("{path} was {entry:?} and is {it:?}"));
                }
                Some(_) => {}
            }
        }
        let new = other.0.keys().filter(|path| !self.0.contains_key(*path));
        found.extend(new.map(|path| format!("{path} is new")));
        found
    }

    fn collect(&mut self, directory: &Path, prefix: &str) {
        let entries = fs::read_dir(directory)
            .unwrap_or_else(|error| panic!("{} cannot be listed: {error}", directory.display()));
        for entry in entries {
            let path = match entry {
                Ok(entry) => entry.path(),
                Err(error) => panic!("{} cannot be listed: {error}", directory.display()),
            };
            let unreadable = |error| panic!("{} cannot be read: {error}", path.display());
            let name = path.file_name().and_then(|name| name.to_str());
            let name = name.unwrap_or_else(|| panic!("{} is not UTF-8", path.display()));
            let place = format!("{prefix}{name}");
            let metadata = fs::symlink_metadata(&path).unwrap_or_else(unreadable);
            if metadata.is_dir() {
                self.0.insert(place.clone(), Entry::Directory);
                self.collect(&path, &format!("{place}/"));
            } else if metadata.is_file() {
                let entry = Entry::File {
                    bytes: fs::read(&path)
                        .unwrap_or_else(|error| panic!("{}: {error}", path.display())),
                    is_executable: metadata.permissions().mode() & 0o100 != 0,
                };
                self.0.insert(place, entry);
            } else {
                panic!("{} is neither a file nor a directory", path.display());
            }
        }
    }
}

impl fmt::Debug for Entry {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Entry::Directory => formatter.write_str("a directory"),
            Entry::File {
                bytes,
                is_executable,
            } => {
                let executable = if *is_executable { ", executable" } else { "" };
                let text = String::from_utf8_lossy(bytes);
                let shown: String = text.chars().take(SHOWN_CHARACTERS).collect();
                let more = if shown.len() < text.len() { "…" } else { "" };
                write!(formatter, "{shown:?}{more}{executable}")
            }
        }
    }
}

/// Copies a tree into a directory, which is made; the names in `without` are left out at the top.
///
/// # Panics
/// If something cannot be read or written.
pub fn copy_tree(from: &Path, to: &Path, without: &[&str]) {
    let copy = |from: &Path, to: &Path| -> std::io::Result<()> {
        fs::create_dir_all(to)?;
        for entry in fs::read_dir(from)? {
            let entry = entry?;
            let name = entry.file_name();
            if without.iter().any(|left_out| name == *left_out) {
                continue;
            }
            let target = to.join(&name);
            if entry.file_type()?.is_dir() {
                copy_tree(&entry.path(), &target, &[]);
            } else {
                fs::copy(entry.path(), &target)?;
            }
        }
        Ok(())
    };
    if let Err(error) = copy(from, to) {
        panic!(
            "{} cannot be copied to {}: {error}",
            from.display(),
            to.display()
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_is_equal_and_every_difference_is_named() {
        let directory = tempfile::tempdir().unwrap();
        let (one, two) = (directory.path().join("one"), directory.path().join("two"));
        fs::create_dir_all(one.join("a/b")).unwrap();
        fs::create_dir(one.join("left")).unwrap();
        fs::write(one.join("a/x"), "x").unwrap();
        fs::write(one.join("a/y"), "y").unwrap();
        copy_tree(&one, &two, &["left"]);
        let expected = Tree::read(&one).without(&["left"]);
        assert_eq!(expected.paths(), ["a", "a/b", "a/x", "a/y"]);
        assert_eq!(expected.files(), ["a/x", "a/y"]);
        assert_eq!(Tree::read(&two), expected);
        fs::write(two.join("a/x"), "z").unwrap();
        fs::remove_file(two.join("a/y")).unwrap();
        fs::write(two.join("new"), "").unwrap();
        assert_eq!(
            expected.differences(&Tree::read(&two)),
            [r#"a/x was "x" and is "z""#, "a/y is gone", "new is new"]
        );
    }
}
