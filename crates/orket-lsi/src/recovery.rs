//! What a writer finds when it opens a home, and what it cleans up. All of it can be done again.

use std::path::PathBuf;

use orket_kernel::{RunId, TurnId};

use crate::home::Home;
use crate::{Snapshot, Store, StoreError, backup, creation, ledger, run, view, whole_file};

/// What the opening of a home found and did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recovery {
    /// Files and directories that an interrupted command left and that were removed.
    pub removed: Vec<PathBuf>,
    /// Turns that were staged whole and not committed: a promotion was interrupted before its commit. The state is the one
    /// before them; the run computes them again.
    pub uncommitted: Vec<(RunId, TurnId)>,
    /// By how many generations the browsable view is behind; 0 if it is not, or if there is none.
    pub view_behind: u64,
}

impl Recovery {
    /// Removes what an interrupted restore or creation left. The caller is among the writers of the home, so no restore is at
    /// work, and the database is there, so nobody makes one.
    pub(crate) fn clean(home: &Home) -> Result<Recovery, StoreError> {
        let mut recovery = Recovery::default();
        let drafts = creation::drafts(&home.database());
        for path in drafts.into_iter().chain([home.root().join(backup::DRAFT)]) {
            let removed = whole_file::remove(&path)
                .map_err(|error| StoreError::file(&path, "removed", error))?;
            recovery.removed.extend(removed.then_some(path));
        }
        Ok(recovery)
    }
}

impl Store {
    /// Returns what the opening of this store found and did; of a store that only reads, what it found.
    ///
    /// # Errors
    /// Fails if the chain or the staging area cannot be read.
    pub fn recovery(&self) -> Result<Recovery, StoreError> {
        let snapshot = self.snapshot()?;
        Ok(Recovery {
            uncommitted: uncommitted(&snapshot, self)?,
            view_behind: view::generation_shown(self.layout())?
                .map_or(0, |shown| snapshot.head().generation.saturating_sub(shown)),
            ..self.cleaned().clone()
        })
    }
}

fn uncommitted(snapshot: &Snapshot, store: &Store) -> Result<Vec<(RunId, TurnId)>, StoreError> {
    let staging = store.staging();
    let mut found = Vec::new();
    for run_id in run::all(snapshot.access())? {
        let promoted = ledger::last_turn(snapshot.access(), &run_id)?;
        for turn_id in staging.turns(&run_id)? {
            if promoted.is_none_or(|promoted| turn_id > promoted)
                && staging.is_whole(&run_id, turn_id)
            {
                found.push((run_id.clone(), turn_id));
            }
        }
    }
    Ok(found)
}
