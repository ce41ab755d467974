//! `execute_turn` and `stage_deletions` of an open run.

use super::Run;
use crate::execute::execute_with;
use crate::issue::{KernelIssue, Stage};
use crate::kernel::unknown_run;
use crate::{
    Code, CommittedView, KernelError, Layered, Outcome, Pointer, RunEnvelope, RunHandle,
    StagedTurn, StagingArea, StateStore, Stem, StoreFailure, TurnExecution, TurnId, TurnInput,
    TurnTrace, object,
};

impl<S: StateStore> Run<'_, S> {
    /// `execute_turn`: executes one turn over what is committed and staged, and stages it if it passes.
    ///
    /// The turn must be the next one of the run, or the newest staged one, which is then tried again. Earlier staged turns
    /// of the run are visible to it (Spec-002 §4). Committed state does not change.
    ///
    /// # Errors
    /// Fails if the medium does, or if what is staged or committed of the run is damaged. What is wrong with the turn itself
    /// is an issue of its result.
    pub fn execute_turn(&mut self, input: &TurnInput) -> Result<TurnExecution, KernelError> {
        execute(
            &self.envelope,
            &self.handle,
            input,
            &self.store.committed()?,
            &self.store.staging(),
        )
    }

    /// `stage_deletions`: executes a turn that deletes `stems` and does nothing else (Law 6).
    ///
    /// # Errors
    /// As [`Run::execute_turn`].
    pub fn stage_deletions(
        &mut self,
        turn_id: TurnId,
        stems: Vec<Stem>,
    ) -> Result<TurnExecution, KernelError> {
        self.execute_turn(&TurnInput {
            deletions: stems,
            ..TurnInput::empty(turn_id)
        })
    }
}

/// Law 1: all that a turn is given of the store is a view that cannot write and an area that cannot promote.
fn execute(
    envelope: &RunEnvelope,
    handle: &RunHandle,
    input: &TurnInput,
    committed: &impl CommittedView,
    staging: &impl StagingArea,
) -> Result<TurnExecution, KernelError> {
    let run_id = &handle.run_id;
    let standing = committed.run(run_id)?.ok_or_else(|| unknown_run(run_id))?;
    let open = staging.staged(run_id)?.into_iter().map(|(turn, _)| turn);
    let open = after(standing.last_turn, open.collect())?;
    let newest = open.last().map(|turn| turn.turn_id);
    let next = newest
        .or(standing.last_turn)
        .map_or(TurnId::FIRST, TurnId::next);
    let refusal = refusal(input.turn_id, next, newest, standing.finished);
    let earlier = open.partition_point(|turn| turn.turn_id < input.turn_id);
    let view = Layered::new(committed, open.get(..earlier).unwrap_or_default());
    let execution = execute_with(envelope, handle, input, &view, refusal);
    if let Some(staged) = &execution.staged {
        let trace = TurnTrace::new(handle, input, &execution);
        let bytes = trace.to_bytes().map_err(|error| StoreFailure::Corrupt {
            place: format!("the trace of {}", input.turn_id),
            reason: error.to_string(),
        })?;
        staging.stage(staged, &bytes)?;
    }
    Ok(execution)
}

/// Returns the staged turns that are not promoted yet; they follow the last promoted one without a gap.
pub(super) fn after(
    last: Option<TurnId>,
    staged: Vec<StagedTurn>,
) -> Result<Vec<StagedTurn>, StoreFailure> {
    let mut expected = last.map_or(TurnId::FIRST, TurnId::next);
    let mut open = Vec::new();
    // A turn that was promoted may still lie there: the process ended before it was cleared away.
    for turn in staged.into_iter().filter(|turn| Some(turn.turn_id) > last) {
        if turn.turn_id != expected {
            return Err(StoreFailure::Corrupt {
                place: format!("the staging area of the run {}", turn.run_id),
                reason: format!("{} is staged where {expected} should be", turn.turn_id),
            });
        }
        expected = expected.next();
        open.push(turn);
    }
    Ok(open)
}

/// Says why this turn may not be executed now, if it may not (Law 2).
fn refusal(
    turn_id: TurnId,
    next: TurnId,
    newest: Option<TurnId>,
    finished: Option<Outcome>,
) -> Option<KernelIssue> {
    let (place, reason, message) = if let Some(outcome) = finished {
        let message = format!("the run was finished with {outcome}");
        (Pointer::root(), "run_finished", message)
    } else if turn_id != next && Some(turn_id) != newest {
        let message = format!("the run goes on with {next}, not with {turn_id}");
        (Pointer::root().key("turn_id"), "turn_order", message)
    } else {
        return None;
    };
    let details = object! { "reason" => reason, "next" => next.to_string() };
    let code = Code::BaseShapeInvalid;
    Some(KernelIssue::new(
        Stage::BaseShape,
        code,
        place,
        message,
        details,
    ))
}
