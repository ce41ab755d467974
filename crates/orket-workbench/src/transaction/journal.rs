//! The journal: what is needed to undo a transaction, in a directory of its own.
//!
//! ```text
//! applying     the record below, as JSON; its existence is the state
//! before-<n>   the former content of the n-th change, with owner and mode; not there if the path was absent
//! after-<n>    the new content, until it is renamed into the tree
//! ```

use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::files::{Files, Kind};
use crate::path::TouchPath;

/// Where journals lie in a tree: the first where there is a directory `.orket`, the second where there is none, because
/// a transaction leaves no directory behind.
pub const JOURNALS: [&str; 2] = [".orket/workbench", ".orket-workbench"];

/// The record whose existence means that a transaction is under way.
pub(super) const APPLYING: &str = "applying";
/// The same before it has its name.
pub(super) const DRAFT: &str = "applying.new";

const VERSION: u32 = 1;
const LIMIT_BYTES: u64 = 64 << 20;

/// What a transaction touches.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Record {
    pub(super) version: u32,
    pub(super) changes: Vec<RecordedChange>,
    /// The directories that it makes, outermost first.
    pub(super) directories: Vec<TouchPath>,
}

/// One touched path, with digests of its contents.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RecordedChange {
    pub(super) path: TouchPath,
    pub(super) before: Option<String>,
    pub(super) after: String,
}

impl Record {
    pub(super) fn new(changes: Vec<RecordedChange>, directories: Vec<TouchPath>) -> Record {
        Record {
            version: VERSION,
            changes,
            directories,
        }
    }

    pub(super) fn to_bytes(&self) -> Result<Vec<u8>, Error> {
        serde_json::to_vec_pretty(self).map_err(|error| Error::Internal {
            place: APPLYING.to_owned(),
            reason: error.to_string(),
        })
    }

    /// Reads the record of a journal; `None` if no transaction is under way.
    pub(super) fn read(journal: &Path, files: &dyn Files) -> Result<Option<Record>, Error> {
        let path = journal.join(APPLYING);
        let damaged = |reason: String| Error::JournalDamaged {
            journal: journal.display().to_string(),
            reason,
        };
        let unread = |error: io::Error| fault(journal, &path, &error);
        match files.look(&path).map_err(unread)? {
            None => return Ok(None),
            Some(entry) if entry.kind == Kind::File => {}
            Some(_) => return Err(damaged(format!("{APPLYING} is no file"))),
        }
        let bytes = files.read(&path, LIMIT_BYTES).map_err(unread)?;
        let record: Record =
            serde_json::from_slice(&bytes).map_err(|error| damaged(error.to_string()))?;
        if record.version != VERSION {
            return Err(damaged(format!("it has the version {}", record.version)));
        }
        Ok(Some(record))
    }
}

/// Says that undoing was stopped by the file system; the journal stays, and the next command tries again.
pub(super) fn fault(journal: &Path, path: &Path, error: &io::Error) -> Error {
    Error::RestoreFailed {
        reason: format!("{}: {error}", path.display()),
        journal: journal.display().to_string(),
    }
}

/// Returns where the former content of a change lies.
pub(super) fn before(journal: &Path, index: usize) -> PathBuf {
    journal.join(format!("before-{index}"))
}

/// Returns where the new content of a change lies until it is in the tree.
pub(super) fn after(journal: &Path, index: usize) -> PathBuf {
    journal.join(format!("after-{index}"))
}

/// Removes what is left of a journal under which nothing is under way. What is not its own stays, and so does its
/// directory then.
pub(super) fn sweep(journal: &Path, files: &dyn Files) -> io::Result<()> {
    let mut is_all = true;
    for name in files.list(journal)? {
        if name == DRAFT || name.starts_with("before-") || name.starts_with("after-") {
            files.remove_file(&journal.join(name))?;
        } else {
            is_all = false;
        }
    }
    if is_all {
        files.remove_directory(journal)?;
    }
    Ok(())
}
