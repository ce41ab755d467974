//! Stage 2: links fit the slots of their type.

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
    let Some(dto_type) = profile.dto_type(kind) else {
        let place = place.key("body").key("dto_type");
        let message = format!("the type {kind} is not in the profile");
        issues.push(issue(place, "unknown_type", &message));
        return;
    };
    for (name, held) in triplet.links.as_object().into_iter().flatten() {
        let place = place.key("links").key(name);
        match dto_type.slots.get(name) {
            None => {
                let message = format!("{kind} has no slot {name}");
                issues.push(issue(place, "unknown_slot", &message));
            }
            Some(slot) => {
                let is_array = held.as_array().is_some();
                if is_array != (slot.cardinality == Cardinality::Many) {
                    let message = "the slot does not hold this container";
                    issues.push(issue(place, "container", message));
                }
            }
        }
    }
    for reference in references(&triplet.links) {
        let slot = dto_type.slots.get(reference.slot);
        if slot.is_some_and(|slot| !slot.targets.contains(reference.dto_type())) {
            let place = reference.place(place).key("type");
            issues.push(issue(place, "type", "the slot holds another type"));
        }
    }
}

pub(super) fn issue(location: Pointer, reason: &str, message: &str) -> KernelIssue {
    let details = event::details([("reason", Value::from(reason))]);
    KernelIssue::new(
        Stage::DtoLinks,
        Code::DtoLinksInvalid,
        location,
        message,
        details,
    )
}
