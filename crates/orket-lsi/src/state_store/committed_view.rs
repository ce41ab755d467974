//! What is committed, as the port reads it: where the store and its runs stand, records and trace artifacts.

use orket_kernel::{CommittedView, Digest, RunId, RunStanding, Standing, StoreFailure, TurnId};

use crate::access::Access;
use crate::committed::Committed;
use crate::content::{self, Content};
use crate::promotion::PromotionRow;
use crate::{Snapshot, StoreError, finish, ledger, promotion, run, trace_artifact};

impl CommittedView for Committed<'_> {
    fn standing(&self) -> Result<Standing, StoreFailure> {
        Ok(Standing {
            generation: self.head().generation,
            state_digest: self.head().state_digest,
        })
    }

    fn run(&self, run_id: &RunId) -> Result<Option<RunStanding>, StoreFailure> {
        Ok(run_standing(self.access(), run_id)?)
    }

    fn turn_record(
        &self,
        run_id: &RunId,
        turn_id: TurnId,
    ) -> Result<Option<Vec<u8>>, StoreFailure> {
        let Some(row) = promoted(self.access(), run_id, turn_id)? else {
            return Ok(None);
        };
        let bytes = content::read_kept(self.access(), Content::Record, &row.record_digest)?;
        Ok(Some(bytes))
    }

    fn state_digest_after(
        &self,
        run_id: &RunId,
        turn_id: TurnId,
    ) -> Result<Option<Digest>, StoreFailure> {
        let row = promoted(self.access(), run_id, turn_id)?;
        Ok(row.map(|row| row.state_digest))
    }

    fn trace_artifact(&self, run_id: &RunId, name: &str) -> Result<Option<Vec<u8>>, StoreFailure> {
        Ok(trace_artifact::read(self.access(), run_id, name)?)
    }
}

impl CommittedView for Snapshot {
    fn standing(&self) -> Result<Standing, StoreFailure> {
        self.committed().standing()
    }

    fn run(&self, run_id: &RunId) -> Result<Option<RunStanding>, StoreFailure> {
        self.committed().run(run_id)
    }

    fn turn_record(
        &self,
        run_id: &RunId,
        turn_id: TurnId,
    ) -> Result<Option<Vec<u8>>, StoreFailure> {
        self.committed().turn_record(run_id, turn_id)
    }

    fn state_digest_after(
        &self,
        run_id: &RunId,
        turn_id: TurnId,
    ) -> Result<Option<Digest>, StoreFailure> {
        self.committed().state_digest_after(run_id, turn_id)
    }

    fn trace_artifact(&self, run_id: &RunId, name: &str) -> Result<Option<Vec<u8>>, StoreFailure> {
        self.committed().trace_artifact(run_id, name)
    }
}

fn run_standing(access: Access<'_>, run_id: &RunId) -> Result<Option<RunStanding>, StoreError> {
    let last_turn = ledger::last_turn(access, run_id)?;
    let finished = finish::outcome(access, run_id)?;
    match run::envelope(access, run_id)? {
        Some(envelope) => Ok(Some(RunStanding {
            envelope,
            last_turn,
            finished,
        })),
        None if last_turn.is_none() && finished.is_none() => Ok(None),
        None => Err(StoreError::corrupt(
            format!("runs {run_id}"),
            "it is missing, and other rows name it",
        )),
    }
}

/// Returns the promotion of a turn; `None` if it was not promoted.
fn promoted(
    access: Access<'_>,
    run_id: &RunId,
    turn_id: TurnId,
) -> Result<Option<PromotionRow>, StoreError> {
    let found = promotion::of_turn(access, run_id, turn_id)?;
    if found.is_none() && Some(turn_id) <= ledger::last_turn(access, run_id)? {
        let place = format!("promotions {run_id} {turn_id}");
        let reason = "it is missing, and a later turn of the run is there";
        return Err(StoreError::corrupt(place, reason));
    }
    Ok(found)
}
