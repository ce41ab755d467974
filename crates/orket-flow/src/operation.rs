//! The operation log: one entry per promoted turn, out of the chain of promotions. It is no truth of its own.

use orket_cards::{
    CardId, Cause, OPERATOR_ROLE, OPERATOR_WORK, OperatorAction, StoreFault, TurnName, TurnRecord,
    TurnSnapshot,
};
use orket_kernel::canonical::Value;
use orket_kernel::{Digest, Stem, state};

use crate::error::RunError;
use crate::undo::Turns;

/// One operation that changed the state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operation {
    /// The generation that it made.
    pub generation: u64,
    /// The turn.
    pub turn: TurnName,
    /// What kind of operation it was: `turn`, `engine`, `import`, `change`, `adopt`, `undo`, `redo` or `tool`.
    pub kind: &'static str,
    /// The role that acted.
    pub role: String,
    /// The person who acted, if it was one.
    pub author: Option<String>,
    /// The card, if the turn was on one.
    pub card: Option<CardId>,
    /// The Score step, or what the engine or the person did.
    pub step: String,
    /// For an undo the turn that it was about, for a redo the undo.
    pub about: Option<TurnName>,
    /// The stems that it changed, sorted; `None` if that is not retained.
    pub stems: Option<Vec<Stem>>,
    /// The state digest before it.
    pub before: Digest,
    /// The state digest after it.
    pub after: Digest,
}

/// Returns the newest operations, newest first.
///
/// # Errors
/// Fails if the chain or a record cannot be read or is damaged.
///
/// # Limitations
/// Of a run whose records retention dropped, an undo does not tell what it was about, and the stems are only told of
/// generations above the horizon.
pub fn operations(snapshot: &dyn TurnSnapshot, limit: usize) -> Result<Vec<Operation>, RunError> {
    let mut turns = Turns::new(snapshot);
    let horizon = snapshot.horizon()?;
    let mut operations = Vec::new();
    let mut generation = snapshot.generation();
    while generation > 0 && operations.len() < limit {
        operations.push(operation(snapshot, &mut turns, generation, horizon)?);
        generation -= 1;
    }
    Ok(operations)
}

fn operation(
    snapshot: &dyn TurnSnapshot,
    turns: &mut Turns<'_>,
    generation: u64,
    horizon: u64,
) -> Result<Operation, RunError> {
    let (promotion, row) = turns.at(generation)?;
    let record = match snapshot.turn_record(&row.record_digest) {
        Ok(record) => Some(record),
        Err(StoreFault::NotRetained { .. }) => None,
        Err(fault) => return Err(fault.into()),
    };
    let run = snapshot.run(&promotion.run_id)?;
    let author = run.filter(|run| run.epic == OPERATOR_WORK).and_then(|run| {
        let author = run.envelope.host.get("author").and_then(Value::as_str);
        author.map(str::to_owned)
    });
    let before = match generation {
        1 => state::digest(&state::root(&mut []), &state::root(&mut [])),
        _ => turns.at(generation - 1)?.0.state_digest,
    };
    let stems = match generation > horizon {
        true => Some(snapshot.changed(generation - 1, generation)?),
        false => None,
    };
    Ok(Operation {
        generation,
        kind: kind(record.as_ref(), &row.role, &row.step),
        about: record.as_ref().and_then(about),
        turn: TurnName {
            run_id: promotion.run_id,
            turn_id: promotion.turn_id,
        },
        role: row.role,
        author,
        card: row.card,
        step: row.step,
        stems,
        before,
        after: promotion.state_digest,
    })
}

/// Tells the kind by the record, and without one by what the journal holds.
fn kind(record: Option<&TurnRecord>, role: &str, step: &str) -> &'static str {
    const OF_PERSONS: [&str; 5] = ["change", "adopt", "undo", "redo", "tool"];
    match record.map(|record| &record.cause) {
        Some(Cause::Answer) => "turn",
        Some(Cause::Load | Cause::GiveUp { .. }) => "engine",
        Some(Cause::Import { .. }) => "import",
        Some(Cause::Operator { action, .. }) => action.as_str(),
        None if role == "engine" && step == "import" => "import",
        None if role == "engine" => "engine",
        None if role == OPERATOR_ROLE => {
            let known = OF_PERSONS.into_iter().find(|known| *known == step);
            known.unwrap_or("turn")
        }
        None => "turn",
    }
}

fn about(record: &TurnRecord) -> Option<TurnName> {
    match &record.cause {
        Cause::Operator { action, .. } => match action {
            OperatorAction::Undo { undone, .. } => Some(undone.turn().clone()),
            OperatorAction::Redo { undo, .. } => Some(undo.clone()),
            OperatorAction::Change(_) | OperatorAction::Adopt(_) | OperatorAction::Tool => None,
        },
        _ => None,
    }
}
