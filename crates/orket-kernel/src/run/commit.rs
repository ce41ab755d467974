//! `commit_turn` of an open run: the promotion of a staged turn, judged once more over the state that it meets.

use super::Run;
use crate::issue::Stage;
use crate::kernel::unknown_run;
use crate::{
    Code, CommittedView, KernelError, Pointer, PromotionReport, RunEnvelope, RunHandle, StagedTurn,
    StagingArea, StateStore, StateView, StoreTransaction, TurnId, TurnTrace, compare_results,
    event, execute_turn, plan_promotion,
};

impl<S: StateStore> Run<'_, S> {
    /// Promotes a staged turn, whole or not at all. It must be the next one of the run (Law 2).
    ///
    /// The turn is judged once more over the state as it is now: if another run has meanwhile changed anything that it
    /// read, it is refused, and has to be executed again.
    ///
    /// # Errors
    /// Refuses with `E_LSI_PROMOTION_FAILED`; nothing was changed then.
    pub fn commit_turn(&mut self, turn_id: TurnId) -> Result<PromotionReport, KernelError> {
        let staging = self.store.staging();
        let staged = staging.staged(&self.handle.run_id)?;
        let mut transaction = self.store.begin()?;
        let open = unpromoted(&transaction, &self.handle, staged)?;
        let Some((staged, record)) = open.into_iter().find(|(turn, _)| turn.turn_id == turn_id)
        else {
            return Err(promotion_failed(
                turn_id,
                "not_staged",
                format!("{turn_id} is not staged, or was promoted before"),
            ));
        };
        let report = promote(
            &mut transaction,
            &self.envelope,
            &self.handle,
            &staged,
            &record,
        )?;
        transaction.commit()?;
        // The promotion is durable, and what lies below the ledger is passed over: clearing it away may fail.
        let _ = staging.discard(&self.handle.run_id, turn_id);
        Ok(report)
    }
}

/// Returns the staged turns that are not promoted yet, in order. A run that is finished has none.
pub(super) fn unpromoted(
    transaction: &impl StoreTransaction,
    handle: &RunHandle,
    staged: Vec<(StagedTurn, Vec<u8>)>,
) -> Result<Vec<(StagedTurn, Vec<u8>)>, KernelError> {
    let run_id = &handle.run_id;
    let standing = transaction
        .state()?
        .run(run_id)?
        .ok_or_else(|| unknown_run(run_id))?;
    if let Some(outcome) = standing.finished {
        return Err(KernelError::refused(
            Stage::Determinism,
            Code::LsiPromotionFailed,
            Pointer::root(),
            "run_finished",
            format!("the run was finished with {outcome}"),
        ));
    }
    let open = staged
        .into_iter()
        .filter(|(turn, _)| Some(turn.turn_id) > standing.last_turn);
    Ok(open.collect())
}

/// Promotes one staged turn inside a transaction.
pub(super) fn promote(
    transaction: &mut impl StoreTransaction,
    envelope: &RunEnvelope,
    handle: &RunHandle,
    staged: &StagedTurn,
    record: &[u8],
) -> Result<PromotionReport, KernelError> {
    let turn_id = staged.turn_id;
    let (plan, mut issues) = {
        let state = transaction.state()?;
        let last = state.run(&handle.run_id)?.and_then(|run| run.last_turn);
        let expected = last.map_or(TurnId::FIRST, TurnId::next);
        if turn_id != expected {
            return Err(promotion_failed(
                turn_id,
                "turn_order",
                format!("the run goes on with {expected}, not with {turn_id}"),
            ));
        }
        let staged = judge_again(envelope, handle, staged, record, &state)?;
        plan_promotion(&staged, &state)?
    };
    let standing = transaction.promote(&plan, record)?;
    crate::issue::sort(&mut issues);
    Ok(PromotionReport {
        contract_version: crate::CONTRACT_VERSION.to_owned(),
        run_id: handle.run_id.clone(),
        turn_id,
        generation: standing.generation,
        state_digest: standing.state_digest,
        events: issues.iter().map(event::format).collect(),
        issues,
    })
}

/// Executes the turn of a trace over the state that it is to be promoted into. Only the very turn that passed may come out.
fn judge_again(
    envelope: &RunEnvelope,
    handle: &RunHandle,
    staged: &StagedTurn,
    record: &[u8],
    state: &impl StateView,
) -> Result<StagedTurn, KernelError> {
    let turn_id = staged.turn_id;
    let damaged = |reason: String| {
        KernelError::from(crate::StoreFailure::Corrupt {
            place: format!("the staged {turn_id} of the run {}", handle.run_id),
            reason,
        })
    };
    let trace = TurnTrace::parse(record).map_err(|error| damaged(error.to_string()))?;
    if trace.run_handle != *handle || trace.turn_input.turn_id != turn_id {
        return Err(damaged("its record is that of another turn".to_owned()));
    }
    if let Some(fact) = trace.reads.first_change(state)? {
        return Err(promotion_failed(
            turn_id,
            "stale",
            format!("{turn_id} read {fact}, which has changed since; execute the turn again"),
        ));
    }
    let execution = execute_turn(envelope, handle, &trace.input(&staged.objects), state);
    if let Some(first) = compare_results(&trace.result, &execution.result).first() {
        return Err(damaged(format!(
            "it differs from its record at {}",
            first.location
        )));
    }
    execution
        .staged
        .ok_or_else(|| damaged("its record is that of a failed turn".to_owned()))
}

fn promotion_failed(turn_id: TurnId, reason: &str, message: String) -> KernelError {
    KernelError::refused(
        Stage::Determinism,
        Code::LsiPromotionFailed,
        Pointer::root().key("turns").key(&turn_id.to_string()),
        reason,
        message,
    )
}
