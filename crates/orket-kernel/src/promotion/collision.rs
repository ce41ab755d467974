//! The Collision Law: more than one stem may reference an id, and whoever adds a reference is told.

use std::collections::{BTreeMap, BTreeSet};

use super::PromotionPlan;
use crate::canonical::{self, Value};
use crate::issue::{KernelIssue, Stage};
use crate::state::BUCKET_ENTRIES_MAX;
use crate::{Code, Pointer, ReadError, RefSource, StateView, Stem, event, references_of};

/// Up to how many references to an id are read to name every stem that references it. An id with more is known by their
/// number, so that one more reference costs the same however many there are.
const NAMED_MAX: u64 = BUCKET_ENTRIES_MAX as u64;

/// Returns one `I_REF_MULTISOURCE` for each id to which the plan adds references and that several stems then reference.
///
/// `stems` names all of them if at most [`NAMED_MAX`] references stood before, else those of the plan.
pub(super) fn issues(
    plan: &PromotionPlan,
    committed: &dyn StateView,
) -> Result<Vec<KernelIssue>, ReadError> {
    let mut by_id: BTreeMap<&str, Vec<&RefSource>> = BTreeMap::new();
    for (id, source) in &plan.insert {
        by_id.entry(id).or_default().push(source);
    }
    let mut pruned = None;
    let mut issues = Vec::new();
    for (id, inserted) in by_id {
        let before = committed.source_count(id)?;
        let mut stems: BTreeSet<Stem> = inserted.iter().map(|it| it.stem.clone()).collect();
        let kept = if before <= NAMED_MAX {
            let mut kept = committed.sources(id)?;
            kept.retain(|source| plan.prune.binary_search(&source.stem).is_err());
            stems.extend(kept.iter().map(|source| source.stem.clone()));
            kept.len() as u64
        } else {
            let pruned = match &mut pruned {
                Some(pruned) => pruned,
                unread => unread.insert(pruned_references(plan, committed)?),
            };
            before.saturating_sub(pruned.get(id).copied().unwrap_or_default())
        };
        let is_referenced_by_others = before > NAMED_MAX && kept > 0;
        if stems.len() > 1 || is_referenced_by_others {
            issues.push(told(id, kept + inserted.len() as u64, &stems));
        }
    }
    Ok(issues)
}

fn told(id: &str, references: u64, stems: &BTreeSet<Stem>) -> KernelIssue {
    let stems: Vec<Value> = stems.iter().map(|stem| stem.as_str().into()).collect();
    KernelIssue::new(
        Stage::Determinism,
        Code::RefMultisource,
        Pointer::root().key("refs").key(id),
        format!("several stems reference {id}; there are {references} references"),
        event::details([
            ("id", id.into()),
            ("references", references.into()),
            ("stems", Value::Array(stems)),
        ]),
    )
}

/// Counts by id the references that go with the old links of the stems that the plan prunes.
fn pruned_references(
    plan: &PromotionPlan,
    committed: &dyn StateView,
) -> Result<BTreeMap<String, u64>, ReadError> {
    let mut counts = BTreeMap::new();
    for stem in &plan.prune {
        let Some(record) = committed.triplet(stem)? else {
            continue;
        };
        let corrupt = |reason: String| ReadError::Corrupt {
            place: stem.to_string(),
            reason,
        };
        let links = committed.object(&record.links_digest)?;
        let links = links.ok_or_else(|| corrupt("its links are not kept".to_owned()))?;
        let links = canonical::parse(&links).map_err(|error| corrupt(error.to_string()))?;
        for (id, _) in references_of(stem, &links, record.links_digest) {
            *counts.entry(id).or_default() += 1;
        }
    }
    Ok(counts)
}
