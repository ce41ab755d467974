//! Every retained generation: its rows must have the state digest that the chain says.
//!
//! The trees of the oldest one are made from its rows and then changed generation by generation, so that the whole costs
//! as much as all promotions did.

use std::collections::BTreeMap;

use orket_kernel::Digest;

use super::Findings;
use crate::access::Access;
use crate::promotion::{self, Head};
use crate::tree::{self, Node, Nodes};
use crate::{StoreError, history, horizon, past, row, state};

pub(super) fn check(
    access: Access<'_>,
    findings: &mut Findings,
    head: Head,
) -> Result<(), StoreError> {
    let oldest = horizon::read(access)?;
    let (mut triplets, mut refs) = (Memory::default(), Memory::default());
    for generation in oldest..=head.generation {
        let place = format!("generation {generation}");
        let (stems, ids) = if generation == oldest {
            let stems = history::stems(access, "", generation)?;
            let stems: Vec<String> = stems.iter().map(|stem| stem.as_str().to_owned()).collect();
            (stems, history::ids(access, generation)?)
        } else {
            (
                history::changed(access, "triplet", generation - 1, generation)?,
                history::changed(access, "refs", generation - 1, generation)?,
            )
        };
        findings.looked_at += (stems.len() + ids.len()) as u64;
        let mut changes = BTreeMap::new();
        for stem in stems {
            findings.part(&place, |_| {
                let row = history::triplet(access, &row::stem(&stem)?, generation)?;
                let leaf = row.map(|row| state::triplet_leaf(&row.record));
                changes.insert(tree::key_hash(&stem), leaf);
                Ok(())
            })?;
        }
        triplets.apply(&changes);
        changes.clear();
        for id in ids {
            findings.part(&place, |_| {
                let leaf = past::ref_leaf(access, &id, generation)?;
                changes.insert(tree::key_hash(&id), leaf);
                Ok(())
            })?;
        }
        refs.apply(&changes);
        let expected = match generation {
            0 => Head::empty(),
            // A row of the chain that is damaged is told with the chain.
            _ => match promotion::at(access, generation) {
                Ok(Some(row)) => Head::of(&row),
                _ => continue,
            },
        };
        if triplets.root != expected.triplet_root {
            findings.corrupt(&place, "its triplets do not match the state digest");
        }
        if refs.root != expected.ref_root {
            findings.corrupt(&place, "its refs do not match the state digest");
        }
    }
    Ok(())
}

/// A tree in memory.
struct Memory {
    nodes: BTreeMap<String, Node>,
    root: Digest,
}

impl Default for Memory {
    fn default() -> Memory {
        Memory {
            nodes: BTreeMap::new(),
            root: tree::empty_root(),
        }
    }
}

impl Memory {
    fn apply(&mut self, changes: &BTreeMap<Digest, Option<Digest>>) {
        let root = self.root;
        if let Ok(root) = tree::apply(self, root, changes) {
            self.root = root;
        }
    }
}

/// A node that is not the one its parent names, which no apply in memory leaves behind.
struct Damaged;

impl Nodes for Memory {
    type Error = Damaged;

    fn load(&self, path: &str) -> Result<Option<Node>, Damaged> {
        Ok(self.nodes.get(path).cloned())
    }

    fn store(&mut self, path: &str, node: &Node) -> Result<(), Damaged> {
        self.nodes.insert(path.to_owned(), node.clone());
        Ok(())
    }

    fn remove(&mut self, path: &str) -> Result<(), Damaged> {
        self.nodes.remove(path);
        Ok(())
    }

    fn damaged(&self, _: &str) -> Damaged {
        Damaged
    }
}
