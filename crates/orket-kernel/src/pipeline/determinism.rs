//! Stage 5: what a manifest declares to be a set may be one, and is written in one order.

use std::collections::BTreeSet;

use crate::canonical::{self, Value};
use crate::{Code, KernelIssue, Pointer, Profile, Stage, Triplet, event};

pub(super) fn check(
    profile: &Profile,
    place: &Pointer,
    triplet: &Triplet,
    issues: &mut Vec<KernelIssue>,
) {
    let rules = profile.determinism();
    let place = place.key("manifest");
    let mut is_declared = false;
    // An array that is declared again was judged already, however often a manifest repeats itself.
    let mut judged = BTreeSet::new();
    for pointer in &rules.declared_at {
        let Some(declared) = triplet.manifest.pointer(pointer) else {
            continue;
        };
        is_declared = true;
        let place = place.join(pointer);
        let Some(names) = declared.as_array() else {
            let message = "the order-insensitive links must be an array of texts";
            issues.push(issue(place, "not_a_list", message));
            continue;
        };
        for (position, name) in names.iter().enumerate() {
            let is_new = name.as_str().is_none_or(|name| judged.insert(name));
            if let Some((reason, message)) = is_new.then(|| fault(profile, triplet, name)).flatten()
            {
                issues.push(issue(place.index(position), reason, message));
            }
        }
    }
    if let (true, false, Some(first)) = (rules.required, is_declared, rules.declared_at.first()) {
        let message = "the manifest must list its order-insensitive links";
        issues.push(issue(place.join(first), "missing", message));
    }
}

fn fault(
    profile: &Profile,
    triplet: &Triplet,
    name: &Value,
) -> Option<(&'static str, &'static str)> {
    let array = name
        .as_str()
        .and_then(|name| Some((name, triplet.links.get(name)?.as_array()?)));
    let Some((name, array)) = array else {
        return Some(("not_an_array", "it names no array of the links"));
    };
    // Of an unknown type or slot, the stage dto_links has spoken already.
    let dto_type = profile.dto_type(triplet.stem.kind());
    let has_order = dto_type.is_some_and(|dto_type| {
        dto_type.slots.contains_key(name) && !dto_type.order_insensitive.contains(name)
    });
    if has_order {
        return Some(("order_matters", "the order of this slot means something"));
    }
    if profile.determinism().sorted && !is_sorted(array) {
        return Some(("unsorted", "the array is not sorted, or repeats itself"));
    }
    None
}

fn is_sorted(array: &[Value]) -> bool {
    let mut texts = array.iter().map(canonical::to_bytes);
    let Some(mut before) = texts.next() else {
        return true;
    };
    texts.all(|text| {
        let is_after = before < text;
        before = text;
        is_after
    })
}

fn issue(location: Pointer, reason: &str, message: &str) -> KernelIssue {
    let details = event::details([("reason", Value::from(reason))]);
    KernelIssue::new(
        Stage::Determinism,
        Code::DeterminismViolation,
        location,
        message,
        details,
    )
}
