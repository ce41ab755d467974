//! Stage 2, against the index: links name visible ids, ids are defined once, deletions leave no link behind.

use super::turn_index::{TurnIndex, body_id};
use super::{Turn, dto_links, references, unreadable};
use crate::canonical::{self, Value};
use crate::{Code, KernelIssue, Pointer, ReadError, Stage, StateView, Stem, Triplet, event};

pub(super) fn check_turn(turn: &Turn<'_>, issues: &mut Vec<KernelIssue>) {
    let scope = Scope {
        turn,
        index: TurnIndex::new(&turn.input.triplets, &turn.input.deletions),
    };
    for (position, (place, triplet)) in turn.triplets().enumerate() {
        // The links of an unknown type mean nothing, hence nothing is looked up for them.
        if turn
            .envelope
            .profile
            .dto_type(triplet.stem.kind())
            .is_some()
        {
            check_visibility(&scope.index, turn.view, &place, triplet, issues);
            scope.check_identity(position, &place, triplet, issues);
        }
        let place = place.key("body").key("id");
        scope.check_departure(place, &triplet.stem, body_id(&triplet.body), issues);
    }
    let places = Pointer::root().key("deletions");
    for (position, stem) in turn.input.deletions.iter().enumerate() {
        if scope.index.staging(stem).is_none() {
            scope.check_departure(places.index(position), stem, "", issues);
        }
    }
}

/// Checks that each reference of a triplet names a visible id of its type.
pub(super) fn check_visibility(
    index: &TurnIndex<'_>,
    view: &dyn StateView,
    place: &Pointer,
    triplet: &Triplet,
    issues: &mut Vec<KernelIssue>,
) {
    for reference in references(&triplet.links) {
        let id = reference.id();
        match visible(index, view, id) {
            Ok(Some(stem)) if stem.kind() == reference.dto_type() => {}
            Ok(Some(_)) => {
                let place = reference.place(place).key("type");
                let message = "the id is of another type";
                issues.push(dto_links::issue(place, "target_type", message));
            }
            Ok(None) => issues.push(KernelIssue::new(
                Stage::DtoLinks,
                Code::LsiOrphanReference,
                reference.place(place).key("id"),
                format!("nothing visible defines {id}"),
                event::details([("id", Value::from(id))]),
            )),
            Err(error) => issues.push(unreadable(reference.place(place), &error)),
        }
    }
}

/// Looks an id up in the order of Spec-002 §4: the turn itself, then what the view shows. A stem that the turn deletes or
/// gives another id no longer defines its old one.
fn visible(
    index: &TurnIndex<'_>,
    view: &dyn StateView,
    id: &str,
) -> Result<Option<Stem>, ReadError> {
    if let Some((_, own)) = index.defining(id) {
        return Ok(Some(own.stem.clone()));
    }
    let defined = view.definition(id)?;
    Ok(defined.filter(|stem| !index.touches(stem)))
}

/// A turn beside the state it is laid over.
struct Scope<'a> {
    turn: &'a Turn<'a>,
    index: TurnIndex<'a>,
}

impl Scope<'_> {
    /// Checks that no other stem defines the id of a triplet.
    fn check_identity(
        &self,
        position: usize,
        place: &Pointer,
        triplet: &Triplet,
        issues: &mut Vec<KernelIssue>,
    ) {
        let id = body_id(&triplet.body);
        let place = place.key("body").key("id");
        let first = self.index.defining(id);
        let is_repeated = first.is_some_and(|(first, _)| first < position);
        let keeps_it = |stem: &Stem| {
            let staged = self.index.staging(stem);
            *stem != triplet.stem
                && !self.index.deletes(stem)
                && staged.is_none_or(|staged| body_id(&staged.body) == id)
        };
        let is_elsewhere = match self.turn.view.definition(id) {
            Ok(defined) => defined.as_ref().is_some_and(keeps_it),
            Err(error) => {
                issues.push(unreadable(place, &error));
                return;
            }
        };
        if is_repeated || is_elsewhere {
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
    fn check_departure(
        &self,
        place: Pointer,
        stem: &Stem,
        new_id: &str,
        issues: &mut Vec<KernelIssue>,
    ) {
        match self.orphans(stem, new_id) {
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

    /// Returns the live stems that would reference nothing once `stem` no longer defines its present id.
    fn orphans(&self, stem: &Stem, new_id: &str) -> Result<Vec<Stem>, ReadError> {
        let view = self.turn.view;
        let keeps_its_id = !new_id.is_empty() && view.definition(new_id)?.as_ref() == Some(stem);
        if keeps_its_id {
            return Ok(Vec::new());
        }
        let Some(record) = view.triplet(stem)? else {
            return Ok(Vec::new());
        };
        let corrupt = |reason: String| ReadError::Corrupt {
            place: stem.to_string(),
            reason,
        };
        let body = view
            .object(&record.body_digest)?
            .ok_or_else(|| corrupt("its body is not kept".to_owned()))?;
        let body = canonical::parse(&body).map_err(|error| corrupt(error.to_string()))?;
        let old_id = body_id(&body);
        if self.index.defining(old_id).is_some() {
            return Ok(Vec::new());
        }
        let sources = view.sources(old_id)?.into_iter();
        let mut referrers: Vec<Stem> = sources
            .map(|source| source.stem)
            .filter(|referrer| !self.index.touches(referrer))
            .collect();
        referrers.dedup();
        Ok(referrers)
    }
}
