//! The fixed pipeline of five stages. All stages run unless the first failed (kernel decision 3).
//!
//! | Stage | Files |
//! |---|---|
//! | `base_shape` | `size`, `base_shape` |
//! | `dto_links` | `dto_links` (slots and containers), `link_integrity` (visibility, identity, deletions) |
//! | `rel_vocab` | `rel_vocab` |
//! | `policy` | `policy` (capability), `raw_ids` |
//! | `determinism` | `determinism` |

mod base_shape;
mod determinism;
mod dto_links;
mod link_integrity;
pub(crate) mod policy;
mod raw_ids;
mod reference;
mod rel_vocab;
mod size;
mod turn_index;

use crate::canonical::Value;
use crate::capability::Decision;
use crate::issue::KernelIssue;
use crate::profile::LabelRule;
use crate::{
    Code, Pointer, Profile, ReadError, RunEnvelope, Stage, StateView, Triplet, TurnInput, event,
};

pub(crate) use reference::references;
use turn_index::TurnIndex;

/// What every stage is given.
pub(crate) struct Turn<'a> {
    pub(crate) envelope: &'a RunEnvelope,
    pub(crate) input: &'a TurnInput,
    pub(crate) decisions: &'a [Decision],
    pub(crate) view: &'a dyn StateView,
}

impl Turn<'_> {
    /// Lists the triplets, each with its place in the input.
    fn triplets(&self) -> impl Iterator<Item = (Pointer, &Triplet)> {
        let place = Pointer::root().key("triplets");
        let triplets = self.input.triplets.iter().enumerate();
        triplets.map(move |(index, triplet)| (place.index(index), triplet))
    }
}

/// Runs the stages in order and returns everything they found.
pub(crate) fn run(turn: &Turn<'_>) -> Vec<KernelIssue> {
    // A turn that is too large is not looked at any further.
    let mut issues = size::check(turn.input);
    if !has_failure(&issues) {
        base_shape::check(turn, &mut issues);
    }
    if has_failure(&issues) {
        return issues;
    }
    let profile = &turn.envelope.profile;
    for (place, triplet) in turn.triplets() {
        dto_links::check(profile, &place, triplet, &mut issues);
        rel_vocab::check(profile, &place, triplet, &mut issues);
        raw_ids::check(profile, &place, triplet, &mut issues);
        determinism::check(profile, &place, triplet, &mut issues);
    }
    link_integrity::check_turn(turn, &mut issues);
    issues.extend(policy::check(turn));
    issues
}

/// Runs what the stages ask of one triplet by itself; places begin at the triplet.
pub(crate) fn run_triplet(profile: &Profile, triplet: &Triplet) -> Vec<KernelIssue> {
    let mut issues = Vec::new();
    let place = Pointer::root();
    size::check_links(&place, triplet, &mut issues);
    if !has_failure(&issues) {
        base_shape::check_triplet(profile.references().label, &place, triplet, &mut issues);
    }
    if has_failure(&issues) {
        return issues;
    }
    dto_links::check(profile, &place, triplet, &mut issues);
    rel_vocab::check(profile, &place, triplet, &mut issues);
    raw_ids::check(profile, &place, triplet, &mut issues);
    determinism::check(profile, &place, triplet, &mut issues);
    issues
}

/// Looks up what the links of one triplet name; places begin at the triplet.
pub(crate) fn run_links(triplet: &Triplet, view: &dyn StateView) -> Vec<KernelIssue> {
    let mut issues = Vec::new();
    let place = Pointer::root();
    size::check_links(&place, triplet, &mut issues);
    if !has_failure(&issues) {
        // Without a profile there is nothing that could demand a label.
        base_shape::check_links(LabelRule::Optional, &place, triplet, &mut issues);
    }
    if has_failure(&issues) {
        return issues;
    }
    let index = TurnIndex::new(std::slice::from_ref(triplet), &[]);
    link_integrity::check_visibility(&index, view, &place, triplet, &mut issues);
    issues
}

fn has_failure(issues: &[KernelIssue]) -> bool {
    issues.iter().any(KernelIssue::is_failure)
}

/// Turns a failed read into an issue: an unreadable state is a failure, never an absence.
pub(crate) fn unreadable(location: Pointer, error: &ReadError) -> KernelIssue {
    KernelIssue::new(
        Stage::BaseShape,
        Code::LsiCorruptRecord,
        location,
        error.to_string(),
        event::details([("reason", Value::from("unreadable_state"))]),
    )
}
