//! The digest of the whole committed state, and what each stem and each id contributes to it.
//!
//! ```text
//! state digest  SHA-256 of ["<root of triplets>","<root of refs>"]
//! triplet leaf  SHA-256 of {"body_digest","links_digest","lsi_version","manifest_digest","stem"}   key: the stem
//! refs leaf     SHA-256 of {"defined_by": "<stem>"|null,"id","sources": [ref source records]}      key: the id
//! ```
//!
//! A triplet's leaf leaves out the turn, and nothing here names a run: two runs that did the same reach the same
//! digest. An id that nothing defines and nothing references has no entry.

use orket_kernel::canonical::{self, Value};
use orket_kernel::{Digest, RefSource, Stem, TripletRecord, object};

/// The tree of triplets.
pub(crate) const TRIPLETS: &str = "triplets";
/// The tree of definitions and references.
pub(crate) const REFS: &str = "refs";

/// Returns the state digest of two roots.
pub(crate) fn digest(triplet_root: &Digest, ref_root: &Digest) -> Digest {
    let roots = [triplet_root, ref_root].map(|root| Value::from(root.to_hex()));
    canonical::digest(&Value::Array(roots.into()))
}

/// Returns the leaf of a triplet.
pub(crate) fn triplet_leaf(record: &TripletRecord) -> Digest {
    canonical::digest(&object! {
        "stem" => record.stem.as_str(),
        "body_digest" => record.body_digest.to_hex(),
        "links_digest" => record.links_digest.to_hex(),
        "manifest_digest" => record.manifest_digest.to_hex(),
        "lsi_version" => record.lsi_version.as_str(),
    })
}

/// Returns the leaf of an id; `None` if nothing defines it and nothing references it.
pub(crate) fn ref_leaf(
    id: &str,
    defined_by: Option<&Stem>,
    sources: &[RefSource],
) -> Option<Digest> {
    if defined_by.is_none() && sources.is_empty() {
        return None;
    }
    Some(canonical::digest(&object! {
        "id" => id,
        "defined_by" => defined_by.map(Stem::as_str),
        "sources" => sources.iter().map(source_value).collect::<Vec<Value>>(),
    }))
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
