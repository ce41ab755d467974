//! The nodes of the state trees that a transaction has already checked.
//!
//! A promotion goes down the same paths several times: when it is planned, when it is compared with the state, and when
//! it changes the tree. The nodes near the root lie on all of them. Each is read and hashed once.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;

use orket_kernel::Digest;

use crate::tree::Node;

/// About 5 MiB at the most.
const NODES_MAX: usize = 4096;

/// Nodes by the digest that was found to be theirs. It lives no longer than one transaction, whose view of the database
/// nothing else changes, so no damage that comes later is hidden by it.
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
