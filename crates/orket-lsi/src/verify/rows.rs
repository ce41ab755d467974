//! The rows of the newest generation against the leaves of its state digest.

use orket_kernel::{Digest, RefSource};

use super::Findings;
use super::nodes::Leaves;
use super::spans::{self, Fact, Rows};
use crate::access::Access;
use crate::promotion::Head;
use crate::source_tree::SourceTree;
use crate::state::Tree;
use crate::tree::BUCKET_ENTRIES_MAX;
use crate::{StoreError, state, tree};

pub(super) fn check(
    access: Access<'_>,
    findings: &mut Findings,
    head: Head,
    leaves: Option<[Leaves; 2]>,
) -> Result<(), StoreError> {
    let [triplets, refs] = match leaves {
        Some(leaves) => leaves.map(Expected::Leaves),
        None => [head.triplet_root, head.ref_root].map(|root| Expected::Root(root, Vec::new())),
    };
    let mut triplets = triplets;
    spans::of_stems(access, findings, Rows::Newest, |findings, stem, found| {
        for span in found {
            triplets.meet(findings, Tree::Triplets.leaves(), stem, span.fact);
        }
        Ok(())
    })?;
    triplets.finish(findings, Tree::Triplets.leaves());
    let mut refs = refs;
    spans::of_ids(access, findings, Rows::Newest, |findings, id, found| {
        let mut facts: Vec<_> = found.into_iter().map(|span| span.fact).collect();
        facts.sort();
        let defined_by = spans::definition(id, &facts)?;
        let sources: Vec<RefSource> = facts.iter().filter_map(Fact::source).cloned().collect();
        let root = state::source_root(&sources);
        if let Some(leaf) = state::ref_leaf(id, defined_by, &root) {
            refs.meet(findings, Tree::Refs.leaves(), id, leaf);
        }
        // The tree of few sources is made of the rows, and one that has nodes nevertheless was told with the nodes.
        let nodes = SourceTree { access, id };
        if sources.len() > BUCKET_ENTRIES_MAX && nodes.root()?.0 != root {
            let reason = "the nodes that are kept of its sources are not those of its rows";
            findings.corrupt(format!("source_nodes {id:?}"), reason);
        }
        Ok(())
    })?;
    refs.finish(findings, Tree::Refs.leaves());
    Ok(())
}

/// What the rows of one tree must come to.
enum Expected {
    /// The leaves that no row was met for yet.
    Leaves(Leaves),
    /// Without its nodes the tree tells only whether all rows are as they were.
    Root(Digest, Vec<tree::Entry>),
}

impl Expected {
    fn meet(&mut self, findings: &mut Findings, table: &str, name: &str, leaf: Digest) {
        let key = tree::key_hash(name);
        match self {
            Expected::Leaves(leaves) => {
                if leaves.remove(&key) != Some(leaf) {
                    let reason = "the row does not match the state digest";
                    findings.corrupt(format!("{table} {name}"), reason);
                }
            }
            Expected::Root(_, entries) => entries.push((key, leaf)),
        }
    }

    fn finish(self, findings: &mut Findings, table: &str) {
        match self {
            Expected::Leaves(leaves) => {
                for key in leaves.keys() {
                    let place = format!("{table} with the key hash {key}");
                    findings.corrupt(
                        place,
                        "the state digest holds it, and no readable row is there",
                    );
                }
            }
            Expected::Root(root, entries) => {
                if tree::root_of(&entries) != root {
                    findings.corrupt(table, "its rows do not match the state digest");
                }
            }
        }
    }
}
