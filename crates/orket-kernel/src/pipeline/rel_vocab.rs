//! Stage 3: relationship labels are known, fit both of their ends, and stand as often as they may.

use std::collections::BTreeMap;

use super::reference::Reference;
use super::references;
use crate::canonical::Value;
use crate::{Cardinality, Code, KernelIssue, Pointer, Profile, Stage, Triplet, event};

pub(super) fn check(
    profile: &Profile,
    place: &Pointer,
    triplet: &Triplet,
    issues: &mut Vec<KernelIssue>,
) {
    let kind = triplet.stem.kind();
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for reference in references(&triplet.links) {
        let label = reference.relationship();
        *counts.entry(label).or_default() += 1;
        if let Some(reason) = fault(profile, kind, &reference) {
            let message = if label.is_empty() {
                format!("the slot {} needs a label", reference.slot)
            } else {
                format!(
                    "{label} does not join {kind} to {} here",
                    reference.dto_type()
                )
            };
            let details = event::details([
                ("reason", Value::from(reason)),
                ("label", Value::from(label)),
            ]);
            let place = reference.place(place).key("relationship");
            issues.push(issue(place, message, details));
        }
    }
    for (label, count) in counts {
        let relationship = profile.relationship(label);
        if count > 1 && relationship.is_some_and(|it| it.cardinality == Cardinality::One) {
            let details = event::details([
                ("reason", Value::from("cardinality")),
                ("label", Value::from(label)),
                ("count", Value::from(count)),
            ]);
            let message = format!("{label} may stand once in the links, not {count} times");
            issues.push(issue(place.key("links"), message, details));
        }
    }
}

fn fault(profile: &Profile, kind: &str, reference: &Reference<'_>) -> Option<&'static str> {
    let label = reference.relationship();
    let slot = profile
        .dto_type(kind)
        .and_then(|dto_type| dto_type.slots.get(reference.slot));
    let wants = slot.filter(|slot| !slot.labels.is_empty());
    if label.is_empty() {
        return wants.map(|_| "missing_label");
    }
    match profile.relationship(label) {
        None => Some("unknown_label"),
        Some(ends) if !ends.joins(kind, reference.dto_type()) => Some("ends"),
        Some(_) if wants.is_some_and(|slot| !slot.labels.contains(label)) => Some("slot"),
        Some(_) => None,
    }
}

fn issue(location: Pointer, message: String, details: Value) -> KernelIssue {
    KernelIssue::new(
        Stage::RelVocab,
        Code::RelVocabInvalid,
        location,
        message,
        details,
    )
}
