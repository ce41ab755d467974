//! The model: what the state of runs should be, told with maps and none of the kernel's own code but its record types.

use std::collections::{BTreeMap, BTreeSet};

use orket_kernel::{
    Digest, LSI_VERSION, Outcome, RefSource, Triplet, TripletRecord, TurnId, canonical, state,
};

use super::super::world::{card, stem};

/// The names of all cards there can be.
pub(super) const NAMES: [&str; 5] = ["A", "B", "C", "D", "E"];

/// A card: its title and the cards that it depends on, by their place in [`NAMES`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Card {
    pub(super) title: u8,
    pub(super) needs: BTreeSet<usize>,
}

impl Card {
    pub(super) fn triplet(&self, name: usize) -> Triplet {
        let needs: Vec<&str> = self.needs.iter().map(|needed| NAMES[*needed]).collect();
        card(NAMES[name], &needs, &self.title.to_string())
    }
}

/// All cards, each with the turn that put it last.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Board(pub(super) BTreeMap<usize, (Card, TurnId)>);

/// What a turn changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Change {
    pub(super) puts: BTreeMap<usize, Card>,
    pub(super) deletions: BTreeSet<usize>,
}

impl Board {
    /// Tells whether a change may be made here: everything deleted is there, what it puts needs only what is there
    /// afterwards, and nobody needs what it takes away. A card that it does not touch may lack what it needs: one that was
    /// staged before another run took that away.
    pub(super) fn admits(&self, change: &Change) -> bool {
        let mut after = self.clone();
        after.apply(change, TurnId::FIRST);
        let mut needed = change.puts.values().flat_map(|card| &card.needs);
        let mut taken = change
            .deletions
            .iter()
            .filter(|name| !after.0.contains_key(*name));
        change
            .deletions
            .iter()
            .all(|name| self.0.contains_key(name))
            && needed.all(|name| after.0.contains_key(name))
            && taken.all(|name| !after.0.values().any(|(card, _)| card.needs.contains(name)))
    }

    pub(super) fn apply(&mut self, change: &Change, turn_id: TurnId) {
        for name in &change.deletions {
            self.0.remove(name);
        }
        for (name, card) in &change.puts {
            let is_same = self.0.get(name).is_some_and(|(before, _)| before == card);
            if !is_same {
                self.0.insert(*name, (card.clone(), turn_id));
            }
        }
    }

    /// Tells whether two boards have the same cards, whichever turns put them.
    pub(super) fn agrees(&self, other: &Board) -> bool {
        let cards = |board: &Board| -> Vec<(usize, Card)> {
            let cards = board.0.iter();
            cards
                .map(|(name, (card, _))| (*name, card.clone()))
                .collect()
        };
        cards(self) == cards(other)
    }

    /// Tells whether a change surely read something that is different on another board: what it puts or deletes itself,
    /// whether a card is there that it newly needs, and who needs a card that it deletes.
    pub(super) fn differs_for(&self, other: &Board, change: &Change) -> bool {
        let card = |board: &Board, name: &usize| board.0.get(name).map(|(card, _)| card.clone());
        let needed = change.puts.values().flat_map(|card| &card.needs);
        let needed: Vec<&usize> = needed.filter(|it| !change.puts.contains_key(it)).collect();
        let own = change.puts.keys().chain(&change.deletions);
        own.into_iter()
            .any(|name| card(self, name) != card(other, name))
            || needed
                .into_iter()
                .any(|name| self.0.contains_key(name) != other.0.contains_key(name))
            || change
                .deletions
                .iter()
                .any(|name| self.sources(*name) != other.sources(*name))
    }

    pub(super) fn record(&self, name: usize) -> Option<TripletRecord> {
        let (card, turn_id) = self.0.get(&name)?;
        let triplet = card.triplet(name);
        let digest = |value| Digest::of_bytes(&canonical::to_bytes(value));
        Some(TripletRecord {
            stem: triplet.stem,
            body_digest: digest(&triplet.body),
            links_digest: digest(&triplet.links),
            manifest_digest: digest(&triplet.manifest),
            updated_at_turn: *turn_id,
            lsi_version: LSI_VERSION.to_owned(),
        })
    }

    /// Returns the sources of a card's id. Names are sorted, and so are the sources.
    pub(super) fn sources(&self, name: usize) -> Vec<RefSource> {
        let mut sources = Vec::new();
        for (referrer, (card, _)) in &self.0 {
            if let Some(place) = card.needs.iter().position(|needed| *needed == name) {
                sources.push(RefSource {
                    stem: stem(NAMES[*referrer]),
                    location: format!("/links/depends_on/{place}"),
                    relationship: "depends_on".to_owned(),
                    artifact_digest: Digest::of_bytes(&canonical::to_bytes(
                        &card.triplet(*referrer).links,
                    )),
                });
            }
        }
        sources
    }

    pub(super) fn digest(&self) -> Digest {
        let names = || self.0.keys().copied();
        let records = names().filter_map(|name| self.record(name));
        let mut triplets: Vec<_> = records
            .map(|record| state::triplet_entry(&record))
            .collect();
        let entry = |name: usize| {
            let id = format!("card/{}", NAMES[name]);
            let sources = state::source_root(&self.sources(name));
            state::ref_entry(&id, Some(&stem(NAMES[name])), &sources)
        };
        let mut refs: Vec<_> = names().filter_map(entry).collect();
        state::digest(&state::root(&mut triplets), &state::root(&mut refs))
    }
}

/// A turn that passed and waits.
#[derive(Clone, Debug)]
pub(super) struct Staged {
    pub(super) turn_id: TurnId,
    pub(super) change: Change,
    /// What it was executed over.
    pub(super) seen: Board,
    /// How many turns of other runs were promoted by then.
    pub(super) foreign: u64,
}

/// A run that was started.
#[derive(Clone, Debug)]
pub(super) struct Run {
    pub(super) name: String,
    pub(super) retains: bool,
    pub(super) promoted: u64,
    pub(super) finished: Option<Outcome>,
    pub(super) staged: Vec<Staged>,
}

/// The whole store.
#[derive(Clone, Debug, Default)]
pub(super) struct Model {
    pub(super) board: Board,
    pub(super) generation: u64,
    /// All runs that were ever started.
    pub(super) runs: Vec<Run>,
}

/// What must become of a promotion.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Expected {
    Promoted,
    Refused,
    /// Something changed that the turn need not have read.
    Either,
}

impl Model {
    /// A collection removes what runs that have ended left in the staging area.
    pub(super) fn collected(&mut self) {
        let ended = self.runs.iter_mut().filter(|run| run.finished.is_some());
        ended.for_each(|run| run.staged.clear());
    }

    pub(super) fn foreign(&self, run: usize) -> u64 {
        self.generation - self.runs[run].promoted
    }

    /// Says what must become of a staged turn that comes next, over a board.
    pub(super) fn expected(&self, run: usize, staged: &Staged, board: &Board) -> Expected {
        if staged.foreign == self.foreign(run) {
            Expected::Promoted
        } else if staged.seen.differs_for(board, &staged.change) {
            Expected::Refused
        } else {
            Expected::Either
        }
    }
}
