//! The directory of a new project comes to be.
//!
//! Everything is written beside its place, under a name of its own, and synced; then one rename gives it its name. A
//! crash before leaves the other name, which the next `init` in this directory removes; after it, the project is there.

use std::collections::BTreeSet;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};

use super::{NewProject, ProjectName};
use crate::error::Error;
use crate::files::{Entry, Files, Kind};

/// What a project that is not there yet is called: `.NAME` and this.
const DRAFT: &str = ".orket-init";

/// Makes a project in a directory. `check` judges it where it lies before it has its name.
///
/// # Errors
///
/// When something has the name already, another `init` works in the directory, the check says no, or the file system
/// refuses something. Nothing is left behind then.
pub fn create(
    parent: &Path,
    name: &ProjectName,
    project: &NewProject,
    files: &dyn Files,
    check: &dyn Fn(&Path) -> Result<(), Error>,
) -> Result<PathBuf, Error> {
    let failed = |path: &Path| {
        let place = path.to_string_lossy().into_owned();
        move |error: io::Error| Error::unreadable(&place, &error)
    };
    let lock = File::open(parent).map_err(failed(parent))?;
    match flock(&lock, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => {}
        Err(rustix::io::Errno::WOULDBLOCK) => {
            return Err(Error::TransactionBusy {
                root: parent.display().to_string(),
            });
        }
        Err(error) => return Err(failed(parent)(error.into())),
    }
    let made = make(parent, name, project, files, check);
    // Not left to the end of the file: a process that is being started elsewhere may hold it too.
    let _ = flock(&lock, FlockOperation::Unlock);
    made
}

fn make(
    parent: &Path,
    name: &ProjectName,
    project: &NewProject,
    files: &dyn Files,
    check: &dyn Fn(&Path) -> Result<(), Error>,
) -> Result<PathBuf, Error> {
    let failed = |path: &Path| {
        let place = path.to_string_lossy().into_owned();
        move |error: io::Error| Error::unreadable(&place, &error)
    };
    sweep(parent, files).map_err(failed(parent))?;
    let target = parent.join(name.as_str());
    let exists = || Error::OutputDirExists {
        path: target.display().to_string(),
    };
    if files.look(&target).map_err(failed(&target))?.is_some() {
        return Err(exists());
    }
    let draft = parent.join(format!(".{name}{DRAFT}"));
    let made = write(&draft, project, files)
        .map_err(failed(&draft))
        .and_then(|()| check(&draft))
        .and_then(|()| {
            files
                .rename_new(&draft, &target)
                .map_err(|error| match error.kind() {
                    io::ErrorKind::AlreadyExists | io::ErrorKind::DirectoryNotEmpty => exists(),
                    _ => failed(&target)(error),
                })
        });
    if let Err(error) = made {
        return match remove(&draft, files) {
            Ok(()) => Err(error),
            Err(_) => Err(Error::RestoreFailed {
                reason: error.to_string(),
                journal: draft.display().to_string(),
            }),
        };
    }
    files
        .sync_directory(parent)
        .map_err(|error| Error::OutcomeUnknown {
            reason: error.to_string(),
        })?;
    Ok(target)
}

fn write(draft: &Path, project: &NewProject, files: &dyn Files) -> io::Result<()> {
    files.make_directory(draft)?;
    let mut directories = BTreeSet::new();
    for (path, _) in &project.files {
        directories.extend(path.directories());
    }
    for directory in &directories {
        files.make_directory(&directory.under(draft))?;
    }
    for (path, file) in &project.files {
        let path = path.under(draft);
        let like = if file.is_executable {
            executable(draft, files)?
        } else {
            None
        };
        files.write_new(&path, &file.bytes, like.as_ref())?;
    }
    for directory in &directories {
        files.sync_directory(&directory.under(draft))?;
    }
    files.sync_directory(draft)
}

/// Returns what a program of the project is like: executable for those who may read the project's directory.
fn executable(draft: &Path, files: &dyn Files) -> io::Result<Option<Entry>> {
    let directory = files.look(draft)?;
    Ok(directory.map(|directory| Entry {
        mode: directory.mode & 0o777,
        ..directory
    }))
}

/// Removes what an interrupted `init` left.
fn sweep(parent: &Path, files: &dyn Files) -> io::Result<()> {
    for name in files.list(parent)? {
        let inner = name.strip_prefix('.').and_then(|it| it.strip_suffix(DRAFT));
        if inner.is_some_and(|inner| inner.parse::<ProjectName>().is_ok()) {
            remove(&parent.join(name), files)?;
        }
    }
    Ok(())
}

/// Removes a draft, if it is there. Links are removed and never followed.
fn remove(draft: &Path, files: &dyn Files) -> io::Result<()> {
    let mut open = vec![draft.to_path_buf()];
    let mut directories = Vec::new();
    while let Some(path) = open.pop() {
        match files.look(&path)?.map(|entry| entry.kind) {
            None => {}
            Some(Kind::Directory) => {
                for name in files.list(&path)? {
                    open.push(path.join(name));
                }
                directories.push(path);
            }
            Some(_) => files.remove_file(&path)?,
        }
    }
    for directory in directories.iter().rev() {
        files.remove_directory(directory)?;
    }
    Ok(())
}
