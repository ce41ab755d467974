//! Stage 5: what a manifest declares to be a set is written in one order.

use super::{Turn, triplet_pointer};
use crate::canonical::{self, Value};
use crate::{Code, KernelIssue, Pointer, Stage, event};

pub(super) fn check(turn: &Turn<'_>) -> Vec<KernelIssue> {
    let mut issues = Vec::new();
    for (index, triplet) in turn.input.triplets.iter().enumerate() {
        let place = triplet_pointer(index)
            .key("manifest")
            .key("order_insensitive");
        let Some(declared) = triplet
            .manifest
            .get("order_insensitive")
            .and_then(Value::as_array)
        else {
            issues.push(issue(
                place,
                "missing",
                "the manifest must list its order-insensitive links",
            ));
            continue;
        };
        for (position, name) in declared.iter().enumerate() {
            let place = place.index(position);
            let array = name
                .as_str()
                .and_then(|name| triplet.links.get(name)?.as_array());
            let Some(array) = array else {
                issues.push(issue(
                    place,
                    "not_an_array",
                    "it names no array of the links",
                ));
                continue;
            };
            let sorted = array
                .windows(2)
                .all(|pair| canonical::to_bytes(&pair[0]) < canonical::to_bytes(&pair[1]));
            if !sorted {
                issues.push(issue(
                    place,
                    "unsorted",
                    "the array is not sorted, or repeats itself",
                ));
            }
        }
    }
    issues
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
