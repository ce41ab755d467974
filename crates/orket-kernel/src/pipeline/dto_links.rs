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

/// Looks an id up in the order of Spec-002 §4: the turn itself, then what the view shows.
fn visible(turn: &Turn<'_>, id: &str) -> Result<Option<Stem>, ReadError> {
    let own = turn.input.triplets.iter().find(|t| body_id(&t.body) == id);
    if let Some(own) = own {
        return Ok(Some(own.stem.clone()));
    }
    let defined = turn.view.definition(id)?;
    Ok(defined.filter(|stem| !turn.input.deletions.contains(stem)))
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

/// Deleting what another live stem still references would leave an orphan (kernel decision 8).
fn check_deletions(turn: &Turn<'_>, issues: &mut Vec<KernelIssue>) {
    for (index, stem) in turn.input.deletions.iter().enumerate() {
        if turn
            .input
            .triplets
            .iter()
            .any(|triplet| triplet.stem == *stem)
        {
            continue;
        }
        let place = Pointer::root().key("deletions").index(index);
        match live_referrers(turn, stem) {
            Ok(referrers) if referrers.is_empty() => {}
            Ok(referrers) => {
                let names: Vec<Value> = referrers.iter().map(|s| Value::from(s.as_str())).collect();
                issues.push(KernelIssue::new(
                    Stage::DtoLinks,
                    Code::LsiOrphanReference,
                    place,
                    format!("{stem} is still referenced"),
                    event::details([("referrers", Value::from(names))]),
                ));
            }
            Err(error) => issues.push(unreadable(place, &error)),
        }
    }
}

fn live_referrers(turn: &Turn<'_>, stem: &Stem) -> Result<Vec<Stem>, ReadError> {
    let Some(record) = turn.view.triplet(stem)? else {
        return Ok(Vec::new());
    };
    let body = turn.view.object(&record.body_digest)?.unwrap_or_default();
    let body = crate::canonical::parse(&body).map_err(|error| ReadError::Corrupt {
        place: stem.to_string(),
        reason: error.to_string(),
    })?;
    let mut referrers: Vec<Stem> = turn
        .view
        .sources(body_id(&body))?
        .into_iter()
        .map(|source| source.stem)
        .filter(|referrer| {
            let replaced = turn
                .input
                .triplets
                .iter()
                .any(|triplet| triplet.stem == *referrer);
            !replaced && !turn.input.deletions.contains(referrer)
        })
        .collect();
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
