//! Undo and redo: a new turn of an operator run with the old content. The chain never moves back.

mod error;
mod lineage;
mod plan;

use orket_cards::{Author, RunState, TurnName, TurnSnapshot};
use orket_kernel::StateView;

use crate::error::RunError;
use crate::operator::{
    Desk, Judged, OperatorEnd, OperatorTurn, OperatorWork, PromotedTurn, bring_forward, execute,
    make_turn, rehearse,
};

pub use error::UndoError;
pub(crate) use lineage::Turns;
pub use plan::{RestoredStem, UndoPlan};

/// What to put back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Backwards {
    /// The newest turn that stands: its stems get what they had before it.
    UndoNewest,
    /// Every stem that the run of this turn changed after it gets what it had right after it.
    UndoAfter(TurnName),
    /// The newest undo that stands: its stems get what they had before it.
    Redo,
}

/// What was put back, and the turn that did it.
#[derive(Clone, Debug)]
pub struct Undone {
    /// What was put back.
    pub plan: UndoPlan,
    /// The turn.
    pub turn: PromotedTurn,
}

/// Puts stems back, in one new turn.
///
/// # Errors
/// Says why not, and names what is in the way; nothing was changed then. A run that another process is writing is busy.
pub fn put_back(desk: &Desk<'_>, author: &Author, what: &Backwards) -> Result<Undone, UndoError> {
    bring_forward(desk)?;
    let subject = {
        let snapshot = desk.store.snapshot().map_err(RunError::from)?;
        let plan = plan::make(snapshot.as_ref(), what)?;
        let run = snapshot.run(&plan.subject).map_err(RunError::from)?;
        run.filter(|run| run.state == RunState::Open)
            .map(|run| run.run_id)
    };
    // Nobody may take the next turn of the run on a state that is just being put back.
    let lease = subject.map(|run_id| desk.store.lease(&run_id));
    let _lease = lease.transpose().map_err(RunError::from)?;
    let mut planned = None;
    let work = OperatorWork::without_tools(author.clone());
    let end = make_turn(desk, &work, &mut |turn| {
        let plan = plan::make(turn.snapshot, what)?;
        let judged = judge(turn, author, &plan)?;
        planned = Some(plan);
        Ok::<_, UndoError>(judged)
    })?;
    match (end, planned) {
        (OperatorEnd::Promoted(turn), Some(plan)) => Ok(Undone { plan, turn }),
        (OperatorEnd::Refused { record }, _) => Err(UndoError::Refused {
            reasons: record.refusals,
        }),
        (OperatorEnd::Promoted(_), None) => Err(crate::error::bug("an undo has no plan").into()),
    }
}

/// Says what [`put_back`] would do, and does nothing.
///
/// # Errors
/// As [`put_back`], except that a busy run and what somebody changed in `agent_output/` are not looked at.
pub fn plan_back(
    snapshot: &dyn TurnSnapshot,
    author: &Author,
    what: &Backwards,
) -> Result<UndoPlan, UndoError> {
    let work = OperatorWork::without_tools(author.clone());
    let plan = plan::make(snapshot, what)?;
    let judged = rehearse(snapshot, &work, &mut |turn| judge(turn, author, &plan))?;
    let execution = judged
        .execution
        .filter(|execution| execution.staged.is_none());
    let Some(execution) = execution else {
        return Ok(plan);
    };
    let issues = execution.result.issues.iter();
    let failures = issues.filter(|issue| issue.is_failure());
    Err(UndoError::Refused {
        reasons: failures.map(orket_kernel::event::format).collect(),
    })
}

fn judge(turn: &OperatorTurn<'_>, author: &Author, plan: &UndoPlan) -> Result<Judged, UndoError> {
    let view: &dyn StateView = turn.snapshot.state();
    if let Some(found) = plan.draft.in_the_way(view).map_err(RunError::from)? {
        return Err(UndoError::InTheWay {
            path: found.path,
            known: found.known,
        });
    }
    let execution = execute(
        turn.envelope,
        turn.handle,
        author,
        &plan.action,
        &plan.draft.documents,
        turn.turn_id,
        view,
    )?;
    Ok(Judged {
        record: turn.record(plan.action.clone()),
        execution: Some(execution),
        refusals: Vec::new(),
    })
}
