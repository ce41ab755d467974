//! What a plan changes in the committed state, and whether it still fits it.

use std::collections::{BTreeMap, BTreeSet};

use orket_kernel::{Digest, PromotionPlan, RefSource, Stem};

use crate::access::Access;
use crate::committed::Committed;
use crate::content::{self, Content};
use crate::reference::{self, Reference};
use crate::source_tree::{Contradiction, SourceChanges, SourceTree};
use crate::{StoreError, state};

/// What a promotion writes.
pub(crate) struct Delta {
    /// The new leaf of each stem that changes; `None` for one that is deleted.
    pub(crate) stems: BTreeMap<Stem, Option<Digest>>,
    /// What becomes of each id whose definition or sources change.
    pub(crate) ids: BTreeMap<String, IdChange>,
    /// The stems that were there and define the same id as before.
    pub(crate) keeping: BTreeSet<Stem>,
    /// References that go.
    pub(crate) removed: BTreeSet<Reference>,
    /// References that come.
    pub(crate) added: BTreeSet<Reference>,
}

/// What becomes of an id.
pub(crate) struct IdChange {
    /// Who defines it from now on.
    defined_by: Option<Stem>,
    /// The root of its sources as they were.
    source_root: Digest,
    /// What changes in the tree of its sources.
    sources: SourceChanges,
}

impl IdChange {
    /// Brings the tree of the sources forward, whose rows are still as they were, and returns the new leaf of the id; `None` if
    /// neither a definition nor a reference is left.
    pub(crate) fn apply(&self, access: Access<'_>, id: &str) -> Result<Option<Digest>, StoreError> {
        let tree = SourceTree { access, id };
        let root = tree.apply(self.source_root, &self.sources)?;
        Ok(state::ref_leaf(id, self.defined_by.as_ref(), &root))
    }
}

/// Compares a plan with the state it is to change. Only reads; what is read is checked against the head, so that
/// damage is found and not sealed under a new digest.
///
/// All references of the stems to prune go and those of the plan come (the Pruning Law). Which go is read from the old
/// links, which the state digest covers; the rows by stem are not asked, for an index that lies would leave some behind.
/// A reference that is among both stays as it is, and where the links are the same all are: changing a body alone costs
/// nothing here, however many stems reference the same id.
pub(crate) fn of(
    plan: &PromotionPlan,
    access: Access<'_>,
    before: Committed<'_>,
) -> Result<Delta, StoreError> {
    check_plan(plan, access)?;
    let mut old_definitions: BTreeMap<String, Stem> = BTreeMap::new();
    let mut old_references: BTreeSet<Reference> = BTreeSet::new();
    let deleted: BTreeSet<&Stem> = plan.delete.iter().collect();
    let new_links: BTreeMap<&Stem, Digest> = plan
        .put
        .iter()
        .map(|(record, _)| (&record.stem, record.links_digest))
        .collect();
    let mut same_links: BTreeSet<&Stem> = BTreeSet::new();
    for stem in &plan.prune {
        match before.checked_row(stem)? {
            Some(row) => {
                if new_links.get(stem) == Some(&row.record.links_digest) {
                    same_links.insert(stem);
                } else {
                    old_references.extend(before.references(&row)?);
                }
                old_definitions.insert(row.id, stem.clone());
            }
            None if deleted.contains(stem) => {
                return Err(conflict(
                    plan,
                    format!("{stem}, which it deletes, is not there"),
                ));
            }
            None => {}
        }
    }
    let new_definitions: BTreeMap<String, Stem> = plan
        .put
        .iter()
        .map(|(record, id)| (id.clone(), record.stem.clone()))
        .collect();
    let new_references: BTreeSet<Reference> = plan
        .insert
        .iter()
        .filter(|(_, source)| !same_links.contains(&source.stem))
        .cloned()
        .collect();

    let mut delta = Delta {
        stems: plan
            .delete
            .iter()
            .map(|stem| (stem.clone(), None))
            .collect(),
        ids: BTreeMap::new(),
        keeping: new_definitions
            .iter()
            .filter(|(id, stem)| old_definitions.get(*id) == Some(stem))
            .map(|(_, stem)| stem.clone())
            .collect(),
        removed: old_references
            .difference(&new_references)
            .cloned()
            .collect(),
        added: new_references
            .difference(&old_references)
            .cloned()
            .collect(),
    };
    for (record, _) in &plan.put {
        delta
            .stems
            .insert(record.stem.clone(), Some(state::triplet_leaf(record)));
    }
    let redefined = old_definitions
        .keys()
        .chain(new_definitions.keys())
        .filter(|id| old_definitions.get(*id) != new_definitions.get(*id));
    let referenced = delta.removed.iter().chain(&delta.added).map(|(id, _)| id);
    let ids: BTreeSet<String> = redefined.chain(referenced).cloned().collect();
    let (removed, added) = (by_id(&delta.removed), by_id(&delta.added));
    let pruned: BTreeSet<&Stem> = old_definitions.values().collect();
    let mut changed = BTreeMap::new();
    for id in ids {
        let facts = before.checked_id(&id)?;
        let defined_by = facts.defined_by;
        if let Some(stem) = old_definitions.get(&id)
            && defined_by.as_ref() != Some(stem)
        {
            let reason = format!("its id {id:?} is not the one that the state digest holds");
            return Err(StoreError::corrupt(format!("triplets {stem}"), reason));
        }
        let others = defined_by.filter(|stem| !pruned.contains(stem));
        let own = new_definitions.get(&id);
        if let (Some(other), Some(own)) = (&others, own) {
            let reason = format!("{other} defines {id}, which {own} also defines");
            return Err(conflict(plan, reason));
        }
        let removed = removed
            .get(id.as_str())
            .map(Vec::as_slice)
            .unwrap_or_default();
        let added = added
            .get(id.as_str())
            .map(Vec::as_slice)
            .unwrap_or_default();
        let tree = SourceTree { access, id: &id };
        let sources = match tree.changes(facts.source_root, removed, added)? {
            Ok(changes) => changes,
            Err(Contradiction::NotHeld(source)) => {
                return Err(corrupt(&id, source, "a link that the refs do not hold"));
            }
            Err(Contradiction::Held(source)) => {
                return Err(corrupt(&id, source, "a ref that the links do not name"));
            }
        };
        let defined_by = own.cloned().or(others);
        let count = facts.source_count + added.len() as u64 - removed.len() as u64;
        if defined_by.is_none() && count > 0 {
            let referrer = remaining(access, &id, removed, added)?;
            let reason = format!("{referrer} references {id}, which nothing would define");
            return Err(conflict(plan, reason));
        }
        let change = IdChange {
            defined_by,
            source_root: facts.source_root,
            sources,
        };
        changed.insert(id, change);
    }
    delta.ids = changed;
    Ok(delta)
}

