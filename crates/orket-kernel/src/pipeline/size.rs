//! Stage 1, before all else: the input is not larger than the kernel takes.

use crate::limits::{
    ATTACHMENT_LENGTH_MAX_BYTES, ATTACHMENTS_MAX, DELETIONS_MAX, LINKS_PER_TRIPLET_MAX,
    OUTCOMES_MAX, REFUSALS_MAX, TOOL_CALLS_MAX, TRIPLETS_MAX,
};
use crate::{Code, KernelIssue, Payload, Pointer, Stage, Triplet, TurnInput, event};

pub(super) fn check(input: &TurnInput) -> Vec<KernelIssue> {
    let mut issues = Vec::new();
    let root = Pointer::root();
    for (place, what, count, limit) in [
        (
            root.key("triplets"),
            "triplets",
            input.triplets.len(),
            TRIPLETS_MAX,
        ),
        (
            root.key("deletions"),
            "deletions",
            input.deletions.len(),
            DELETIONS_MAX,
        ),
        (
            root.key("tool_calls"),
            "tool calls",
            input.tool_calls.len(),
            TOOL_CALLS_MAX,
        ),
        (
            root.key("refusals"),
            "refusals",
            input.refusals.len(),
            REFUSALS_MAX,
        ),
        (
            root.key("outcomes"),
            "outcomes",
            input.outcomes.len(),
            OUTCOMES_MAX,
        ),
        (
            root,
            "attachments",
            input.attachments.len(),
            ATTACHMENTS_MAX,
        ),
    ] {
        at_most(place, what, count, limit, &mut issues);
    }
    if let Some(length_bytes) = too_long(input) {
        let limit = ATTACHMENT_LENGTH_MAX_BYTES;
        let details = event::details([
            ("reason", "too_long".into()),
            ("count", length_bytes.into()),
            ("limit", limit.into()),
        ]);
        issues.push(KernelIssue::new(
            Stage::BaseShape,
            Code::BaseShapeInvalid,
            Pointer::root(),
            format!("an attachment of {length_bytes} bytes is longer than {limit}"),
            details,
        ));
    }
    if issues.is_empty() {
        let places = Pointer::root().key("triplets");
        for (index, triplet) in input.triplets.iter().enumerate() {
            check_links(&places.index(index), triplet, &mut issues);
        }
    }
    issues
}

/// Returns the length of an attachment that is longer than any may be.
fn too_long(input: &TurnInput) -> Option<u64> {
    let mut lengths = input.attachments.values().map(Payload::length_bytes);
    lengths.find(|length_bytes| *length_bytes > ATTACHMENT_LENGTH_MAX_BYTES)
}

pub(super) fn check_links(place: &Pointer, triplet: &Triplet, issues: &mut Vec<KernelIssue>) {
    let held = triplet.links.as_object().into_iter().flatten();
    let count = held
        .map(|(_, held)| held.as_array().map_or(1, <[_]>::len))
        .sum();
    at_most(
        place.key("links"),
        "links",
        count,
        LINKS_PER_TRIPLET_MAX,
        issues,
    );
}

fn at_most(place: Pointer, what: &str, count: usize, limit: usize, issues: &mut Vec<KernelIssue>) {
    if count <= limit {
        return;
    }
    let details = event::details([
        ("reason", "too_many".into()),
        ("count", count.into()),
        ("limit", limit.into()),
    ]);
    let message = format!("{count} {what} are more than the {limit} that a turn may hold");
    issues.push(KernelIssue::new(
        Stage::BaseShape,
        Code::BaseShapeInvalid,
        place,
        message,
        details,
    ));
}
