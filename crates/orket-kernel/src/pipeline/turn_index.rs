//! What one turn proposes, found by stem and by id.

use std::collections::{BTreeMap, BTreeSet};

use crate::canonical::Value;
use crate::{Stem, Triplet};

/// The triplets and deletions of a turn by stem and by id, so that a check over all of them takes O(n log n).
pub(crate) struct TurnIndex<'a> {
    by_stem: BTreeMap<&'a Stem, &'a Triplet>,
    /// The first triplet that defines the id, with its place among the triplets.
    by_id: BTreeMap<&'a str, (usize, &'a Triplet)>,
    deleted: BTreeSet<&'a Stem>,
}

impl<'a> TurnIndex<'a> {
    pub(crate) fn new(triplets: &'a [Triplet], deletions: &'a [Stem]) -> TurnIndex<'a> {
        let mut index = TurnIndex {
            by_stem: BTreeMap::new(),
            by_id: BTreeMap::new(),
            deleted: deletions.iter().collect(),
        };
        for (position, triplet) in triplets.iter().enumerate() {
            index.by_stem.entry(&triplet.stem).or_insert(triplet);
            index
                .by_id
                .entry(body_id(&triplet.body))
                .or_insert((position, triplet));
        }
        index
    }

    /// Returns the first triplet of the turn that defines `id`, with its place.
    pub(super) fn defining(&self, id: &str) -> Option<(usize, &'a Triplet)> {
        self.by_id.get(id).copied()
    }

    /// Returns the triplet that stages `stem`.
    pub(super) fn staging(&self, stem: &Stem) -> Option<&'a Triplet> {
        self.by_stem.get(stem).copied()
    }

    /// Tells whether the turn deletes `stem`; it may stage it again all the same.
    pub(super) fn deletes(&self, stem: &Stem) -> bool {
        self.deleted.contains(stem)
    }

    /// Tells whether the turn stages or deletes `stem`.
    pub(super) fn touches(&self, stem: &Stem) -> bool {
        self.by_stem.contains_key(stem) || self.deletes(stem)
    }
}

/// Returns the id that a body defines; empty if it defines none.
pub(super) fn body_id(body: &Value) -> &str {
    body.get("id").and_then(Value::as_str).unwrap_or_default()
}
