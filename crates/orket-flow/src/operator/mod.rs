//! The operator run: what a person does is one turn of a run of its own, with its author in the chain.
//!
//! [`operate`] makes any such turn; [`change`] makes one out of [`Effects`]. The run begins, takes its turn and ends in one
//! transaction, so there is no operator run that is half done.

mod adopt;
mod change;
pub(crate) mod draft;
mod effects;
mod proposal;
mod tool;

use orket_cards::{
    Author, Cause, FailedAttempt, OPERATOR_ROLE, OPERATOR_WORK, OperatorAction, StoreFault,
    TURN_RECORD_VERSION, Tokens, TurnCommit, TurnRecord, TurnSnapshot, TurnStore,
};
use orket_kernel::canonical::Value;
use orket_kernel::capability::Policy;
use orket_kernel::{
    Digest, Layered, Profile, RunEnvelope, RunHandle, RunId, TurnExecution, TurnId, object,
    plan_promotion,
};
use orket_ports::{Clock, Workspace};

use crate::error::{RunError, bug};
use crate::narrative::Narrator;
use crate::observation;
use crate::output::OutputChange;
use crate::projection;
use crate::promote::project;

pub use adopt::adopt;
pub use change::{ChangeError, change};
pub use effects::{CardEffect, Effects, FileEffect};
pub(crate) use proposal::{Documents, OperatorProposalError, execute};
pub(crate) use tool::recorded;
pub use tool::{PersonalCall, call_tool};

/// How often a turn is computed anew because another one was promoted meanwhile.
const TRIES: usize = 16;

/// The adapters that an operator's turn is made on.
#[derive(Clone, Copy)]
pub struct Desk<'a> {
    /// Index, board and journal.
    pub store: &'a dyn TurnStore,
    /// The files of the project.
    pub workspace: &'a dyn Workspace,
    /// The clock, for people.
    pub clock: &'a dyn Clock,
}

/// Who acts, and what the envelope of the run fixes.
#[derive(Clone, Debug)]
pub struct OperatorWork {
    /// Who.
    pub author: Author,
    /// What the turn may call.
    pub policy: Policy,
    /// The model profile; `none` where there is no venue.
    pub model_profile: String,
    /// What else a replay needs, as canonical JSON; the author is added.
    pub host: Value,
}

impl OperatorWork {
    /// Returns work that calls no tool.
    pub fn without_tools(author: Author) -> OperatorWork {
        OperatorWork {
            author,
            policy: Policy::deny_all(),
            model_profile: "none".into(),
            host: object! {},
        }
    }
}

/// What an operator's turn is computed on.
pub struct OperatorTurn<'a> {
    /// The envelope of the run.
    pub envelope: &'a RunEnvelope,
    /// Its handle.
    pub handle: &'a RunHandle,
    /// The turn; the only one of its run.
    pub turn_id: TurnId,
    /// The state that it is computed on.
    pub snapshot: &'a dyn TurnSnapshot,
    author: &'a Author,
}

impl OperatorTurn<'_> {
    /// Returns the record of a turn on no card that did this.
    pub fn record(&self, action: OperatorAction) -> TurnRecord {
        TurnRecord {
            version: TURN_RECORD_VERSION.into(),
            run_id: self.envelope.run_id.to_string(),
            turn_id: self.turn_id,
            attempt: 1,
            card: None,
            role: OPERATOR_ROLE.into(),
            step: action.as_str().into(),
            cause: Cause::Operator {
                author: self.author.clone(),
                action,
            },
            exchanges: Vec::new(),
            judged: false,
            said: String::new(),
            calls: Vec::new(),
            decisions: Vec::new(),
            outcomes: Vec::new(),
            reads: Value::Null,
            result: None,
            refusals: Vec::new(),
            tokens: Tokens::default(),
            notes: Value::Null,
        }
    }
}

/// What a turn came to before it is committed.
#[derive(Clone, Debug)]
pub struct Judged {
    /// The record; decisions, reads and result are taken from the execution.
    pub record: TurnRecord,
    /// What the kernel said; `None` if the turn did not have the form to be judged. Without staged effects it is refused.
    pub execution: Option<TurnExecution>,
    /// Why it is refused, one sentence each; what the kernel said is added if nothing is given.
    pub refusals: Vec<String>,
}

