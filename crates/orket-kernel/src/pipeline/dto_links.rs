//! Stage 2: links fit the slots of their type and name visible ids; ids are defined once.

use super::{Turn, link_pointer, references, triplet_pointer, unreadable};
use crate::canonical::Value;
use crate::{Cardinality, Code, KernelIssue, Pointer, ReadError, Stage, Stem, event};

pub(super) fn check(turn: &Turn<'_>) -> Vec<KernelIssue> {
    let mut issues = Vec::new();
    for (index, triplet) in turn.input.triplets.iter().enumerate() {
        let kind = triplet.stem.kind();
        let Some(dto_type) = turn.envelope.profile.types.get(kind) else {
            let place = triplet_pointer(index).key("body").key("dto_type");
            issues.push(shape(
                place,
                "unknown_type",
                &format!("the type {kind} is not in the profile"),
            ));
            continue;
        };
        let held = triplet.links.as_object().into_iter().flatten();
        for (slot, value) in held {
            let place = triplet_pointer(index).key("links").key(slot);
            match dto_type.slots.get(slot) {
                None => {
                    issues.push(shape(
                        place,
                        "unknown_slot",
                        &format!("{kind} has no slot {slot}"),
                    ));
                }
                Some(known) => {
                    let is_array = value.as_array().is_some();
                    if is_array != (known.cardinality == Cardinality::Many) {
                        issues.push(shape(
                            place,
                            "container",
                            "the slot does not hold this container",
                        ));
                    }
                }
            }
        }
        for reference in references(&triplet.links) {
            let place = link_pointer(index, &reference);
            let expected = dto_type
                .slots
                .get(reference.slot)
                .map(|slot| slot.target.as_str());
            if expected.is_some_and(|target| target != reference.dto_type) {
                issues.push(shape(
                    place.key("type"),
                    "type",
                    "the slot holds another type",
                ));
            }
            match visible(turn, reference.id) {
                Ok(Some(stem)) if stem.kind() == reference.dto_type => {}
                Ok(Some(_)) => {
                    issues.push(shape(
                        place.key("type"),
                        "target_type",
                        "the id is of another type",
                    ));
                }
                Ok(None) => issues.push(orphan(place.key("id"), reference.id)),
                Err(error) => issues.push(unreadable(place, &error)),
            }
        }
        check_identity(turn, index, &mut issues);
    }
    check_deletions(turn, &mut issues);
    issues
}

/// Looks an id up in the order of Spec-002 §4: the turn itself, then what the view shows. A stem that the turn deletes or
/// gives another id no longer defines its old one.
fn visible(turn: &Turn<'_>, id: &str) -> Result<Option<Stem>, ReadError> {
    let own = turn.input.triplets.iter().find(|t| body_id(&t.body) == id);
    if let Some(own) = own {
        return Ok(Some(own.stem.clone()));
    }
    let defined = turn.view.definition(id)?;
    Ok(defined.filter(|stem| {
        let restaged = turn
            .input
            .triplets
            .iter()
            .any(|triplet| triplet.stem == *stem);
        !restaged && !turn.input.deletions.contains(stem)
    }))
}

fn check_identity(turn: &Turn<'_>, index: usize, issues: &mut Vec<KernelIssue>) {
    let triplet = &turn.input.triplets[index];
    let id = body_id(&triplet.body);
    let place = triplet_pointer(index).key("body").key("id");
    let repeated = turn.input.triplets[..index]
        .iter()
        .any(|earlier| body_id(&earlier.body) == id);
    let elsewhere = match turn.view.definition(id) {
        Ok(defined) => defined.filter(|stem| {
            *stem != triplet.stem
                && !turn.input.deletions.contains(stem)
                && !turn
                    .input
                    .triplets
                    .iter()
                    .any(|t| t.stem == *stem && body_id(&t.body) != id)
        }),
        Err(error) => {
            issues.push(unreadable(place, &error));
            return;
        }
    };
    if repeated || elsewhere.is_some() {
        issues.push(KernelIssue::new(
            Stage::DtoLinks,
            Code::LsiDuplicateIdentity,
            place,
            format!("the id {id} is already defined by another stem"),
            event::details([("id", Value::from(id))]),
        ));
    }
}

