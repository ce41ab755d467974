//! The promotion of one turn: a plan of the kernel, applied to the tables (Spec-002 §5 to §7).

use std::collections::{BTreeMap, BTreeSet};

use orket_kernel::{Digest, PromotionPlan, RunId, Stem, TurnId};

use crate::access::Access;
use crate::content::{self, Content};
use crate::promotion::{self, Head, PromotionRow};
use crate::reference::{self, Reference};
use crate::tree_table::TreeTable;
use crate::triplet::{self, TripletRow};
use crate::{StoreError, ledger, row, run, state, tree};

/// Applies `plan` inside the open transaction and returns where the index stands then.
pub(crate) fn apply(
    access: Access<'_>,
    plan: &PromotionPlan,
    turn_record: &[u8],
) -> Result<Head, StoreError> {
    if run::digest(access, &plan.run_id)?.is_none() {
        return Err(StoreError::UnknownRun {
            run_id: plan.run_id.clone(),
        });
    }
    ledger::check_order(access, &plan.run_id, plan.turn_id)?;
    let turn = Turn {
        run_id: &plan.run_id,
        turn_id: plan.turn_id,
    };
    turn.check_plan(plan)?;
    let head = promotion::head(access)?;
    let generation = head.generation + 1;
    let mut changes = Changes::default();

    for (digest, bytes) in &plan.objects {
        if content::keep(access, Content::Object, digest, bytes)? {
            changes.objects.insert(*digest);
        }
    }
    let removed_ids = replace_triplets(access, turn, plan, generation, &mut changes)?;
    replace_references(access, plan, &mut changes)?;
    check_links(access, turn, plan, &removed_ids)?;

    let triplet_root = apply_leaves(access, state::TRIPLETS, head.triplet_root, &changes.leaves)?;
    let ref_leaves = ref_leaves(access, &changes.ids)?;
    let ref_root = apply_leaves(access, state::REFS, head.ref_root, &ref_leaves)?;
    changes.note(access, generation)?;

    let record_digest = Digest::of_bytes(turn_record);
    content::keep(access, Content::Record, &record_digest, turn_record)?;
    let head = promotion::append(
        access,
        &PromotionRow {
            generation,
            run_id: plan.run_id.clone(),
            turn_id: plan.turn_id,
            record_digest,
            triplet_root,
            ref_root,
            state_digest: state::digest(&triplet_root, &ref_root),
            previous_digest: head.chain_digest,
        },
    )?;
    ledger::advance(access, &plan.run_id, plan.turn_id)?;
    Ok(head)
}

/// What a promotion changes, by kind.
#[derive(Default)]
struct Changes {
    objects: BTreeSet<Digest>,
    stems: BTreeSet<Stem>,
    ids: BTreeSet<String>,
    /// The new leaf of each stem, by the hash of the stem.
    leaves: BTreeMap<Digest, Option<Digest>>,
}

impl Changes {
    /// Writes down what changed, so that the view can be brought forward from any generation.
    fn note(&self, access: Access<'_>, generation: u64) -> Result<(), StoreError> {
        let generation = row::integer(generation, "generation")?;
        let failed = access.failed("written");
        let sql = "INSERT INTO changes (generation, kind, name) VALUES (?1, ?2, ?3)";
        let mut statement = access.connection.prepare_cached(sql).map_err(&failed)?;
        let mut note = |kind: &str, name: &str| {
            statement
                .execute((generation, kind, name))
                .map(|_| ())
                .map_err(&failed)
        };
        self.objects
            .iter()
            .try_for_each(|digest| note("object", &digest.to_hex()))?;
        self.ids.iter().try_for_each(|id| note("refs", id))?;
        self.stems
            .iter()
            .try_for_each(|stem| note("triplet", stem.as_str()))
    }
}

/// Deletes and puts triplets. Returns the ids that nothing defines any more.
///
/// All old rows go before the first new one comes, so that an id can move from one stem to another in one turn.
fn replace_triplets(
    access: Access<'_>,
    turn: Turn<'_>,
    plan: &PromotionPlan,
    generation: u64,
    changes: &mut Changes,
) -> Result<BTreeSet<String>, StoreError> {
    let mut old_ids: BTreeMap<&Stem, String> = BTreeMap::new();
    for stem in &plan.delete {
        let Some(old) = triplet::read(access, stem)? else {
            return Err(turn.conflict(format!("{stem}, which it deletes, is not there")));
        };
        old_ids.insert(stem, old.id);
        triplet::delete(access, stem)?;
        changes.leaves.insert(tree::key_hash(stem.as_str()), None);
        changes.stems.insert(stem.clone());
    }
    for (record, _) in &plan.put {
        if let Some(old) = triplet::read(access, &record.stem)? {
            old_ids.insert(&record.stem, old.id);
            triplet::delete(access, &record.stem)?;
        }
    }
    let mut removed: BTreeSet<String> = old_ids.values().cloned().collect();
    for (record, id) in &plan.put {
        if let Some(other) = triplet::defining_stem(access, id)? {
            return Err(turn.conflict(format!(
                "{other} defines {id}, which {} also defines",
                record.stem
            )));
        }
        let added = TripletRow {
            record: record.clone(),
            id: id.clone(),
            generation,
        };
        triplet::insert(access, &added)?;
        changes.leaves.insert(
            tree::key_hash(record.stem.as_str()),
            Some(state::triplet_leaf(record)),
        );
        changes.stems.insert(record.stem.clone());
        removed.remove(id);
        if old_ids.remove(&record.stem).as_ref() != Some(id) {
            changes.ids.insert(id.clone());
        }
    }
    changes.ids.extend(removed.iter().cloned());
    Ok(removed)
}

