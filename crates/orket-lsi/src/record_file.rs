//! The files of Spec-002: where the records of the index lie in a browsable layout, and what they say.
//!
//! ```text
//! objects/<2 hex>/<digest>               the bytes
//! triplets/<2 hex>/<token(stem)>.json    the triplet record
//! refs/by_id/<2 hex>/<token(id)>.json    who defines the id, and all ref source records
//! ```
//!
//! The two digits are the first of the digest of the object, or of SHA-256 of the stem or id. Records are canonical JSON.

use std::path::PathBuf;

use orket_kernel::canonical::{self, Value};
use orket_kernel::{Digest, LSI_VERSION, RefSource, Stem, TripletRecord, object};

use crate::{state, token};

/// The directories of the layout.
pub(crate) const DIRECTORIES: [&str; 3] = [OBJECTS, TRIPLETS, "refs"];
pub(crate) const OBJECTS: &str = "objects";
pub(crate) const TRIPLETS: &str = "triplets";
pub(crate) const REFS_BY_ID: &str = "refs/by_id";

/// The content of a file in `refs/by_id/`.
#[derive(serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RefFile {
    /// The version of the records.
    pub(crate) lsi_version: String,
    /// The id.
    pub(crate) id: String,
    /// The stem whose body defines it.
    pub(crate) defined_by: Option<Stem>,
    /// The places that reference it, sorted.
    pub(crate) sources: Vec<RefSource>,
}

/// Returns where an object lies.
pub(crate) fn object_path(digest: &Digest) -> PathBuf {
    let name = digest.to_hex();
    PathBuf::from(OBJECTS).join(&name[..2]).join(name)
}

/// Returns where a triplet record lies.
pub(crate) fn triplet_path(stem: &Stem) -> PathBuf {
    record_path(TRIPLETS, stem.as_str())
}

/// Returns where the record of an id lies.
pub(crate) fn ref_path(id: &str) -> PathBuf {
    record_path(REFS_BY_ID, id)
}

fn record_path(directory: &str, name: &str) -> PathBuf {
    let digits = Digest::of_bytes(name.as_bytes()).to_hex();
    PathBuf::from(directory)
        .join(&digits[..2])
        .join(format!("{}.json", token(name)))
}

/// Returns the file of a triplet record.
pub(crate) fn triplet_bytes(record: &TripletRecord) -> Vec<u8> {
    canonical::to_bytes(&object! {
        "stem" => record.stem.as_str(),
        "body_digest" => record.body_digest.to_hex(),
        "links_digest" => record.links_digest.to_hex(),
        "manifest_digest" => record.manifest_digest.to_hex(),
        "updated_at_turn" => record.updated_at_turn.to_string(),
        "lsi_version" => record.lsi_version.as_str(),
    })
}

/// Returns the file of an id.
pub(crate) fn ref_bytes(id: &str, defined_by: Option<&Stem>, sources: &[RefSource]) -> Vec<u8> {
    canonical::to_bytes(&object! {
        "lsi_version" => LSI_VERSION,
        "id" => id,
        "defined_by" => defined_by.map(Stem::as_str),
        "sources" => sources.iter().map(state::source_value).collect::<Vec<Value>>(),
    })
}
