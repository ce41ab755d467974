//! Reading what a run came to, for the kernel to compare.

use orket_cards::TurnSnapshot;
use orket_kernel::{RecordedRun, RunId, TurnResult};

use crate::replay::{ReplayError, corrupt, promoted_turns, recorded_result};

/// Reads the results of a run. What is empty or malformed is a failure: it is never equal to anything.
///
/// # Errors
/// Says what is missing or malformed.
pub fn recorded_run(
    snapshot: &dyn TurnSnapshot,
    run_id: &RunId,
) -> Result<RecordedRun, ReplayError> {
    let (_, rows) = promoted_turns(snapshot, run_id)?;
    let last = rows.last().ok_or_else(|| ReplayError::NoTurns {
        run: run_id.clone(),
    })?;
    let turns: Vec<TurnResult> = rows
        .iter()
        .map(|row| Ok(recorded_result(snapshot, run_id, row)?.1))
        .collect::<Result<_, ReplayError>>()?;
    RecordedRun::new(turns, last.state_digest)
        .map_err(|error| corrupt(&format!("the run {run_id}: {error}")))
}
