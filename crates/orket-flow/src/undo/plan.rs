//! What an undo or a redo puts back, as data: computed from the chain, before anything is done.

use std::collections::{BTreeMap, BTreeSet};

use orket_cards::{OperatorAction, StoreFault, TurnName, TurnSnapshot, Undone};
use orket_kernel::{Digest, ReadError, RunId, StateView, Stem, TripletRecord};

use super::lineage::{Kind, Line, generation_of, lines_after, lines_to};
use super::{Backwards, UndoError};
use crate::error::RunError;
use crate::operator::draft::Draft;

/// What is put back.
#[derive(Clone, Debug)]
pub struct UndoPlan {
    /// The run whose work it is about.
    pub subject: RunId,
    /// What was undone, or the undo that is taken back.
    pub about: TurnName,
    /// The stems that change, sorted.
    pub stems: Vec<RestoredStem>,
    pub(super) action: OperatorAction,
    pub(super) draft: Draft,
}

/// One stem that is put back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RestoredStem {
    /// The stem.
    pub stem: Stem,
    /// Whether it is there now.
    pub was_there: bool,
    /// Whether it is there afterwards.
    pub is_there: bool,
}

/// Finds out what to put back.
pub(super) fn make(snapshot: &dyn TurnSnapshot, what: &Backwards) -> Result<UndoPlan, UndoError> {
    match what {
        Backwards::UndoNewest => undo_newest(snapshot),
        Backwards::UndoAfter(turn) => undo_after(snapshot, turn),
        Backwards::Redo => redo(snapshot),
    }
}

fn undo_newest(snapshot: &dyn TurnSnapshot) -> Result<UndoPlan, UndoError> {
    let horizon = snapshot.horizon()?;
    let lines = lines_to(snapshot, |line| {
        // A turn that changed nothing is passed over; of one below the horizon that is not known any more.
        let is_known = line.generation > horizon;
        let changed = || snapshot.changed(line.generation - 1, line.generation);
        Ok(matches!(line.kind, Kind::Ordinary) && !(is_known && changed()?.is_empty()))
    })?;
    let Some((newest, later)) = lines.split_last() else {
        return Err(UndoError::NothingToUndo);
    };
    alone(snapshot, newest, later, |changes| {
        let undone = Undone::Turn(newest.name.clone());
        OperatorAction::Undo { undone, changes }
    })
}

fn redo(snapshot: &dyn TurnSnapshot) -> Result<UndoPlan, UndoError> {
    let lines = lines_to(snapshot, |line| Ok(matches!(line.kind, Kind::Undo(_))))?;
    let Some((newest, later)) = lines.split_last() else {
        return Err(UndoError::NothingToRedo);
    };
    alone(snapshot, newest, later, |changes| OperatorAction::Redo {
        undo: newest.name.clone(),
        subject: newest.subject.clone(),
        changes,
    })
}

/// Takes one turn back: its stems get what they had before it, unless something else is in them by now.
fn alone(
    snapshot: &dyn TurnSnapshot,
    line: &Line,
    later: &[Line],
    action: impl FnOnce(orket_cards::Changes) -> OperatorAction,
) -> Result<UndoPlan, UndoError> {
    let before = line.generation - 1;
    let (past, made) = (
        snapshot.state_at(before)?,
        snapshot.state_at(line.generation)?,
    );
    let stems = snapshot.changed(before, line.generation)?;
    let mut changed_since = Vec::new();
    for stem in &stems {
        if content(snapshot.state(), stem)? != content(made.as_ref(), stem)? {
            changed_since.push((stem.clone(), changer(snapshot, later, stem, &line.name)?));
        }
    }
    if !changed_since.is_empty() {
        return Err(UndoError::ChangedSince {
            stems: changed_since,
            hint: "undo the later turn first, or set it right by hand",
        });
    }
    put_together(snapshot, past.as_ref(), &stems, line, action)
}

