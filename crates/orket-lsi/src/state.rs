//! The trees behind the state digest, and what each stem and each id contributes to them.
//!
//! The law is the kernel's (`orket_kernel::state`): what a leaf is, and what the digest is over both roots. Here the nodes
//! are kept and changed in proportion to a change; a test holds both against each other.

use orket_kernel::canonical::Value;
use orket_kernel::{Digest, RefSource, Stem, TripletRecord, object, state};

pub(crate) use orket_kernel::state::{digest, source_entry, source_root};

/// One of the two trees.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tree {
    /// Of triplets.
    Triplets,
    /// Of definitions and references.
    Refs,
}

impl Tree {
    /// Returns the name of the table whose rows are the leaves.
    pub(crate) fn leaves(self) -> &'static str {
        match self {
            Tree::Triplets => "triplets",
            Tree::Refs => "refs",
        }
    }

    /// Returns the name of the table that keeps the nodes.
    pub(crate) fn nodes(self) -> &'static str {
        match self {
            Tree::Triplets => "triplet_nodes",
            Tree::Refs => "ref_nodes",
        }
    }
}

/// Returns the leaf of a triplet.
pub(crate) fn triplet_leaf(record: &TripletRecord) -> Digest {
    state::triplet_entry(record).1
}

/// Returns the leaf of an id; `None` if nothing defines it and nothing references it. `sources` is the root of its sources.
pub(crate) fn ref_leaf(id: &str, defined_by: Option<&Stem>, sources: &Digest) -> Option<Digest> {
    state::ref_entry(id, defined_by, sources).map(|(_, leaf)| leaf)
}

/// Returns a ref source record (Law 5) as a value.
pub(crate) fn source_value(source: &RefSource) -> Value {
    object! {
        "stem" => source.stem.as_str(),
        "location" => source.location.as_str(),
        "relationship" => source.relationship.as_str(),
        "artifact_digest" => source.artifact_digest.to_hex(),
    }
}
