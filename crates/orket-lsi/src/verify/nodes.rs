//! The stored nodes of the newest state digest, from the roots that the chain holds down to the leaves.

use std::collections::BTreeMap;

use orket_kernel::Digest;

use super::Findings;
use crate::access::Access;
use crate::promotion::Head;
use crate::source_tree::SourceTree;
use crate::state::Tree;
use crate::tree_table::TreeTable;
use crate::{StoreError, state, tree, triplet};

/// The leaves of one tree by key hash.
pub(super) type Leaves = BTreeMap<Digest, Digest>;

/// Returns the leaves of both trees; `None` if a node is damaged.
pub(super) fn check(
    access: Access<'_>,
    findings: &mut Findings,
    head: Head,
) -> Result<Option<[Leaves; 2]>, StoreError> {
    let trees = [
        (Tree::Triplets, head.triplet_root),
        (Tree::Refs, head.ref_root),
    ];
    let mut found = [None, None];
    for (slot, (tree, root)) in found.iter_mut().zip(trees) {
        findings.part(tree.nodes(), |findings| {
            let nodes = TreeTable { access, tree };
            let mut leaves = Leaves::new();
            let mut count: i64 = 0;
            tree::walk(&nodes, root, &mut |entries| {
                count += 1;
                leaves.extend(entries.iter().copied());
            })?;
            findings.looked_at += count.unsigned_abs();
            let failed = access.failed("read");
            let sql = format!("SELECT count(*) FROM {}", tree.nodes());
            let kept: i64 = access
                .connection
                .query_row(&sql, [], |row| row.get(0))
                .map_err(&failed)?;
            if kept != count {
                let reason = format!("{kept} nodes are kept, and the root reaches {count}");
                findings.corrupt(tree.nodes().to_owned(), reason);
            }
            *slot = Some(leaves);
            Ok(())
        })?;
    }
    let [triplets, refs] = found;
    findings.part("source_nodes", |findings| {
        check_sources(access, findings, refs.as_ref())
    })?;
    Ok(triplets.zip(refs).map(|(triplets, refs)| [triplets, refs]))
}

/// Checks the trees of the sources of those ids that have nodes of their own.
fn check_sources(
    access: Access<'_>,
    findings: &mut Findings,
    leaves: Option<&Leaves>,
) -> Result<(), StoreError> {
    let sql = "SELECT id, count(*) FROM source_nodes GROUP BY id ORDER BY id";
    let failed = access.failed("read");
    findings.each_row(access, "source_nodes", sql, |findings, row| {
        let id: String = row.get(0).map_err(&failed)?;
        let kept: i64 = row.get(1).map_err(&failed)?;
        let place = format!("source_nodes {id:?}");
        let nodes = SourceTree { access, id: &id };
        let (root, _) = nodes.root()?;
        let defined_by = triplet::defining_stem(access, &id)?;
        let leaf = state::ref_leaf(&id, defined_by.as_ref(), &root);
        if leaves.is_some_and(|leaves| leaves.get(&tree::key_hash(&id)).copied() != leaf) {
            let reason = "its root does not match the state digest";
            findings.corrupt(place, reason);
            return Ok(());
        }
        let mut count: i64 = 0;
        tree::walk(&nodes, root, &mut |_| count += 1)?;
        findings.looked_at += count.unsigned_abs();
        if kept != count || count == 1 {
            let reason = format!("{kept} nodes are kept, and the root reaches {count}");
            findings.corrupt(place, reason);
        }
        Ok(())
    })
}
