//! Stage 1: the input has the shape that the contract demands.

use std::collections::BTreeSet;

use super::{Turn, triplet_pointer, unreadable};
use crate::canonical::Value;
use crate::{CONTRACT_VERSION, Code, Digest, KernelIssue, Pointer, Stage, Triplet, event};

pub(super) fn check(turn: &Turn<'_>) -> Vec<KernelIssue> {
    let mut issues = Vec::new();
    if turn.envelope.contract_version != CONTRACT_VERSION {
        issues.push(issue(
            Pointer::root(),
            "contract_version",
            "the contract version is not supported",
        ));
    }
    for (digest, bytes) in &turn.input.attachments {
        if Digest::of_bytes(bytes) != *digest {
            issues.push(issue(
                Pointer::root(),
                "attachment",
                "an attachment does not match its digest",
            ));
        }
    }
    let mut stems = BTreeSet::new();
    for (index, triplet) in turn.input.triplets.iter().enumerate() {
        if !stems.insert(&triplet.stem) {
            issues.push(issue(
                triplet_pointer(index).key("stem"),
                "repeated_stem",
                "the stem is staged twice",
            ));
        }
        check_body(turn, index, triplet, &mut issues);
        check_links(index, triplet, &mut issues);
        if triplet.manifest.as_object().is_none() {
            let place = triplet_pointer(index).key("manifest");
            issues.push(issue(
                place,
                "manifest_value",
                "the manifest must be an object",
            ));
        }
    }
    let mut deletions = BTreeSet::new();
    for (index, stem) in turn.input.deletions.iter().enumerate() {
        let place = Pointer::root().key("deletions").index(index);
        if !deletions.insert(stem) {
            issues.push(issue(
                place.clone(),
                "repeated_stem",
                "the stem is deleted twice",
            ));
        }
        match turn.view.triplet(stem) {
            Ok(Some(_)) => {}
            Ok(None) => issues.push(issue(
                place,
                "unknown_stem",
                "there is no such stem to delete",
            )),
            Err(error) => issues.push(unreadable(place, &error)),
        }
    }
    issues
}

fn check_body(turn: &Turn<'_>, index: usize, triplet: &Triplet, issues: &mut Vec<KernelIssue>) {
    let place = triplet_pointer(index).key("body");
    if triplet.body.as_object().is_none() {
        issues.push(issue(place, "body_value", "the body must be an object"));
        return;
    }
    let text = |key| {
        triplet
            .body
            .get(key)
            .and_then(Value::as_str)
            .unwrap_or_default()
    };
    if text("dto_type") != triplet.stem.kind() {
        let message = "the body's dto_type must be the kind of its stem";
        issues.push(issue(place.key("dto_type"), "dto_type", message));
    }
    if text("id").is_empty() {
        issues.push(issue(place.key("id"), "id", "the body must have an id"));
    }
    if let Some(content) = triplet.body.get("content_digest") {
        let place = place.key("content_digest");
        match content
            .as_str()
            .and_then(|text| text.parse::<Digest>().ok())
        {
            None => issues.push(issue(
                place,
                "content_digest",
                "the content digest is no digest",
            )),
            Some(digest) if turn.input.attachments.contains_key(&digest) => {}
            Some(digest) => match turn.view.object(&digest) {
                Ok(Some(_)) => {}
                Ok(None) => {
                    issues.push(issue(
                        place,
                        "content_missing",
                        "the content is neither attached nor kept",
                    ));
                }
                Err(error) => issues.push(unreadable(place, &error)),
            },
        }
    }
}

fn check_links(index: usize, triplet: &Triplet, issues: &mut Vec<KernelIssue>) {
    let place = triplet_pointer(index).key("links");
    let Some(slots) = triplet.links.as_object() else {
        issues.push(issue(place, "links_value", "the links must be an object"));
        return;
    };
    for (slot, held) in slots {
        let place = place.key(slot);
        let items: Vec<(Pointer, &Value)> = match held.as_array() {
            Some(items) => items
                .iter()
                .enumerate()
                .map(|(i, item)| (place.index(i), item))
                .collect(),
            None => vec![(place, held)],
        };
        for (place, item) in items {
            let has = |key| {
                item.get(key)
                    .and_then(Value::as_str)
                    .is_some_and(|text| !text.is_empty())
            };
            let known = item.as_object().is_some_and(|object| object.len() == 3);
            if !(known && has("type") && has("id") && has("relationship")) {
                let message =
                    "a reference must be an object with exactly type, id and relationship";
                issues.push(issue(place, "reference", message));
            }
        }
    }
}

fn issue(location: Pointer, reason: &str, message: &str) -> KernelIssue {
    KernelIssue::new(
        Stage::BaseShape,
        Code::BaseShapeInvalid,
        location,
        message,
        event::details([("reason", Value::from(reason))]),
    )
}