/// An id that a turn takes away, by deleting its stem or by giving the stem another id, must not leave a live reference
/// behind (kernel decision 8).
fn check_deletions(turn: &Turn<'_>, issues: &mut Vec<KernelIssue>) {
    let triplets = turn
        .input
        .triplets
        .iter()
        .enumerate()
        .map(|(index, triplet)| {
            (
                triplet_pointer(index).key("body").key("id"),
                &triplet.stem,
                body_id(&triplet.body),
            )
        });
    let restaged = |stem: &Stem| {
        turn.input
            .triplets
            .iter()
            .any(|triplet| triplet.stem == *stem)
    };
    let deletions = turn
        .input
        .deletions
        .iter()
        .enumerate()
        .filter(|(_, stem)| !restaged(stem));
    let deletions =
        deletions.map(|(index, stem)| (Pointer::root().key("deletions").index(index), stem, ""));
    for (place, stem, new_id) in triplets.chain(deletions) {
        match orphans(turn, stem, new_id) {
            Ok(referrers) if referrers.is_empty() => {}
            Ok(referrers) => {
                let names: Vec<Value> = referrers.iter().map(|s| Value::from(s.as_str())).collect();
                issues.push(KernelIssue::new(
                    Stage::DtoLinks,
                    Code::LsiOrphanReference,
                    place,
                    format!("the id of {stem} is still referenced"),
                    event::details([("referrers", Value::from(names))]),
                ));
            }
            Err(error) => issues.push(unreadable(place, &error)),
        }
    }
}

/// Returns the live stems that would reference nothing once `stem` no longer defines its present id.
fn orphans(turn: &Turn<'_>, stem: &Stem, new_id: &str) -> Result<Vec<Stem>, ReadError> {
    let keeps_its_id = !new_id.is_empty() && turn.view.definition(new_id)?.as_ref() == Some(stem);
    if keeps_its_id {
        return Ok(Vec::new());
    }
    let Some(record) = turn.view.triplet(stem)? else {
        return Ok(Vec::new());
    };
    let corrupt = |reason: String| ReadError::Corrupt {
        place: stem.to_string(),
        reason,
    };
    let body = turn
        .view
        .object(&record.body_digest)?
        .ok_or_else(|| corrupt("its body is not kept".to_owned()))?;
    let body = crate::canonical::parse(&body).map_err(|error| corrupt(error.to_string()))?;
    let old_id = body_id(&body);
    let is_defined = turn
        .input
        .triplets
        .iter()
        .any(|triplet| body_id(&triplet.body) == old_id);
    if is_defined {
        return Ok(Vec::new());
    }
    let touched = |stem: &Stem| {
        turn.input.deletions.contains(stem)
            || turn
                .input
                .triplets
                .iter()
                .any(|triplet| triplet.stem == *stem)
    };
    let sources = turn
        .view
        .sources(old_id)?
        .into_iter()
        .map(|source| source.stem);
    let mut referrers: Vec<Stem> = sources.filter(|referrer| !touched(referrer)).collect();
    referrers.dedup();
    Ok(referrers)
}

fn body_id(body: &Value) -> &str {
    body.get("id").and_then(Value::as_str).unwrap_or_default()
}

fn shape(location: Pointer, reason: &str, message: &str) -> KernelIssue {
    let details = event::details([("reason", Value::from(reason))]);
    KernelIssue::new(
        Stage::DtoLinks,
        Code::DtoLinksInvalid,
        location,
        message,
        details,
    )
}

fn orphan(location: Pointer, id: &str) -> KernelIssue {
    KernelIssue::new(
        Stage::DtoLinks,
        Code::LsiOrphanReference,
        location,
        format!("nothing visible defines {id}"),
        event::details([("id", Value::from(id))]),
    )
}