/// Names a stem that references an id when `removed` are gone and `added` are there.
fn remaining(
    access: Access<'_>,
    id: &str,
    removed: &[&RefSource],
    added: &[&RefSource],
) -> Result<String, StoreError> {
    let count_max = u32::try_from(removed.len() + 1).unwrap_or(u32::MAX);
    let before = reference::first_sources(access, id, count_max)?;
    let mut left = before.iter().filter(|source| !removed.contains(source));
    let found = left.next().or(added.first().copied());
    Ok(found.map_or_else(|| "a stem".to_owned(), |source| source.stem.to_string()))
}

/// Groups references by the id that they reference.
fn by_id(references: &BTreeSet<Reference>) -> BTreeMap<&str, Vec<&RefSource>> {
    let mut grouped: BTreeMap<&str, Vec<&RefSource>> = BTreeMap::new();
    for (id, source) in references {
        grouped.entry(id).or_default().push(source);
    }
    grouped
}

/// The sources of an id and the links of a stem, both checked, contradict each other.
fn corrupt(id: &str, source: &RefSource, reason: &str) -> StoreError {
    let RefSource { stem, location, .. } = source;
    StoreError::corrupt(
        format!("refs {id:?} of {stem}"),
        format!("{location} is {reason}"),
    )
}

fn conflict(plan: &PromotionPlan, reason: String) -> StoreError {
    StoreError::Conflict {
        run_id: plan.run_id.clone(),
        turn_id: plan.turn_id,
        reason,
    }
}

/// Refuses a plan that contradicts itself; no plan of the kernel does.
fn check_plan(plan: &PromotionPlan, access: Access<'_>) -> Result<(), StoreError> {
    let put: BTreeSet<&Stem> = plan.put.iter().map(|(record, _)| &record.stem).collect();
    let delete: BTreeSet<&Stem> = plan.delete.iter().collect();
    let prune: BTreeSet<&Stem> = plan.prune.iter().collect();
    let ids: BTreeSet<&String> = plan.put.iter().map(|(_, id)| id).collect();
    let changed: BTreeSet<&Stem> = put.union(&delete).copied().collect();
    let damaged = plan
        .objects
        .iter()
        .find(|(digest, payload)| payload.digest() != **digest);
    let misdated = plan
        .put
        .iter()
        .find(|(record, _)| record.updated_at_turn != plan.turn_id);
    let mut named = plan.put.iter().flat_map(|(record, _)| {
        [
            record.body_digest,
            record.links_digest,
            record.manifest_digest,
        ]
    });
    let missing = loop {
        match named.next() {
            Some(digest) if plan.objects.contains_key(&digest) => {}
            Some(digest) if content::exists(access, Content::Object, &digest)? => {}
            missing => break missing,
        }
    };
    let reason = if put.len() != plan.put.len() || delete.len() != plan.delete.len() {
        "a stem is changed twice".to_owned()
    } else if ids.len() != plan.put.len() {
        "two stems define one id".to_owned()
    } else if !put.is_disjoint(&delete) {
        "a stem is put and deleted".to_owned()
    } else if changed != prune {
        "it does not prune exactly the stems that it changes".to_owned()
    } else if let Some((id, source)) = plan.insert.iter().find(|(_, s)| !put.contains(&s.stem)) {
        format!(
            "it inserts a reference to {id} of {}, which it does not put",
            source.stem
        )
    } else if let Some((digest, _)) = damaged {
        format!("the bytes of object {digest} do not match the digest")
    } else if let Some(digest) = missing {
        format!("it names the object {digest}, which is not kept")
    } else if let Some((record, _)) = misdated {
        format!("{} names another turn", record.stem)
    } else {
        return Ok(());
    };
    Err(StoreError::InvalidPlan {
        run_id: plan.run_id.clone(),
        turn_id: plan.turn_id,
        reason,
    })
}
