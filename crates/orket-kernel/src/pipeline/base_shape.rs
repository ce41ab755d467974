//! Stage 1: the input has the shape that the contract demands.

use std::collections::BTreeSet;

use super::reference::Reference;
use super::{Turn, references, unreadable};
use crate::canonical::Value;
use crate::profile::LabelRule;
use crate::{
    CONTRACT_VERSION, Code, Digest, KernelIssue, Pointer, ReadError, Stage, Triplet, event,
};

pub(super) fn check(turn: &Turn<'_>, issues: &mut Vec<KernelIssue>) {
    if turn.envelope.contract_version != CONTRACT_VERSION {
        issues.push(issue(
            Pointer::root(),
            "contract_version",
            "the contract version is not supported",
        ));
    }
    for (digest, payload) in &turn.input.attachments {
        // A stream was digested when it was measured, and is digested again by whoever keeps it.
        if payload.digest() != *digest {
            issues.push(issue(
                Pointer::root(),
                "attachment",
                "an attachment does not match its digest",
            ));
        }
    }
    let label_rule = turn.envelope.profile.references().label;
    let mut stems = BTreeSet::new();
    for (place, triplet) in turn.triplets() {
        if !stems.insert(&triplet.stem) {
            let message = "the stem is staged twice";
            issues.push(issue(place.key("stem"), "repeated_stem", message));
        }
        check_triplet(label_rule, &place, triplet, issues);
        check_content(turn, &place, triplet, issues);
    }
    check_deletions(turn, issues);
}

/// Checks what a triplet shows by itself.
pub(super) fn check_triplet(
    label_rule: LabelRule,
    place: &Pointer,
    triplet: &Triplet,
    issues: &mut Vec<KernelIssue>,
) {
    check_body(&place.key("body"), triplet, issues);
    check_links(label_rule, place, triplet, issues);
    if triplet.manifest.as_object().is_none() {
        let message = "the manifest must be an object";
        issues.push(issue(place.key("manifest"), "manifest_value", message));
    }
}

fn check_body(place: &Pointer, triplet: &Triplet, issues: &mut Vec<KernelIssue>) {
    if triplet.body.as_object().is_none() {
        let message = "the body must be an object";
        issues.push(issue(place.clone(), "body_value", message));
        return;
    }
    let text = |key| {
        let text = triplet.body.get(key).and_then(Value::as_str);
        text.unwrap_or_default()
    };
    if text("dto_type") != triplet.stem.kind() {
        let message = "the body's dto_type must be the kind of its stem";
        issues.push(issue(place.key("dto_type"), "dto_type", message));
    }
    if text("id").is_empty() {
        issues.push(issue(place.key("id"), "id", "the body must have an id"));
    }
    if let Some(content) = triplet.body.get("content_digest")
        && digest(content).is_none()
    {
        let place = place.key("content_digest");
        let message = "the content digest is no digest";
        issues.push(issue(place, "content_digest", message));
    }
}

/// Checks that the content which the body names came with the turn or is kept.
fn check_content(
    turn: &Turn<'_>,
    place: &Pointer,
    triplet: &Triplet,
    issues: &mut Vec<KernelIssue>,
) {
    let Some(content) = triplet.body.get("content_digest").and_then(digest) else {
        return;
    };
    if turn.input.attachments.contains_key(&content) {
        return;
    }
    let place = place.key("body").key("content_digest");
    let found = turn.view.payload(&content).and_then(|found| {
        let checked = found.map(|payload| payload.check()).transpose();
        checked.map_err(|error| ReadError::of_payload(&format!("objects {content}"), error))
    });
    match found {
        Ok(Some(())) => {}
        Ok(None) => {
            let message = "the content is neither attached nor kept";
            issues.push(issue(place, "content_missing", message));
        }
        Err(error) => issues.push(unreadable(place, &error)),
    }
}

/// Checks that the links are slots of references.
pub(super) fn check_links(
    label_rule: LabelRule,
    place: &Pointer,
    triplet: &Triplet,
    issues: &mut Vec<KernelIssue>,
) {
    if triplet.links.as_object().is_none() {
        let message = "the links must be an object";
        issues.push(issue(place.key("links"), "links_value", message));
        return;
    }
    let message = match label_rule {
        LabelRule::Required => {
            "a reference must be an object with exactly type, id and relationship"
        }
        LabelRule::Optional => {
            "a reference must be an object with type and id, and may have a relationship"
        }
    };
    for reference in references(&triplet.links) {
        if !is_reference(&reference, label_rule) {
            issues.push(issue(reference.place(place), "reference", message));
        }
    }
}

fn is_reference(reference: &Reference<'_>, label_rule: LabelRule) -> bool {
    let Some(members) = reference.item().as_object() else {
        return false;
    };
    let has_label = !reference.relationship().is_empty();
    let length = if has_label { 3 } else { 2 };
    members.len() == length
        && !reference.dto_type().is_empty()
        && !reference.id().is_empty()
        && (has_label || label_rule == LabelRule::Optional)
}

fn check_deletions(turn: &Turn<'_>, issues: &mut Vec<KernelIssue>) {
    let places = Pointer::root().key("deletions");
    let mut deletions = BTreeSet::new();
    for (index, stem) in turn.input.deletions.iter().enumerate() {
        let place = places.index(index);
        if !deletions.insert(stem) {
            let message = "the stem is deleted twice";
            issues.push(issue(place.clone(), "repeated_stem", message));
        }
        match turn.view.triplet(stem) {
            Ok(Some(_)) => {}
            Ok(None) => {
                let message = "there is no such stem to delete";
                issues.push(issue(place, "unknown_stem", message));
            }
            Err(error) => issues.push(unreadable(place, &error)),
        }
    }
}

fn digest(value: &Value) -> Option<Digest> {
    value.as_str()?.parse().ok()
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
