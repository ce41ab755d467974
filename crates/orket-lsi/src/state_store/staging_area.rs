//! The staging area, as the port writes and reads it: turns together with their records.

use orket_kernel::{RunId, StagedTurn, StagingArea, StoreFailure, TurnId};

use crate::Staging;

impl StagingArea for Staging {
    fn stage(&self, turn: &StagedTurn, record: &[u8]) -> Result<(), StoreFailure> {
        Ok(self.stage_with_record(turn, record)?)
    }

    fn staged(&self, run_id: &RunId) -> Result<Vec<(StagedTurn, Vec<u8>)>, StoreFailure> {
        let mut staged = Vec::new();
        for turn_id in self.turns(run_id)? {
            // A turn that has only evidence there, or was not staged whole, is not staged.
            staged.extend(self.staged_with_record(run_id, turn_id)?);
        }
        Ok(staged)
    }

    fn discard(&self, run_id: &RunId, turn_id: TurnId) -> Result<(), StoreFailure> {
        Ok(Staging::discard(self, run_id, turn_id)?)
    }
}
