//! What the chain of promotions comes to: which turns stand, and which were taken back.

use std::collections::{BTreeMap, BTreeSet};

use orket_cards::{
    Cause, OPERATOR_ROLE, OperatorAction, Promotion, StoreFault, TurnName, TurnRow, TurnSnapshot,
    Undone,
};
use orket_kernel::RunId;

use crate::error::{RunError, bug};

/// One promoted turn, as far as undoing goes.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    pub(crate) generation: u64,
    pub(crate) name: TurnName,
    /// The run whose work the turn changed: its own, and for an undo or a redo that of the turns it was about.
    pub(crate) subject: RunId,
    pub(crate) kind: Kind,
    /// Whether it was not taken back. An undo that was redone does not stand.
    pub(crate) stands: bool,
}

/// What a turn did.
#[derive(Clone, Debug)]
pub(crate) enum Kind {
    /// Work.
    Ordinary,
    /// Took turns back.
    Undo(Undone),
    /// Took an undo back.
    Redo(TurnName),
}

/// Reads the rows of turns by generation, one run at a time.
pub(crate) struct Turns<'a> {
    snapshot: &'a dyn TurnSnapshot,
    rows: BTreeMap<RunId, BTreeMap<u64, TurnRow>>,
}

impl<'a> Turns<'a> {
    pub(crate) fn new(snapshot: &'a dyn TurnSnapshot) -> Turns<'a> {
        let rows = BTreeMap::new();
        Turns { snapshot, rows }
    }

    /// Returns the promotion that made a generation, and the journal's row of its turn.
    pub(crate) fn at(&mut self, generation: u64) -> Result<(Promotion, TurnRow), RunError> {
        let promotion = self.snapshot.promotion(generation)?;
        let promotion = promotion.ok_or_else(|| absent(generation))?;
        let run_id = &promotion.run_id;
        if !self.rows.contains_key(run_id) {
            let turns = self.snapshot.turns(run_id)?.into_iter();
            let turns = turns.map(|turn| (turn.generation, turn)).collect();
            self.rows.insert(run_id.clone(), turns);
        }
        let row = self.rows.get(run_id).and_then(|rows| rows.get(&generation));
        let row = row.cloned().ok_or_else(|| absent(generation))?;
        Ok((promotion, row))
    }

    fn line(&mut self, generation: u64) -> Result<Line, RunError> {
        let (promotion, row) = self.at(generation)?;
        let mut line = Line {
            generation,
            subject: promotion.run_id.clone(),
            name: TurnName {
                run_id: promotion.run_id,
                turn_id: promotion.turn_id,
            },
            kind: Kind::Ordinary,
            stands: true,
        };
        // A role of a Band may have this name; the record tells.
        if row.role != OPERATOR_ROLE {
            return Ok(line);
        }
        let record = self.snapshot.turn_record(&row.record_digest)?;
        if let Cause::Operator { action, .. } = record.cause {
            match action {
                OperatorAction::Undo { undone, .. } => {
                    line.subject = undone.turn().run_id.clone();
                    line.kind = Kind::Undo(undone);
                }
                OperatorAction::Redo { undo, subject, .. } => {
                    line.subject = subject;
                    line.kind = Kind::Redo(undo);
                }
                OperatorAction::Change(_) | OperatorAction::Adopt(_) | OperatorAction::Tool => {}
            }
        }
        Ok(line)
    }
}

fn absent(generation: u64) -> RunError {
    bug(&format!("generation {generation} has no promotion"))
}

/// Returns the generation that a turn made.
///
/// # Errors
/// Says that there is no such run, or that it has no such turn.
pub(crate) fn generation_of(
    snapshot: &dyn TurnSnapshot,
    name: &TurnName,
) -> Result<u64, StoreFault> {
    let row = snapshot.turns(&name.run_id)?;
    let row = row.iter().find(|row| row.turn_id == name.turn_id);
    row.map(|row| row.generation).ok_or_else(|| {
        let reason = format!("{name} is no promoted turn; `orket op log` lists them");
        StoreFault::Absent { reason }
    })
}

/// Returns the turns after a generation, newest first.
pub(crate) fn lines_after(snapshot: &dyn TurnSnapshot, after: u64) -> Result<Vec<Line>, RunError> {
    let mut walk = Walk::new(snapshot);
    while walk.generation > after {
        walk.step()?;
    }
    Ok(walk.lines)
}

/// Returns the turns down to the newest one that stands and that `is_wanted`, newest first; nothing if there is none.
pub(crate) fn lines_to(
    snapshot: &dyn TurnSnapshot,
    is_wanted: impl Fn(&Line) -> Result<bool, RunError>,
) -> Result<Vec<Line>, RunError> {
    let mut walk = Walk::new(snapshot);
    while walk.generation > 0 {
        walk.step()?;
        // What a turn is depends on later turns alone.
        if let Some(line) = walk.lines.last()
            && line.stands
            && is_wanted(line)?
        {
            return Ok(walk.lines);
        }
    }
    Ok(Vec::new())
}

/// A walk down the chain. Whether a turn stands is known when all later ones were seen.
struct Walk<'a> {
    turns: Turns<'a>,
    /// The next generation to look at.
    generation: u64,
    lines: Vec<Line>,
    taken_back: BTreeSet<u64>,
    /// What standing undos took back: everything of a run after a generation.
    covered: Vec<(RunId, u64)>,
}

impl<'a> Walk<'a> {
    fn new(snapshot: &'a dyn TurnSnapshot) -> Walk<'a> {
        Walk {
            turns: Turns::new(snapshot),
            generation: snapshot.generation(),
            lines: Vec::new(),
            taken_back: BTreeSet::new(),
            covered: Vec::new(),
        }
    }

    fn step(&mut self) -> Result<(), RunError> {
        let mut line = self.turns.line(self.generation)?;
        let is_covered =
            |(run, after): &(RunId, u64)| *run == line.subject && line.generation > *after;
        line.stands =
            !self.taken_back.contains(&line.generation) && !self.covered.iter().any(is_covered);
        if line.stands {
            match &line.kind {
                Kind::Ordinary => {}
                Kind::Undo(Undone::Turn(turn)) | Kind::Redo(turn) => {
                    let generation = generation_of(self.turns.snapshot, turn)?;
                    self.taken_back.insert(generation);
                }
                Kind::Undo(Undone::After(turn)) => {
                    let generation = generation_of(self.turns.snapshot, turn)?;
                    self.covered.push((line.subject.clone(), generation));
                }
            }
        }
        self.lines.push(line);
        self.generation -= 1;
        Ok(())
    }
}
