//! What a commit may change of board and artefacts, whatever the model called.

use std::collections::BTreeMap;
use std::sync::Mutex;

use orket_cards::{Card, Cause, StoreFault, TurnCommit, TurnSnapshot, TurnStore};
use orket_kernel::Digest;

use crate::chance::check_done;
use crate::tap::{Moment, Tapped};

/// Section 2.2 of the reference: what a role may make of a status. `canceled` and `archived` are a person's.
const TRANSITIONS: &str = "\
    ready: in_progress
    in_progress: blocked waiting_for_developer ready_for_testing code_review
    blocked: in_progress
    waiting_for_developer: in_progress
    ready_for_testing: code_review in_progress
    code_review: done in_progress ready_for_testing awaiting_guard_review guard_approved guard_rejected guard_requested_changes
    awaiting_guard_review: guard_approved guard_rejected guard_requested_changes done blocked
    guard_requested_changes: in_progress code_review awaiting_guard_review
    guard_rejected: blocked in_progress
    guard_approved: done";

/// What only the guard may set.
const GUARDS: [&str; 4] = [
    "done",
    "guard_approved",
    "guard_rejected",
    "guard_requested_changes",
];

/// Looks at board and artefacts after each commit.
#[derive(Default)]
pub(super) struct Watch(Mutex<World>);

/// What a commit may change.
#[derive(Default)]
struct World {
    cards: BTreeMap<String, Card>,
    /// The artefacts with the digests of what the index says of them.
    artifacts: BTreeMap<String, Digest>,
}

impl World {
    fn of(snapshot: &dyn TurnSnapshot) -> Result<World, StoreFault> {
        let cards = snapshot.cards(None)?.into_iter();
        let stems = snapshot.state().stems("artifact/").unwrap().into_iter();
        Ok(World {
            cards: cards.map(|card| (card.id.to_string(), card)).collect(),
            artifacts: stems
                .map(|stem| {
                    let record = snapshot.state().triplet(&stem).unwrap().unwrap();
                    (stem.name().to_owned(), record.body_digest)
                })
                .collect(),
        })
    }
}

impl Watch {
    pub(super) fn look(
        &self,
        board: &dyn TurnStore,
        tapped: &Tapped<'_>,
    ) -> Result<(), StoreFault> {
        let (Moment::After, Some(commit), false) = (tapped.moment, tapped.commit, tapped.conflict)
        else {
            return Ok(());
        };
        let snapshot = board.snapshot()?;
        let after = World::of(snapshot.as_ref())?;
        let mut before = self.0.lock().unwrap();
        if !before.cards.is_empty() {
            assert!(
                before.cards.keys().eq(after.cards.keys()),
                "a card was made or taken away"
            );
        }
        for (was, is) in before
            .cards
            .values()
            .zip(after.cards.values())
            .filter(|(was, is)| was != is)
        {
            check_change(was, is, commit, snapshot.as_ref());
        }
        for (path, digest) in &after.artifacts {
            if before.artifacts.get(path) != Some(digest) {
                check_written(path, &after, commit);
            }
        }
        assert!(
            before
                .artifacts
                .keys()
                .all(|path| after.artifacts.contains_key(path)),
            "an artefact was taken away"
        );
        *before = after;
        Ok(())
    }
}

/// Checks that a commit may write an artefact: by a role that has the tool, and in no turn of another card.
fn check_written(path: &str, after: &World, commit: &TurnCommit) {
    let record = &commit.record;
    assert_eq!(
        (record.cause.clone(), record.role.as_str()),
        (Cause::Answer, "coder"),
        "{path} was written"
    );
    let promised = |card: &&Card| card.artifacts.iter().any(|promised| promised == path);
    let owner = after.cards.values().find(promised).map(|card| &card.id);
    assert!(
        owner.is_none() || owner == record.card.as_ref(),
        "{path} was written in the turn of another card"
    );
}

/// Checks that a commit may change a card as it did.
fn check_change(was: &Card, is: &Card, commit: &TurnCommit, after: &dyn TurnSnapshot) {
    let record = &commit.record;
    let (from, to) = (was.status.as_str(), is.status.as_str());
    if record.cause != Cause::Answer {
        // The engine blocks what cannot go on, and a person's new run takes it up again.
        assert!(
            from == to || ["blocked", "ready", "in_progress"].contains(&to),
            "{}: {from} to {to} by the engine",
            is.id
        );
        return;
    }
    assert_eq!(
        record.card.as_ref(),
        Some(&is.id),
        "{} was changed in the turn of another card",
        is.id
    );
    let defined = |card: &Card| {
        (
            card.title.clone(),
            card.seat.clone(),
            card.artifacts.clone(),
            card.depends_on.clone(),
            card.verification.clone(),
        )
    };
    assert_eq!(
        defined(was),
        defined(is),
        "{}: what its asset says was changed",
        is.id
    );
    // A step of work takes its card up first.
    let may = |from: &str, to: &str| from == to || allowed(from).contains(&to);
    assert!(
        may(from, to) || (may(from, "in_progress") && may("in_progress", to)),
        "{}: {from} to {to}",
        is.id
    );
    if from != to && GUARDS.contains(&to) {
        assert_eq!(record.role, "integrity_guard", "{}: {from} to {to}", is.id);
    }
    if to == "done" {
        check_done(is, commit, after);
    }
}

fn allowed(from: &str) -> Vec<&'static str> {
    let mut rows = TRANSITIONS
        .lines()
        .filter_map(|line| line.trim().split_once(": "));
    rows.find(|(row, _)| *row == from)
        .map_or_else(Vec::new, |(_, to)| to.split_whitespace().collect())
}