fn undo_after(snapshot: &dyn TurnSnapshot, turn: &TurnName) -> Result<UndoPlan, UndoError> {
    let base = generation_of(snapshot, turn)?;
    let past = snapshot.state_at(base)?;
    let lines = lines_after(snapshot, base)?;
    let mut own = BTreeSet::new();
    let mut others: BTreeMap<Stem, TurnName> = BTreeMap::new();
    for line in &lines {
        let stems = snapshot.changed(line.generation - 1, line.generation)?;
        if line.subject == turn.run_id {
            own.extend(stems);
        } else if line.stands && matches!(line.kind, Kind::Ordinary) {
            // The newest comes first.
            for stem in stems {
                others.entry(stem).or_insert_with(|| line.name.clone());
            }
        }
    }
    let mut changed_since = Vec::new();
    for stem in &own {
        if let Some(other) = others.get(stem)
            && content(snapshot.state(), stem)? != content(past.as_ref(), stem)?
        {
            changed_since.push((stem.clone(), other.clone()));
        }
    }
    if !changed_since.is_empty() {
        return Err(UndoError::ChangedSince {
            stems: changed_since,
            hint: "another run has worked on it; undo that first, or set it right by hand",
        });
    }
    let line = Line {
        generation: base,
        name: turn.clone(),
        subject: turn.run_id.clone(),
        kind: Kind::Ordinary,
        stands: true,
    };
    let stems: Vec<Stem> = own.into_iter().collect();
    put_together(snapshot, past.as_ref(), &stems, &line, |changes| {
        let undone = Undone::After(turn.clone());
        OperatorAction::Undo { undone, changes }
    })
}

/// Puts the draft together: every stem that differs gets what it had.
fn put_together(
    snapshot: &dyn TurnSnapshot,
    past: &dyn StateView,
    stems: &[Stem],
    line: &Line,
    action: impl FnOnce(orket_cards::Changes) -> OperatorAction,
) -> Result<UndoPlan, UndoError> {
    let state = snapshot.state();
    let mut draft = Draft::default();
    let mut restored = Vec::new();
    for stem in stems {
        let (now, then) = (state.triplet(stem)?, past.triplet(stem)?);
        if digests(now.as_ref()) == digests(then.as_ref()) {
            continue;
        }
        restored.push(RestoredStem {
            stem: stem.clone(),
            was_there: now.is_some(),
            is_there: then.is_some(),
        });
        match then {
            None => draft.delete(stem.clone()),
            Some(record) => {
                if !draft.put_back(&record, past)? {
                    let what = format!("not retained: the content that {stem} had");
                    return Err(RunError::from(StoreFault::NotRetained { what }).into());
                }
            }
        }
    }
    if draft.is_empty() {
        return Err(UndoError::AsItWas {
            turn: line.name.clone(),
        });
    }
    Ok(UndoPlan {
        subject: line.subject.clone(),
        about: line.name.clone(),
        stems: restored,
        action: action(draft.changes()),
        draft,
    })
}

/// Returns the newest of the later turns that changed a stem.
fn changer(
    snapshot: &dyn TurnSnapshot,
    later: &[Line],
    stem: &Stem,
    otherwise: &TurnName,
) -> Result<TurnName, UndoError> {
    for line in later {
        let stems = snapshot.changed(line.generation - 1, line.generation)?;
        if stems.binary_search(stem).is_ok() {
            return Ok(line.name.clone());
        }
    }
    Ok(otherwise.clone())
}

fn content(view: &dyn StateView, stem: &Stem) -> Result<Option<[Digest; 3]>, ReadError> {
    Ok(digests(view.triplet(stem)?.as_ref()))
}

fn digests(record: Option<&TripletRecord>) -> Option<[Digest; 3]> {
    record.map(|record| {
        [
            record.body_digest,
            record.links_digest,
            record.manifest_digest,
        ]
    })
}
