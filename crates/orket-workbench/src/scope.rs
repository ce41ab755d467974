//! What a command may touch: files and directories of a tree that the operator named.

use std::path::{Component, Path, PathBuf};

use crate::error::Error;
use crate::files::{Files, Kind};
use crate::path::{OTHERS, TouchPath};

/// How many files and directories are looked at.
const LIMIT_ENTRIES: usize = 500_000;

/// The scope of a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scope {
    /// Below the root; the empty text is the root itself.
    tops: Vec<String>,
}

/// The files in a scope.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// Regular files, sorted, each once.
    pub files: Vec<TouchPath>,
    /// Links and special files, which are not followed, and names that are not UTF-8.
    pub passed_over: Vec<String>,
}

impl Scope {
    /// Reads the scope that was typed in the directory `here`.
    ///
    /// # Errors
    ///
    /// When there is none, or a path is not there, lies outside the root, leads through a link or belongs to others.
    pub fn new(
        root: &Path,
        here: &Path,
        typed: &[PathBuf],
        files: &dyn Files,
    ) -> Result<Scope, Error> {
        if typed.is_empty() {
            return Err(Error::ScopeRequired);
        }
        let mut tops = Vec::new();
        for path in typed {
            let top = top(root, here, path, files).map_err(|reason| Error::ScopeInvalid {
                path: path.display().to_string(),
                reason,
            })?;
            tops.push(top);
        }
        tops.sort();
        tops.dedup();
        Ok(Scope { tops })
    }

    /// Tells whether a path is in the scope.
    pub fn contains(&self, path: &TouchPath) -> bool {
        self.tops.iter().any(|top| path.is_within(top))
    }

    /// Checks that a path is in the scope.
    ///
    /// # Errors
    ///
    /// When it is not.
    pub fn admit(&self, path: &TouchPath) -> Result<(), Error> {
        if self.contains(path) {
            return Ok(());
        }
        Err(Error::WriteOutOfScope {
            path: path.to_string(),
        })
    }

    /// Finds the files in the scope. Directories of other programs (`.git`, `node_modules`, `target` and their like) are
    /// not entered.
    ///
    /// # Errors
    ///
    /// When a directory cannot be read, or there are too many files.
    pub fn find(&self, root: &Path, files: &dyn Files) -> Result<Found, Error> {
        let mut found = Found::default();
        let mut open: Vec<String> = self.tops.clone();
        let mut looked = 0;
        while let Some(path) = open.pop() {
            looked += 1;
            if looked > LIMIT_ENTRIES {
                return Err(Error::LimitExceeded {
                    what: format!("there are more than {LIMIT_ENTRIES} files in the scope"),
                });
            }
            let full = root.join(&path);
            let unreadable = |error: std::io::Error| Error::unreadable(&path, &error);
            match files
                .look(&full)
                .map_err(unreadable)?
                .map(|entry| entry.kind)
            {
                Some(Kind::Directory) => {
                    let names = files.list(&full).map_err(unreadable)?;
                    for name in names {
                        if OTHERS.iter().any(|it| it.eq_ignore_ascii_case(&name)) {
                            continue;
                        }
                        open.push(if path.is_empty() {
                            name
                        } else {
                            format!("{path}/{name}")
                        });
                    }
                }
                Some(Kind::File) => match TouchPath::parse(&path) {
                    Ok(path) => found.files.push(path),
                    Err(_) => found.passed_over.push(path),
                },
                // A name that is not UTF-8 was changed when it was read, and is not found again.
                Some(Kind::Link | Kind::Special) | None => found.passed_over.push(path),
            }
        }
        found.files.sort();
        found.files.dedup();
        found.passed_over.sort();
        found.passed_over.dedup();
        Ok(found)
    }
}

fn top(root: &Path, here: &Path, path: &Path, files: &dyn Files) -> Result<String, String> {
    let mut full = PathBuf::new();
    for component in here.join(path).components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => {
                full.pop();
            }
            other => full.push(other),
        }
    }
    let outside = || format!("it lies outside the project {}", root.display());
    let below = full.strip_prefix(root).map_err(|_| outside())?;
    let mut text = String::new();
    let mut walked = root.to_path_buf();
    for component in below.components() {
        let Some(name) = component.as_os_str().to_str() else {
            return Err("it is not UTF-8".to_owned());
        };
        if !text.is_empty() {
            text.push('/');
        }
        text.push_str(name);
        walked.push(name);
        match files.look(&walked).map_err(|error| error.to_string())? {
            None => return Err("it is not there".to_owned()),
            Some(entry) if entry.kind == Kind::Link => {
                return Err(format!("{text} is a link; name what it leads to"));
            }
            Some(entry) if entry.kind == Kind::Special => {
                return Err("it is a special file".to_owned());
            }
            Some(_) => {}
        }
    }
    if !text.is_empty() {
        TouchPath::parse(&text).map_err(|error| error.reason)?;
    }
    Ok(text)
}
