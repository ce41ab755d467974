//! Promoting a turn: the one commit, and the projections behind it.

use orket_cards::{
    Card, Cause, Committed, StoreFault, TurnCommit, TurnRecord, TurnSnapshot, TurnStore,
};
use orket_kernel::{
    Digest, Layered, RecordingView, StateView, TurnExecution, TurnId, TurnInput, execute_turn,
    plan_promotion,
};
use orket_ports::Workspace;

use crate::attempt::AttemptEnd;
use crate::error::{RunError, bug};
use crate::observation;
use crate::orchestrator::Session;
use crate::output::OutputChange;
use crate::projection;
use crate::proposal::ProposalError;

/// What a promotion needs beside record and execution.
pub(crate) struct Promoted {
    pub(crate) from: String,
    pub(crate) to: String,
    pub(crate) written: Vec<String>,
    pub(crate) evidence: Vec<Vec<u8>>,
}

impl Session<'_> {
    /// Promotes a turn of the engine's own: loading the epic, or giving a card up.
    pub(crate) fn engine_turn(
        &mut self,
        snapshot: &dyn TurnSnapshot,
        turn_id: TurnId,
        card: Option<&Card>,
        cause: Cause,
        propose: &dyn Fn(&dyn StateView) -> Result<TurnInput, ProposalError>,
    ) -> Result<AttemptEnd, RunError> {
        let view = RecordingView::new(snapshot.state());
        let mut input = propose(&view)?;
        input.reads = view.reads();
        let execution = execute_turn(&self.envelope, &self.handle, &input, &view);
        if execution.staged.is_none() {
            let issues: Vec<String> = execution
                .result
                .issues
                .iter()
                .map(|issue| issue.message.clone())
                .collect();
            return Err(bug(&format!(
                "the engine's own turn was refused: {}",
                issues.join("; ")
            )));
        }
        let step = if cause == Cause::Load {
            "load"
        } else {
            "give_up"
        };
        let record = TurnRecord {
            card: card.map(|card| card.id.clone()),
            role: "engine".into(),
            step: step.into(),
            cause,
            ..self.blank_record(turn_id, 1)
        };
        let promoted = Promoted {
            from: card.map_or("-".into(), |card| card.status.to_string()),
            to: if card.is_some() {
                "blocked".into()
            } else {
                "-".into()
            },
            written: Vec::new(),
            evidence: Vec::new(),
        };
        self.promote(snapshot, record, execution, promoted)
    }

    /// Promotes what passed: one commit, then the projections, then the events.
    pub(crate) fn promote(
        &mut self,
        snapshot: &dyn TurnSnapshot,
        mut record: TurnRecord,
        execution: TurnExecution,
        promoted: Promoted,
    ) -> Result<AttemptEnd, RunError> {
        let staged = execution
            .staged
            .ok_or_else(|| bug("a turn passed without effects"))?;
        let layer = std::slice::from_ref(&staged);
        let after = Layered::new(snapshot.state(), layer);
        let output = OutputChange::of(&staged, &after)?;
        // What someone else wrote must be known before the turn is promoted, not after.
        output.check(self.stage.workspace, snapshot.state())?;
        self.stage.store.stage_turn(&staged)?;
        let (plan, _) = plan_promotion(&staged, snapshot.state())?;
        record.reads = execution.reads.to_value();
        record.decisions = execution.decisions;
        record.result = Some(execution.result);
        let events = vec![
            self.narrator.turn_complete(
                &record,
                &promoted.from,
                &promoted.to,
                &promoted.written,
                &output.removed,
            ),
            self.narrator.step_end(&record, "promoted"),
        ];
        let commit = TurnCommit {
            base_generation: snapshot.generation(),
            fence: self.lease.fence(),
            plan,
            record,
            evidence: promoted.evidence,
            events,
        };
        let committed = match self.stage.store.commit(&commit) {
            Ok(committed) => committed,
            Err(StoreFault::Conflict { .. }) => return Ok(AttemptEnd::Conflict),
            Err(fault) => return Err(fault.into()),
        };
        let output = output.committed(self.stage.store)?;
        project(
            self.stage.store,
            self.stage.workspace,
            snapshot,
            &commit,
            &output,
            &committed,
        )?;
        for event in &committed.events {
            self.sink.emit(event);
        }
        Ok(AttemptEnd::Promoted)
    }
}

/// Brings the projections up to a commit.
pub(crate) fn project(
    store: &dyn TurnStore,
    workspace: &dyn Workspace,
    before: &dyn TurnSnapshot,
    commit: &TurnCommit,
    output: &OutputChange,
    committed: &Committed,
) -> Result<(), RunError> {
    let lock = store.lock_output()?;
    projection::append_log(workspace, &committed.events)?;
    let load = |digest: &Digest| {
        let found = commit
            .evidence
            .iter()
            .find(|bytes| Digest::of_bytes(bytes) == *digest);
        Ok(found.cloned())
    };
    observation::write(workspace, &commit.record, &load)?;
    store.discard_staging(&commit.plan.run_id, commit.plan.turn_id)?;
    output.apply(store, workspace, before.state(), committed.generation)?;
    drop(lock);
    Ok(store.project_view()?)
}
