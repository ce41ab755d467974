//! The promotion of one turn: a plan of the kernel, applied to the tables (Spec-002 §5 to §7).

use std::collections::BTreeMap;

use orket_kernel::{Digest, PromotionPlan};

use crate::access::Access;
use crate::committed::Committed;
use crate::content::{self, Content};
use crate::delta::{self, Delta};
use crate::promotion::{self, Head, PromotionRow};
use crate::state::Tree;
use crate::tree_table::TreeTable;
use crate::triplet::TripletRow;
use crate::{StoreError, finish, ledger, reference, row, run, state, tree, triplet};

/// Applies `plan` inside the open transaction, where the index stands at `head`, and returns where the index stands then.
///
/// Everything is read and checked before the first row is written, but for streams: whether one is what it says is known when it
/// was copied, and the transaction cannot be committed if it is not.
pub(crate) fn apply(
    access: Access<'_>,
    head: Head,
    plan: &PromotionPlan,
    turn_record: &[u8],
) -> Result<Head, StoreError> {
    run::check_known(access, &plan.run_id)?;
    finish::check_open(access, &plan.run_id)?;
    ledger::check_order(access, &plan.run_id, plan.turn_id)?;
    let delta = delta::of(plan, access, Committed::new(access, head))?;

    let generation = head.generation + 1;
    let mut changes = Changes {
        access,
        generation: row::integer(generation, "generation")?,
    };
    for (digest, payload) in &plan.objects {
        if content::keep_payload(access, Content::Object, digest, payload)? {
            changes.note("object", &digest.to_hex())?;
        }
    }
    // Before the rows change: a tree of few sources is made of them.
    let ids = delta
        .ids
        .iter()
        .map(|(id, change)| Ok((id.as_str(), change.apply(access, id)?)));
    let ids = ids.collect::<Result<Vec<_>, StoreError>>()?;
    write_rows(access, plan, &delta, generation)?;
    delta
        .stems
        .keys()
        .try_for_each(|stem| changes.note("triplet", stem.as_str()))?;
    delta
        .ids
        .keys()
        .try_for_each(|id| changes.note("refs", id))?;
    let stems = delta
        .stems
        .iter()
        .map(|(stem, leaf)| (stem.as_str(), *leaf));
    let triplet_root = apply_leaves(access, Tree::Triplets, head.triplet_root, stems)?;
    let ref_root = apply_leaves(access, Tree::Refs, head.ref_root, ids.into_iter())?;

    let record_digest = Digest::of_bytes(turn_record);
    content::keep(access, Content::Record, &record_digest, turn_record)?;
    let promoted = PromotionRow {
        generation,
        run_id: plan.run_id.clone(),
        turn_id: plan.turn_id,
        record_digest,
        triplet_root,
        ref_root,
        state_digest: state::digest(&triplet_root, &ref_root),
        previous_digest: head.chain_digest,
    };
    ledger::advance(access, &plan.run_id, plan.turn_id)?;
    promotion::append(access, &promoted)
}

/// Writes rows of triplets and refs; those that go are moved to the history.
///
/// All old triplets go before the first new one comes, so that an id can move from one stem to another in one turn.
fn write_rows(
    access: Access<'_>,
    plan: &PromotionPlan,
    delta: &Delta,
    generation: u64,
) -> Result<(), StoreError> {
    delta
        .removed
        .iter()
        .try_for_each(|removed| reference::supersede(access, removed, generation))?;
    for stem in &plan.prune {
        triplet::supersede(access, stem, generation)?;
        if !delta.keeping.contains(stem) {
            triplet::remove(access, stem)?;
        }
    }
    for (record, id) in &plan.put {
        let row = TripletRow {
            record: record.clone(),
            id: id.clone(),
            generation,
        };
        if delta.keeping.contains(&record.stem) {
            triplet::change(access, &row)?;
        } else {
            triplet::insert(access, &row)?;
        }
    }
    delta
        .added
        .iter()
        .try_for_each(|added| reference::insert(access, added, generation))
}

fn apply_leaves<'a>(
    access: Access<'_>,
    tree: Tree,
    root: Digest,
    leaves: impl Iterator<Item = (&'a str, Option<Digest>)>,
) -> Result<Digest, StoreError> {
    let leaves: BTreeMap<Digest, Option<Digest>> = leaves
        .map(|(key, leaf)| (tree::key_hash(key), leaf))
        .collect();
    tree::apply(&mut TreeTable { access, tree }, root, &leaves)
}

/// Writes down what changed, so that the view can be brought forward from any generation.
struct Changes<'a> {
    access: Access<'a>,
    generation: i64,
}

impl Changes<'_> {
    fn note(&mut self, kind: &'static str, name: &str) -> Result<(), StoreError> {
        let failed = self.access.failed("written");
        let sql = "INSERT INTO changes (generation, kind, name) VALUES (?1, ?2, ?3)";
        let mut statement = self
            .access
            .connection
            .prepare_cached(sql)
            .map_err(&failed)?;
        statement
            .execute((self.generation, kind, name))
            .map_err(&failed)?;
        Ok(())
    }
}
