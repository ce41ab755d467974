//! A home in one file, and back.
//!
//! The file is a plain tar archive, so that it can be looked into with any tool: `backup.json`, `database`, and `blobs/<digest>`
//! for each large content, in this order, the last sorted. All headers have the same owner, mode and time.

mod archive;
mod restore;
mod write;

use orket_kernel::Digest;

pub(crate) use restore::DRAFT;
pub use restore::Restored;

/// The version that every archive carries.
const VERSION: &str = "orket_backup/v1";

const MANIFEST: &str = "backup.json";
const DATABASE: &str = "database";
const BLOBS: &str = "blobs/";

/// What an archive says about itself, in its first entry.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Manifest {
    version: String,
    generation: u64,
    state_digest: Digest,
    database_digest: Digest,
    database_bytes: u64,
    blobs: u64,
}

/// What a backup holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BackedUp {
    /// The newest generation in it.
    pub generation: u64,
    /// The state digest.
    pub state_digest: Digest,
    /// How many large contents lie in it beside the database.
    pub blobs: u64,
    /// The length of the file.
    pub bytes: u64,
}
