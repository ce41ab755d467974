//! The rows of the newest generation against the leaves of its state digest.

use std::collections::BTreeMap;

use orket_kernel::Digest;

use super::Findings;
use super::nodes::Leaves;
use crate::access::Access;
use crate::promotion::Head;
use crate::state::Tree;
use crate::{StoreError, history, past, row, state, tree, triplet};

pub(super) fn check(
    access: Access<'_>,
    findings: &mut Findings,
    head: Head,
    leaves: Option<[Leaves; 2]>,
) -> Result<(), StoreError> {
    let mut triplets: BTreeMap<Digest, (String, Digest)> = BTreeMap::new();
    let sql = "SELECT stem FROM triplets";
    findings.each_row(access, "triplets", sql, |_, row| {
        let text: String = row.get(0).map_err(access.failed("read"))?;
        if let Some(row) = triplet::read(access, &row::stem(&text)?)? {
            let leaf = state::triplet_leaf(&row.record);
            triplets.insert(tree::key_hash(&text), (text, leaf));
        }
        Ok(())
    })?;
    let mut refs: BTreeMap<Digest, (String, Digest)> = BTreeMap::new();
    for id in history::ids(access, head.generation)? {
        findings.part("refs", |_| {
            if let Some(leaf) = past::ref_leaf(access, &id, head.generation)? {
                refs.insert(tree::key_hash(&id), (id, leaf));
            }
            Ok(())
        })?;
    }
    match leaves {
        Some([triplet_leaves, ref_leaves]) => {
            compare(
                findings,
                Tree::Triplets.leaves(),
                &triplets,
                &triplet_leaves,
            );
            compare(findings, Tree::Refs.leaves(), &refs, &ref_leaves);
        }
        // Without its nodes the tree tells only whether all rows are as they were.
        None => {
            for (tree, rows, root) in [
                (Tree::Triplets, &triplets, head.triplet_root),
                (Tree::Refs, &refs, head.ref_root),
            ] {
                let entries: Vec<tree::Entry> =
                    rows.iter().map(|(key, (_, leaf))| (*key, *leaf)).collect();
                if tree::root_of(&entries) != root {
                    findings.corrupt(tree.leaves(), "its rows do not match the state digest");
                }
            }
        }
    }
    Ok(())
}

fn compare(
    findings: &mut Findings,
    table: &str,
    rows: &BTreeMap<Digest, (String, Digest)>,
    leaves: &Leaves,
) {
    for (key, (name, leaf)) in rows {
        if leaves.get(key) != Some(leaf) {
            let reason = "the row does not match the state digest";
            findings.corrupt(format!("{table} {name}"), reason);
        }
    }
    for key in leaves.keys().filter(|key| !rows.contains_key(*key)) {
        let place = format!("{table} with the key hash {key}");
        findings.corrupt(
            place,
            "the state digest holds it, and no readable row is there",
        );
    }
}
