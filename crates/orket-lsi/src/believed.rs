//! The nodes of the state trees that were already checked.
//!
//! A promotion goes down the same paths several times: when it is planned, when it is compared with the state, and when
//! it changes the tree; and the nodes near the root lie on the paths of every promotion. Each is read and hashed once.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;

use orket_kernel::Digest;

use crate::tree::Node;

/// About 5 MiB at the most.
const NODES_MAX: usize = 4096;

/// Nodes by the digest that was found to be theirs, so what is kept here is true of any database and at any time. As a page
/// that SQLite holds, a node that is held is not read again: what becomes of its row meanwhile a verification finds.
#[derive(Debug, Default)]
pub(crate) struct Believed {
    nodes: RefCell<BTreeMap<Digest, Arc<Node>>>,
}

impl Believed {
    pub(crate) fn get(&self, digest: &Digest) -> Option<Arc<Node>> {
        self.nodes.borrow().get(digest).cloned()
    }

    pub(crate) fn keep(&self, digest: Digest, node: &Arc<Node>) {
        let mut nodes = self.nodes.borrow_mut();
        if nodes.len() >= NODES_MAX {
            nodes.clear();
        }
        nodes.insert(digest, Arc::clone(node));
    }
}
