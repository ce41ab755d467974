//! The state digest: one digest for everything that is committed, whatever way led there (kernel decision 13).
//!
//! ```text
//! state digest  SHA-256 of ["<root of triplets>","<root of refs>"]
//! triplet leaf  SHA-256 of {"body_digest","links_digest","lsi_version","manifest_digest","stem"}   key: the stem
//! refs leaf     SHA-256 of {"defined_by": "<stem>"|null,"id","sources": "<root of its sources>"}   key: the id
//! source leaf   the artifact_digest of the ref source record                                      key: ["<stem>","<location>","<relationship>"]
//! bucket        SHA-256 of {"entries":[["<key hash>","<leaf>"],...]}       at most 16 entries, sorted by key hash
//! inner node    SHA-256 of {"children":["<digest>",null,...],"count":<n>}  a child per hexadecimal digit of the key hash
//! ```
//!
//! A key hash is SHA-256 of the key; the key of a source is canonical JSON. A root is the digest of the node over all entries: a
//! bucket as long as it holds them, an inner node else. Each id has a tree of its sources, so that one reference more
//! costs the same however many stems reference the id. A leaf names neither a turn nor a run, and the shape of the tree depends on its content alone, so two runs that did the same reach
//! the same digest.
//!
//! This module computes the digest from nothing, which costs time in proportion to the state. A store keeps the nodes and
//! changes them in proportion to the change; both must agree.
//!
//! ```
//! use orket_kernel::state;
//!
//! // An index that holds nothing has a digest too.
//! let digest = state::digest(&state::root(&mut []), &state::root(&mut []));
//! assert_eq!(digest.to_hex(), "db26d02da7e29169d36edbd14f2a7f65b5833ca47a7e1d798f2f74d010d59619");
//! ```

use crate::canonical::{self, Value};
use crate::{Digest, RefSource, Stem, TripletRecord, object};

/// The most entries that one bucket holds.
pub const BUCKET_ENTRIES_MAX: usize = 16;
const FANOUT: usize = 16;
/// A key hash has this many hexadecimal digits.
const DEPTH_MAX: usize = 64;

/// What one key contributes: the SHA-256 of the key, and its leaf.
pub type Entry = (Digest, Digest);

/// Returns the state digest of two roots.
pub fn digest(triplet_root: &Digest, ref_root: &Digest) -> Digest {
    let roots = [triplet_root, ref_root].map(|root| Value::from(root.to_hex()));
    canonical::digest(&Value::Array(roots.into()))
}

/// Returns the entry of a triplet.
pub fn triplet_entry(record: &TripletRecord) -> Entry {
    let leaf = canonical::digest(&object! {
        "stem" => record.stem.as_str(),
        "body_digest" => record.body_digest.to_hex(),
        "links_digest" => record.links_digest.to_hex(),
        "manifest_digest" => record.manifest_digest.to_hex(),
        "lsi_version" => record.lsi_version.as_str(),
    });
    (Digest::of_bytes(record.stem.as_str().as_bytes()), leaf)
}

/// Returns the entry of an id; `None` if nothing defines it and nothing references it. `sources` is the root over the entries of
/// its sources, see [`source_root`].
pub fn ref_entry(id: &str, defined_by: Option<&Stem>, sources: &Digest) -> Option<Entry> {
    if defined_by.is_none() && *sources == root(&mut []) {
        return None;
    }
    let leaf = canonical::digest(&object! {
        "id" => id,
        "defined_by" => defined_by.map(Stem::as_str),
        "sources" => sources.to_hex(),
    });
    Some((Digest::of_bytes(id.as_bytes()), leaf))
}

/// Returns the entry of one source of an id.
pub fn source_entry(source: &RefSource) -> Entry {
    let key = [source.stem.as_str(), &source.location, &source.relationship].map(Value::from);
    let key = canonical::digest(&Value::Array(key.into()));
    (key, source.artifact_digest)
}

/// Returns the root over the sources of an id, which stand in any order.
pub fn source_root(sources: &[RefSource]) -> Digest {
    let mut entries: Vec<Entry> = sources.iter().map(source_entry).collect();
    root(&mut entries)
}

/// Returns the root over `entries`, which it sorts. A key stands among them once.
pub fn root(entries: &mut [Entry]) -> Digest {
    entries.sort();
    node(entries, 0)
}

/// Returns the digest of the node over `entries`, whose key hashes agree in their first `depth` hexadecimal digits.
fn node(entries: &[Entry], depth: usize) -> Digest {
    if entries.len() <= BUCKET_ENTRIES_MAX || depth == DEPTH_MAX {
        let entries: Vec<Value> = entries
            .iter()
            .map(|(key, leaf)| Value::from(vec![key.to_hex().into(), leaf.to_hex().into()]))
            .collect();
        return canonical::digest(&object! { "entries" => entries });
    }
    let mut children = vec![Value::Null; FANOUT];
    for group in entries.chunk_by(|one, other| digit(&one.0, depth) == digit(&other.0, depth)) {
        let place = group.first().map_or(0, |(key, _)| digit(key, depth));
        if let Some(child) = children.get_mut(place) {
            *child = node(group, depth + 1).to_hex().into();
        }
    }
    canonical::digest(&object! { "children" => children, "count" => entries.len() as u64 })
}

/// Returns the hexadecimal digit of a key hash at a depth.
fn digit(key: &Digest, depth: usize) -> usize {
    let byte = key.as_bytes().get(depth / 2).copied().unwrap_or_default();
    let digit = if depth.is_multiple_of(2) {
        byte >> 4
    } else {
        byte & 15
    };
    usize::from(digit)
}