/// What became of an operator's turn.
#[derive(Clone, Debug)]
pub enum OperatorEnd {
    /// It is committed.
    Promoted(PromotedTurn),
    /// It was refused. The state did not move; the attempt is kept as a failed run.
    Refused {
        /// The record of the attempt, with its refusals.
        record: TurnRecord,
    },
}

/// A turn that was committed.
#[derive(Clone, Debug)]
pub struct PromotedTurn {
    /// Its record.
    pub record: TurnRecord,
    /// The run.
    pub run_id: RunId,
    /// The generation that it made.
    pub generation: u64,
    /// The state digest before it.
    pub before: Digest,
    /// The state digest after it.
    pub after: Digest,
    /// The files that it wrote, below `agent_output/`.
    pub written: Vec<String>,
    /// The files that it removed, below `agent_output/`.
    pub removed: Vec<String>,
}

/// Makes one turn of a new operator run: brings the projections forward, lets `judge` compute the turn, and commits it whole or
/// keeps the refusal. If another turn is promoted meanwhile, `judge` is asked again on the new state.
///
/// # Errors
/// What `judge` says, and why the project could not be read or written; the state did not move then. After the commit only the
/// projections can fail, which the next command brings forward.
pub fn operate<E: From<RunError>>(
    desk: &Desk<'_>,
    work: &OperatorWork,
    judge: &mut dyn FnMut(&OperatorTurn<'_>) -> Result<Judged, E>,
) -> Result<OperatorEnd, E> {
    bring_forward(desk)?;
    make_turn(desk, work, judge)
}

/// Brings `agent_output/` and what operator runs show up to the newest generation.
///
/// # Errors
/// Names files of `agent_output/` that someone else changed; they are never overwritten.
pub(crate) fn bring_forward(desk: &Desk<'_>) -> Result<(), RunError> {
    projection::bring_forward(desk.store, desk.workspace, OPERATOR_WORK)
}

/// Computes a turn as [`operate`] would, and commits nothing.
///
/// # Errors
/// What `judge` says, and why the state could not be read.
pub(crate) fn rehearse<E: From<RunError>>(
    snapshot: &dyn TurnSnapshot,
    work: &OperatorWork,
    judge: &mut dyn FnMut(&OperatorTurn<'_>) -> Result<Judged, E>,
) -> Result<Judged, E> {
    let envelope = envelope(snapshot, work)?;
    let handle = envelope.handle().map_err(RunError::from)?;
    judge(&OperatorTurn {
        envelope: &envelope,
        handle: &handle,
        turn_id: TurnId::FIRST,
        snapshot,
        author: &work.author,
    })
}

/// As [`operate`], over projections as they are.
pub(crate) fn make_turn<E: From<RunError>>(
    desk: &Desk<'_>,
    work: &OperatorWork,
    judge: &mut dyn FnMut(&OperatorTurn<'_>) -> Result<Judged, E>,
) -> Result<OperatorEnd, E> {
    let mut tries = 1;
    loop {
        let snapshot = desk.store.snapshot().map_err(RunError::from)?;
        let envelope = envelope(snapshot.as_ref(), work)?;
        let handle = envelope.handle().map_err(RunError::from)?;
        let judged = judge(&OperatorTurn {
            envelope: &envelope,
            handle: &handle,
            turn_id: TurnId::FIRST,
            snapshot: snapshot.as_ref(),
            author: &work.author,
        })?;
        match finish(desk, snapshot.as_ref(), &envelope, judged) {
            Err(RunError::Store(StoreFault::Conflict { .. })) if tries < TRIES => tries += 1,
            ended => return Ok(ended?),
        }
    }
}

fn envelope(snapshot: &dyn TurnSnapshot, work: &OperatorWork) -> Result<RunEnvelope, RunError> {
    let mut number = snapshot.runs(Some(OPERATOR_WORK))?.len() + 1;
    let run_id = loop {
        let run_id = RunId::parse(&format!("{OPERATOR_WORK}-{number}"))?;
        if snapshot.run(&run_id)?.is_none() {
            break run_id;
        }
        number += 1;
    };
    let mut host = work.host.as_object().cloned().unwrap_or_default();
    host.insert("author".into(), work.author.as_str().into());
    Ok(RunEnvelope::new(
        run_id,
        OPERATOR_WORK,
        work.model_profile.clone(),
        work.policy.clone(),
        Profile::orket(),
        Value::Object(host),
    ))
}

fn finish(
    desk: &Desk<'_>,
    snapshot: &dyn TurnSnapshot,
    envelope: &RunEnvelope,
    judged: Judged,
) -> Result<OperatorEnd, RunError> {
    let Judged {
        mut record,
        execution,
        refusals,
    } = judged;
    let narrator = Narrator {
        run_id: envelope.run_id.clone(),
        clock: desk.clock,
    };
    let mut staged = None;
    if let Some(execution) = execution {
        record.reads = execution.reads.to_value();
        record.decisions = execution.decisions;
        record.result = Some(execution.result);
        staged = execution.staged;
    }
    let Some(staged) = staged.filter(|_| refusals.is_empty()) else {
        record.refusals = if refusals.is_empty() {
            kernel_refusals(&record)
        } else {
            refusals
        };
        return keep_refusal(desk, envelope, &narrator, record);
    };
    let layer = std::slice::from_ref(&staged);
    let after = Layered::new(snapshot.state(), layer);
    let output = OutputChange::of(&staged, &after)?;
    // What someone else wrote must be known before the turn is promoted, not after.
    output.check(desk.workspace, snapshot.state())?;
    let written: Vec<String> = output
        .written
        .iter()
        .map(|file| file.path.clone())
        .collect();
    let removed: Vec<String> = output.removed.iter().cloned().collect();
    let (plan, _) = plan_promotion(&staged, snapshot.state())?;
    let events = vec![
        narrator.operator(&record),
        narrator.turn_complete(&record, "-", "-", &written, &output.removed),
        narrator.step_end(&record, "promoted"),
    ];
    let commit = TurnCommit {
        base_generation: snapshot.generation(),
        fence: 0,
        plan,
        record,
        evidence: Vec::new(),
        events,
    };
    let committed = desk.store.commit_run(envelope, OPERATOR_WORK, &commit)?;
    let output = output.committed(desk.store)?;
    project(
        desk.store,
        desk.workspace,
        snapshot,
        &commit,
        &output,
        &committed,
    )?;
    Ok(OperatorEnd::Promoted(PromotedTurn {
        record: commit.record,
        run_id: envelope.run_id.clone(),
        generation: committed.generation,
        before: snapshot.state_digest(),
        after: committed.state_digest,
        written,
        removed,
    }))
}

fn keep_refusal(
    desk: &Desk<'_>,
    envelope: &RunEnvelope,
    narrator: &Narrator<'_>,
    record: TurnRecord,
) -> Result<OperatorEnd, RunError> {
    let failed = FailedAttempt {
        fence: 0,
        events: vec![
            narrator.operator(&record),
            narrator.turn_failed(&record),
            narrator.step_end(&record, "refused"),
        ],
        record,
        evidence: Vec::new(),
    };
    let kept = desk
        .store
        .keep_failed_run(envelope, OPERATOR_WORK, &failed)?;
    let _lock = desk.store.lock_output()?;
    projection::append_log(desk.workspace, &kept)?;
    observation::write(desk.workspace, &failed.record, &|_| Ok(None))?;
    Ok(OperatorEnd::Refused {
        record: failed.record,
    })
}

fn kernel_refusals(record: &TurnRecord) -> Vec<String> {
    let issues = record.result.iter().flat_map(|result| &result.issues);
    let failures = issues.filter(|issue| issue.is_failure());
    let mut reasons: Vec<String> = failures.map(orket_kernel::event::format).collect();
    if reasons.is_empty() {
        reasons.push(bug("a turn without effects has no reason").to_string());
    }
    reasons
}
