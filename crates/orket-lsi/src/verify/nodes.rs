//! The stored nodes of the newest state digest, from the roots that the chain holds down to the leaves.

use std::collections::BTreeMap;

use orket_kernel::Digest;

use super::Findings;
use crate::StoreError;
use crate::access::Access;
use crate::promotion::Head;
use crate::state::Tree;
use crate::tree;
use crate::tree_table::TreeTable;

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
    Ok(triplets.zip(refs).map(|(triplets, refs)| [triplets, refs]))
}
