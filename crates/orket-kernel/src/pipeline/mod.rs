//! The fixed pipeline of five stages. All stages run unless the first failed (kernel decision 3).

mod base_shape;
mod determinism;
mod dto_links;
mod policy;
mod rel_vocab;

use crate::canonical::Value;
use crate::capability::Decision;
use crate::issue::KernelIssue;
use crate::{Code, Pointer, ReadError, RunEnvelope, Stage, StateView, TurnInput, event};

/// What every stage is given.
pub(crate) struct Turn<'a> {
    pub(crate) envelope: &'a RunEnvelope,
    pub(crate) input: &'a TurnInput,
    pub(crate) decisions: &'a [Decision],
    pub(crate) view: &'a dyn StateView,
}

/// Runs the stages in order and returns everything they found.
pub(crate) fn run(turn: &Turn<'_>) -> Vec<KernelIssue> {
    let mut issues = base_shape::check(turn);
    if issues.iter().any(KernelIssue::is_failure) {
        return issues;
    }
    issues.extend(dto_links::check(turn));
    issues.extend(rel_vocab::check(turn));
    issues.extend(policy::check(turn));
    issues.extend(determinism::check(turn));
    issues
}

/// One reference inside a links object.
pub(crate) struct Reference<'a> {
    pub(crate) slot: &'a str,
    pub(crate) location: Pointer,
    pub(crate) dto_type: &'a str,
    pub(crate) id: &'a str,
    pub(crate) relationship: &'a str,
}

/// Lists the references of a links object that passed the base shape; the location starts at `/links`.
pub(crate) fn references(links: &Value) -> Vec<Reference<'_>> {
    let mut references = Vec::new();
    let Some(slots) = links.as_object() else {
        return references;
    };
    for (slot, held) in slots {
        let place = Pointer::root().key("links").key(slot);
        let items: Vec<(Pointer, &Value)> = match held.as_array() {
            Some(items) => items
                .iter()
                .enumerate()
                .map(|(i, item)| (place.index(i), item))
                .collect(),
            None => vec![(place, held)],
        };
        for (location, item) in items {
            let text = |key| item.get(key).and_then(Value::as_str).unwrap_or_default();
            references.push(Reference {
                slot,
                location,
                dto_type: text("type"),
                id: text("id"),
                relationship: text("relationship"),
            });
        }
    }
    references
}

/// Returns the pointer to a triplet of the input.
pub(crate) fn triplet_pointer(index: usize) -> Pointer {
    Pointer::root().key("triplets").index(index)
}

/// Returns the pointer to a place inside the links of a triplet of the input.
pub(crate) fn link_pointer(triplet: usize, reference: &Reference<'_>) -> Pointer {
    let base = triplet_pointer(triplet);
    Pointer::parse(&format!("{base}{}", reference.location)).unwrap_or(base)
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