/// Removes all references of the stems to prune and inserts those of the plan (the Pruning Law). A reference that is
/// among both stays as it is: a change of a body alone costs nothing here, however many reference the same id.
fn replace_references(
    access: Access<'_>,
    plan: &PromotionPlan,
    changes: &mut Changes,
) -> Result<(), StoreError> {
    let mut old: BTreeSet<Reference> = BTreeSet::new();
    for stem in &plan.prune {
        old.extend(reference::of_stem(access, stem)?);
    }
    let new: BTreeSet<Reference> = plan.insert.iter().cloned().collect();
    for removed in old.difference(&new) {
        reference::delete(access, removed)?;
        changes.ids.insert(removed.0.clone());
    }
    for added in new.difference(&old) {
        reference::insert(access, added)?;
        changes.ids.insert(added.0.clone());
    }
    Ok(())
}

/// Refuses to leave a reference to an id that nothing defines. The kernel has checked this over its snapshot; another
/// run may have promoted since.
fn check_links(
    access: Access<'_>,
    turn: Turn<'_>,
    plan: &PromotionPlan,
    removed_ids: &BTreeSet<String>,
) -> Result<(), StoreError> {
    let targets: BTreeSet<&String> = plan.insert.iter().map(|(id, _)| id).collect();
    for id in targets {
        if triplet::defining_stem(access, id)?.is_none() {
            return Err(turn.conflict(format!("{id}, which it references, is not defined")));
        }
    }
    for id in removed_ids {
        if let Some(source) = reference::sources(access, id)?.first() {
            return Err(turn.conflict(format!("{} references {id}, which it removes", source.stem)));
        }
    }
    Ok(())
}

fn ref_leaves(
    access: Access<'_>,
    ids: &BTreeSet<String>,
) -> Result<BTreeMap<Digest, Option<Digest>>, StoreError> {
    let leaf = |id: &String| {
        let defined_by = triplet::defining_stem(access, id)?;
        let sources = reference::sources(access, id)?;
        Ok((
            tree::key_hash(id),
            state::ref_leaf(id, defined_by.as_ref(), &sources),
        ))
    };
    ids.iter().map(leaf).collect()
}

fn apply_leaves(
    access: Access<'_>,
    tree: &'static str,
    root: Digest,
    leaves: &BTreeMap<Digest, Option<Digest>>,
) -> Result<Digest, StoreError> {
    tree::apply(&mut TreeTable { access, tree }, root, leaves)
}

/// The turn that is promoted, for what is said about it.
#[derive(Clone, Copy)]
struct Turn<'a> {
    run_id: &'a RunId,
    turn_id: TurnId,
}

impl Turn<'_> {
    fn conflict(self, reason: String) -> StoreError {
        StoreError::Conflict {
            run_id: self.run_id.clone(),
            turn_id: self.turn_id,
            reason,
        }
    }

    /// Refuses a plan that contradicts itself; no plan of the kernel does.
    fn check_plan(self, plan: &PromotionPlan) -> Result<(), StoreError> {
        let put: BTreeSet<&Stem> = plan.put.iter().map(|(record, _)| &record.stem).collect();
        let delete: BTreeSet<&Stem> = plan.delete.iter().collect();
        let prune: BTreeSet<&Stem> = plan.prune.iter().collect();
        let ids: BTreeSet<&String> = plan.put.iter().map(|(_, id)| id).collect();
        let changed: BTreeSet<&Stem> = put.union(&delete).copied().collect();
        let damaged = plan
            .objects
            .iter()
            .find(|(digest, bytes)| Digest::of_bytes(bytes) != **digest);
        let misdated = plan
            .put
            .iter()
            .find(|(record, _)| record.updated_at_turn != self.turn_id);
        let reason = if put.len() != plan.put.len() || delete.len() != plan.delete.len() {
            "a stem is changed twice".to_owned()
        } else if ids.len() != plan.put.len() {
            "two stems define one id".to_owned()
        } else if !put.is_disjoint(&delete) {
            "a stem is put and deleted".to_owned()
        } else if changed != prune {
            "it does not prune exactly the stems that it changes".to_owned()
        } else if let Some((id, source)) = plan.insert.iter().find(|(_, s)| !put.contains(&s.stem))
        {
            format!(
                "it inserts a reference to {id} of {}, which it does not put",
                source.stem
            )
        } else if let Some((digest, _)) = damaged {
            format!("the bytes of object {digest} do not match the digest")
        } else if let Some((record, _)) = misdated {
            format!("{} names another turn", record.stem)
        } else {
            return Ok(());
        };
        Err(StoreError::InvalidPlan {
            run_id: self.run_id.clone(),
            turn_id: self.turn_id,
            reason,
        })
    }
}
