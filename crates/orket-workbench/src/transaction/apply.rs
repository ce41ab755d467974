//! A plan is carried out.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};

use super::journal::{self, APPLYING, DRAFT, JOURNALS, Record, RecordedChange};
use super::undo;
use crate::error::Error;
use crate::files::{Files, Kind};
use crate::path::TouchPath;
use crate::plan::{Before, Change, Plan, digest, guard};

/// Carries a plan out, or leaves everything as it was.
pub(super) fn execute(root: &Path, files: &dyn Files, plan: &Plan) -> Result<(), Error> {
    let journal = place(root, files)?;
    let prepared = prepare(root, files, plan, &journal);
    let record = match prepared {
        Ok(record) => record,
        Err(error) => return Err(give_up(root, files, &journal, error)),
    };
    if let Err(error) = apply(root, files, plan, &record, &journal) {
        return Err(give_up(root, files, &journal, error));
    }
    let applying = journal.join(APPLYING);
    if let Err(error) = files.remove_file(&applying) {
        let error = Error::unreadable(&applying.to_string_lossy(), &error);
        return Err(give_up(root, files, &journal, error));
    }
    // The change stays from here on; only whether the disk knows that can still fail.
    files
        .sync_directory(&journal)
        .map_err(|error| Error::OutcomeUnknown {
            reason: error.to_string(),
        })?;
    // What cannot be removed now is removed by the next command.
    let _ = journal::sweep(&journal, files);
    Ok(())
}

fn place(root: &Path, files: &dyn Files) -> Result<PathBuf, Error> {
    let [inside, beside] = JOURNALS.map(|journal| root.join(journal));
    let home = inside.parent().unwrap_or(root);
    let entry = files.look(home);
    let entry = entry.map_err(|error| Error::unreadable(&home.to_string_lossy(), &error))?;
    // A link could lead to another file system, from which nothing can be renamed into the tree.
    let is_directory = entry.is_some_and(|entry| entry.kind == Kind::Directory);
    Ok(if is_directory { inside } else { beside })
}

/// Puts everything back after a failure, and returns what to tell.
fn give_up(root: &Path, files: &dyn Files, journal: &Path, error: Error) -> Error {
    match undo::undo(root, files, journal) {
        Ok(_) => error,
        Err(conflict @ Error::RestoreConflict { .. }) => conflict,
        Err(_) => Error::RestoreFailed {
            reason: error.to_string(),
            journal: journal.display().to_string(),
        },
    }
}

/// Writes the journal. Nothing in the tree is touched.
fn prepare(root: &Path, files: &dyn Files, plan: &Plan, journal: &Path) -> Result<Record, Error> {
    let failed = |path: &Path| {
        let place = path.to_string_lossy().into_owned();
        move |error: io::Error| Error::unreadable(&place, &error)
    };
    files.make_directory(journal).map_err(failed(journal))?;
    let mut changes = Vec::new();
    let mut directories: BTreeSet<TouchPath> = BTreeSet::new();
    for (index, change) in plan.changes().iter().enumerate() {
        let entry = unchanged(root, files, change)?;
        let after = journal::after(journal, index);
        let before = match &change.before {
            Before::File(bytes) => {
                let before = journal::before(journal, index);
                let written = files.write_new(&before, bytes, entry.as_ref());
                written.map_err(failed(&before))?;
                Some(digest(bytes))
            }
            Before::Absent => None,
        };
        let written = files.write_new(&after, &change.after, entry.as_ref());
        written.map_err(failed(&after))?;
        changes.push(RecordedChange {
            path: change.path.clone(),
            before,
            after: digest(&change.after),
        });
        for directory in change.path.directories() {
            let path = directory.under(root);
            if files.look(&path).map_err(failed(&path))?.is_none() {
                directories.insert(directory);
            }
        }
    }
    // Sorted, a directory comes before those in it.
    let record = Record::new(changes, directories.into_iter().collect());
    let draft = journal.join(DRAFT);
    let written = files.write_new(&draft, &record.to_bytes()?, None);
    written.map_err(failed(&draft))?;
    files
        .rename_new(&draft, &journal.join(APPLYING))
        .map_err(failed(&draft))?;
    files.sync_directory(journal).map_err(failed(journal))?;
    let parent = journal.parent().unwrap_or(root);
    files.sync_directory(parent).map_err(failed(parent))?;
    Ok(record)
}

/// Puts the new contents in place, and makes that durable.
fn apply(
    root: &Path,
    files: &dyn Files,
    plan: &Plan,
    record: &Record,
    journal: &Path,
) -> Result<(), Error> {
    let failed = |path: &Path| {
        let place = path.to_string_lossy().into_owned();
        move |error: io::Error| Error::unreadable(&place, &error)
    };
    let mut parents: BTreeSet<PathBuf> = BTreeSet::new();
    for directory in &record.directories {
        let path = directory.under(root);
        files.make_directory(&path).map_err(failed(&path))?;
        parents.insert(path.parent().unwrap_or(root).to_path_buf());
    }
    for (index, change) in plan.changes().iter().enumerate() {
        let path = change.path.under(root);
        unchanged(root, files, change)?;
        let after = journal::after(journal, index);
        let renamed = match change.before {
            Before::Absent => files.rename_new(&after, &path),
            Before::File(_) => files.rename(&after, &path),
        };
        renamed.map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => Error::ChangedSincePlan {
                path: change.path.to_string(),
            },
            _ => failed(&path)(error),
        })?;
        parents.insert(path.parent().unwrap_or(root).to_path_buf());
    }
    for parent in parents {
        files.sync_directory(&parent).map_err(failed(&parent))?;
    }
    Ok(())
}

/// Looks at a path, having seen that it is what the plan was made for.
fn unchanged(
    root: &Path,
    files: &dyn Files,
    change: &Change,
) -> Result<Option<crate::files::Entry>, Error> {
    let changed = || Error::ChangedSincePlan {
        path: change.path.to_string(),
    };
    let entry = guard(files, root, &change.path)?;
    match (&change.before, entry) {
        (Before::Absent, None) => Ok(None),
        (Before::File(bytes), Some(entry)) => {
            if entry.bytes != bytes.len() as u64 {
                return Err(changed());
            }
            let path = change.path.under(root);
            let found = files.read(&path, entry.bytes);
            let found = found.map_err(|error| Error::unreadable(change.path.as_str(), &error))?;
            if found == *bytes {
                Ok(Some(entry))
            } else {
                Err(changed())
            }
        }
        _ => Err(changed()),
    }
}
