//! What a failed or interrupted transaction did is taken back.

use std::path::Path;

use super::Recovered;
use super::journal::{self, APPLYING, JOURNALS, Record};
use crate::error::Error;
use crate::files::{Files, Kind};
use crate::plan::{digest, guard};

/// Larger than any content that a plan can hold.
const READ_BYTES: u64 = 1 << 30;

/// What has to be done for one path.
enum Step {
    /// It is as before.
    Nothing,
    /// The transaction made the file.
    Remove,
    /// The former content goes back into place.
    PutBack,
}

/// Undoes what interrupted commands left in a tree.
pub(super) fn recover(root: &Path, files: &dyn Files) -> Result<Recovered, Error> {
    let mut recovered = Recovered::default();
    for journal in JOURNALS {
        recovered.0.extend(undo(root, files, &root.join(journal))?);
    }
    Ok(recovered)
}

/// Undoes the transaction of one journal, if one is under way, and removes the journal. Returns the paths that were put
/// back.
pub(super) fn undo(root: &Path, files: &dyn Files, journal: &Path) -> Result<Vec<String>, Error> {
    let fault = |path: &Path, error: &std::io::Error| journal::fault(journal, path, error);
    match files.look(journal) {
        Ok(None) => return Ok(Vec::new()),
        Ok(Some(entry)) if entry.kind == Kind::Directory => {}
        Ok(Some(_)) => {
            return Err(Error::FileUnsupported {
                path: journal.display().to_string(),
                what: "no directory".to_owned(),
            });
        }
        Err(error) => return Err(fault(journal, &error)),
    }
    let mut restored = Vec::new();
    if let Some(record) = Record::read(journal, files)? {
        // All is looked at before anything is touched: a conflict leaves everything as it is.
        let mut steps = Vec::new();
        for (index, change) in record.changes.iter().enumerate() {
            steps.push(step(root, files, journal, index, change)?);
        }
        for (index, (change, step)) in record.changes.iter().zip(steps).enumerate() {
            let path = change.path.under(root);
            let done = match step {
                Step::Nothing => continue,
                Step::Remove => files.remove_file(&path),
                Step::PutBack => files.rename(&journal::before(journal, index), &path),
            };
            done.map_err(|error| fault(&path, &error))?;
            restored.push(change.path.to_string());
        }
        for directory in record.directories.iter().rev() {
            let path = directory.under(root);
            let is_there = files.look(&path).map_err(|error| fault(&path, &error))?;
            // Where somebody put something meanwhile, the directory is theirs.
            if is_there.is_some() && files.list(&path).is_ok_and(|names| names.is_empty()) {
                files
                    .remove_directory(&path)
                    .map_err(|error| fault(&path, &error))?;
            }
        }
        // What was put back must be durable before the journal that could do it again is gone.
        for change in &record.changes {
            let path = change.path.under(root);
            let parent = path.parent().unwrap_or(root);
            if files
                .look(parent)
                .map_err(|error| fault(parent, &error))?
                .is_some()
            {
                files
                    .sync_directory(parent)
                    .map_err(|error| fault(parent, &error))?;
            }
        }
        for directory in &record.directories {
            let path = directory.under(root);
            let parent = path.parent().unwrap_or(root);
            if files
                .look(parent)
                .map_err(|error| fault(parent, &error))?
                .is_some()
            {
                files
                    .sync_directory(parent)
                    .map_err(|error| fault(parent, &error))?;
            }
        }
        let applying = journal.join(APPLYING);
        files
            .remove_file(&applying)
            .map_err(|error| fault(&applying, &error))?;
        files
            .sync_directory(journal)
            .map_err(|error| fault(journal, &error))?;
    }
    journal::sweep(journal, files).map_err(|error| fault(journal, &error))?;
    Ok(restored)
}

fn step(
    root: &Path,
    files: &dyn Files,
    journal: &Path,
    index: usize,
    change: &journal::RecordedChange,
) -> Result<Step, Error> {
    let saved = journal::before(journal, index);
    let conflict = || Error::RestoreConflict {
        path: change.path.to_string(),
        saved: match change.before {
            Some(_) => saved.display().to_string(),
            None => "none".to_owned(),
        },
        journal: journal.display().to_string(),
    };
    let damaged = |reason: String| Error::JournalDamaged {
        journal: journal.display().to_string(),
        reason,
    };
    let fault = |path: &Path, error: &std::io::Error| journal::fault(journal, path, error);
    // A rename is one step: while the new content lies here, the path was never touched, and whatever is there is not ours.
    let after = journal::after(journal, index);
    if files
        .look(&after)
        .map_err(|error| fault(&after, &error))?
        .is_some()
    {
        return Ok(Step::Nothing);
    }
    let path = change.path.under(root);
    let found = match guard(files, root, &change.path) {
        Ok(None) => None,
        Ok(Some(_)) => {
            let bytes = files.read(&path, READ_BYTES);
            Some(digest(&bytes.map_err(|error| fault(&path, &error))?))
        }
        // A link or a directory in its place is somebody's doing.
        Err(Error::FileUnsupported { .. }) => return Err(conflict()),
        Err(error) => {
            return Err(Error::RestoreFailed {
                reason: error.to_string(),
                journal: journal.display().to_string(),
            });
        }
    };
    match (&change.before, found) {
        (None, None) => Ok(Step::Nothing),
        (None, Some(found)) if found == change.after => Ok(Step::Remove),
        (Some(before), Some(found)) if found == *before => Ok(Step::Nothing),
        (Some(before), found) if found.is_none() || found.as_ref() == Some(&change.after) => {
            let bytes = files.read(&saved, READ_BYTES);
            let bytes = bytes.map_err(|error| match error.kind() {
                std::io::ErrorKind::NotFound => damaged(format!("{} is gone", saved.display())),
                _ => fault(&saved, &error),
            })?;
            if digest(&bytes) != *before {
                return Err(damaged(format!(
                    "{} is not what was saved",
                    saved.display()
                )));
            }
            Ok(Step::PutBack)
        }
        _ => Err(conflict()),
    }
}
