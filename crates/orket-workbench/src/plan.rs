//! What a command is about to do to a tree, as data.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use sha2::{Digest, Sha256};

use crate::diff;
use crate::error::Error;
use crate::files::{Entry, Files, Kind};
use crate::path::TouchPath;

/// How much one plan may touch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// How many files. Default: 10,000.
    pub files: usize,
    /// How many bytes a file may have, before and after. Default: 16 MiB.
    pub file_bytes: u64,
    /// How many bytes all of them may have after it. Default: 512 MiB.
    pub bytes: u64,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            files: 10_000,
            file_bytes: 16 << 20,
            bytes: 512 << 20,
        }
    }
}

/// What stood at a path when the plan was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Before {
    /// Nothing.
    Absent,
    /// A regular file with this content.
    File(Vec<u8>),
}

/// One file that comes to be, or gets another content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Where.
    pub path: TouchPath,
    /// What the plan was made for.
    pub before: Before,
    /// The content that it will have.
    pub after: Vec<u8>,
}

/// The touch set of a command: sorted by path, each path once, and each one a change indeed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    changes: Vec<Change>,
}

/// Reads a tree for a plan: regular files with one name, reached without a link.
pub struct Snapshot<'f> {
    root: &'f Path,
    files: &'f dyn Files,
    limits: Limits,
}

impl<'f> Snapshot<'f> {
    /// Reads below this root.
    pub fn new(root: &'f Path, files: &'f dyn Files, limits: Limits) -> Snapshot<'f> {
        Snapshot {
            root,
            files,
            limits,
        }
    }

    /// Reads what stands at a path.
    ///
    /// # Errors
    ///
    /// When it or a directory on the way is a link or special, when it has several names, is too large or unreadable.
    pub fn read(&self, path: &TouchPath) -> Result<Before, Error> {
        if guard(self.files, self.root, path)?.is_none() {
            return Ok(Before::Absent);
        }
        let read = self
            .files
            .read(&path.under(self.root), self.limits.file_bytes);
        read.map(Before::File).map_err(|error| match error.kind() {
            io::ErrorKind::FileTooLarge => Error::LimitExceeded {
                what: format!("{path} has more than {} bytes", self.limits.file_bytes),
            },
            _ => Error::unreadable(path.as_str(), &error),
        })
    }
}

impl Plan {
    /// Makes a plan. A change that changes nothing is left out.
    ///
    /// # Errors
    ///
    /// When it is larger than the limits, or names a path twice.
    pub fn new(changes: Vec<Change>, limits: Limits) -> Result<Plan, Error> {
        let mut by_path = BTreeMap::new();
        let mut bytes = 0;
        for change in changes {
            if change.before == Before::File(change.after.clone()) {
                continue;
            }
            let length = change.after.len() as u64;
            bytes += length;
            if length > limits.file_bytes {
                return Err(Error::LimitExceeded {
                    what: format!(
                        "{} would have {length} bytes, {} are allowed",
                        change.path, limits.file_bytes
                    ),
                });
            }
            if let Some(former) = by_path.insert(change.path.clone(), change) {
                return Err(Error::Internal {
                    place: former.path.to_string(),
                    reason: "the plan names it twice".to_owned(),
                });
            }
        }
        if by_path.len() > limits.files || bytes > limits.bytes {
            return Err(Error::LimitExceeded {
                what: format!(
                    "the plan touches {} files with {bytes} bytes; {} files with {} bytes are allowed",
                    by_path.len(),
                    limits.files,
                    limits.bytes
                ),
            });
        }
        Ok(Plan {
            changes: by_path.into_values().collect(),
        })
    }

    /// Returns the changes.
    pub fn changes(&self) -> &[Change] {
        &self.changes
    }

    /// Tells whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    /// Shows the plan as one unified diff, in the order of the paths.
    pub fn diff(&self) -> String {
        self.changes.iter().map(diff::unified).collect()
    }
}

impl Change {
    /// Counts the lines that are added and removed.
    pub fn lines(&self) -> (usize, usize) {
        diff::count(self)
    }
}

/// Looks at what stands at a path, having seen that it is nothing or a regular file with one name, and that only
/// directories lead to it.
pub(crate) fn guard(
    files: &dyn Files,
    root: &Path,
    path: &TouchPath,
) -> Result<Option<Entry>, Error> {
    let look = |path: &TouchPath| {
        let entry = files.look(&path.under(root));
        entry.map_err(|error| Error::unreadable(path.as_str(), &error))
    };
    let unsupported = |path: &TouchPath, what: &str| Error::FileUnsupported {
        path: path.to_string(),
        what: what.to_owned(),
    };
    for directory in path.directories() {
        match look(&directory)?.map(|entry| entry.kind) {
            None => return Ok(None),
            Some(Kind::Directory) => {}
            Some(Kind::Link) => return Err(unsupported(&directory, "a symbolic link")),
            Some(Kind::File | Kind::Special) => {
                return Err(unsupported(&directory, "no directory"));
            }
        }
    }
    match look(path)? {
        None => Ok(None),
        Some(entry) if entry.kind == Kind::File && entry.links == 1 => Ok(Some(entry)),
        Some(entry) => Err(unsupported(
            path,
            match entry.kind {
                Kind::File => "a file with several names (hard links)",
                Kind::Directory => "a directory",
                Kind::Link => "a symbolic link",
                Kind::Special => "a special file",
            },
        )),
    }
}

/// Returns the digest of a content, as the journal writes it.
pub(crate) fn digest(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}
