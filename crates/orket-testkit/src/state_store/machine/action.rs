//! What can happen next.

use std::collections::BTreeSet;

use orket_kernel::Finish;
use proptest::prelude::*;

use super::model::{Card, Change, NAMES};

/// The number of runs that go on at once.
pub(super) const SLOTS: usize = 2;

/// One step of a history. Runs are named by their slot.
#[derive(Clone, Debug)]
pub(super) enum Action {
    /// Executes a turn: the next one, or the newest staged one again.
    Execute {
        slot: usize,
        change: Change,
        again: bool,
    },
    /// Promotes the turn that comes next, or one that lies so far beyond it.
    Promote { slot: usize, beyond: u64 },
    /// Ends the run; the slot then gets a new one.
    Finish { slot: usize, finish: Finish },
    /// Takes a snapshot that is looked at to the end.
    Snapshot,
}

pub(super) fn actions() -> impl Strategy<Value = Vec<Action>> {
    prop::collection::vec(action(), 12..40)
}

pub(super) fn action() -> impl Strategy<Value = Action> {
    let finish = prop_oneof![
        3 => Just(Finish::Commit),
        1 => Just(Finish::Leave),
        1 => Just(Finish::Discard),
    ];
    let slot = || 0..SLOTS;
    prop_oneof![
        10 => (slot(), change(), prop::bool::weighted(0.15))
            .prop_map(|(slot, change, again)| Action::Execute { slot, change, again }),
        9 => (slot(), prop_oneof![9 => Just(0_u64), 1 => 1_u64..3])
            .prop_map(|(slot, beyond)| Action::Promote { slot, beyond }),
        2 => (slot(), finish).prop_map(|(slot, finish)| Action::Finish { slot, finish }),
        1 => Just(Action::Snapshot),
    ]
}

fn change() -> impl Strategy<Value = Change> {
    let name = || 0..NAMES.len();
    let needs = prop::collection::btree_set(name(), 0..2);
    let puts = prop::collection::btree_map(name(), (0_u8..2, needs), 0..4);
    let deletions = prop::collection::btree_set(name(), 0..2);
    (puts, deletions, prop::bool::weighted(0.3)).prop_map(|(puts, deletions, deletes)| {
        let puts = puts.into_iter().map(|(name, (title, mut needs))| {
            needs.remove(&name);
            (name, Card { title, needs })
        });
        let puts: std::collections::BTreeMap<usize, Card> = puts.collect();
        // What one turn both puts and deletes has a law of its own.
        let deletions: BTreeSet<usize> = deletions
            .into_iter()
            .filter(|name| deletes && !puts.contains_key(name))
            .collect();
        Change { puts, deletions }
    })
}
