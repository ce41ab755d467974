//! The one transaction that every command that changes a tree goes through.
//!
//! ```text
//! open      lock the root; undo what an interrupted command left
//! execute   journal: for each touched path its former content and its new one, synced
//!           `applying` gets its name, synced            ── from here on a crash is undone by the next `open`
//!           for each path: is it still what the plan was made for? then rename the new content over it
//!           sync the directories
//!           `applying` loses its name, synced           ── the commit: from here on the change stays
//!           remove the journal
//! ```
//!
//! The whole state of the journal is whether `applying` exists. Why the syncs stand where they stand: a rename must not
//! reach the disk before the journal that can undo it, so journal files and their directory are synced before the first
//! one; `applying` must not vanish from the disk before the renames have reached it, so the touched directories are
//! synced before the commit. Removing the journal afterwards needs no sync: what is left of it is removed next time.

mod apply;
mod journal;
mod undo;

use std::fs::File;
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};

use crate::error::Error;
use crate::files::Files;
use crate::plan::{Limits, Plan, Snapshot};

pub use journal::JOURNALS;

/// A tree that this process alone changes, as far as workbenches go.
pub struct Workbench<'f> {
    root: PathBuf,
    files: &'f dyn Files,
    // It is locked, and the lock goes with the process, however that ends.
    lock: File,
}

/// What an interrupted command left and was undone, by path.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recovered(pub Vec<String>);

impl<'f> Workbench<'f> {
    /// Takes a tree, having undone what an interrupted command left in it. `root` is absolute.
    ///
    /// # Errors
    ///
    /// When another process has it, or what is left cannot be undone.
    pub fn open(root: &Path, files: &'f dyn Files) -> Result<(Workbench<'f>, Recovered), Error> {
        let unusable = |error: std::io::Error| Error::unreadable(&root.to_string_lossy(), &error);
        let lock = File::open(root).map_err(unusable)?;
        match flock(&lock, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {}
            Err(rustix::io::Errno::WOULDBLOCK) => {
                return Err(Error::TransactionBusy {
                    root: root.display().to_string(),
                });
            }
            Err(error) => return Err(unusable(error.into())),
        }
        let workbench = Workbench {
            root: root.to_path_buf(),
            files,
            lock,
        };
        let recovered = undo::recover(root, files)?;
        Ok((workbench, recovered))
    }

    /// Returns the root.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Returns the reader for plans.
    pub fn snapshot(&self, limits: Limits) -> Snapshot<'_> {
        Snapshot::new(&self.root, self.files, limits)
    }

    /// Carries a plan out, whole or not at all.
    ///
    /// # Errors
    ///
    /// When a touched file is no longer what the plan was made for, or the file system refuses something. The tree is
    /// as before then, except with [`Error::RestoreFailed`] and [`Error::OutcomeUnknown`], which the next
    /// [`Workbench::open`] settles.
    pub fn execute(&self, plan: &Plan) -> Result<(), Error> {
        if plan.is_empty() {
            return Ok(());
        }
        apply::execute(&self.root, self.files, plan)
    }
}

impl Drop for Workbench<'_> {
    fn drop(&mut self) {
        // Closing would not do: a process that is just being started from another thread holds the same description.
        let _ = flock(&self.lock, FlockOperation::Unlock);
    }
}
