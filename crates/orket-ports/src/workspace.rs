//! The Workspace: the files of a project, apart from its database.

use std::collections::{BTreeMap, BTreeSet};

use orket_kernel::{Digest, Payload};

/// The kinds of assets a project holds below `model/`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum AssetKind {
    /// Goals.
    Rock,
    /// Sets of cards.
    Epic,
    /// Flows.
    Flow,
    /// Roles.
    Band,
    /// Model backends.
    Venue,
    /// Steps.
    Score,
    /// How models are spoken to.
    Dialect,
}

impl AssetKind {
    /// Returns the directory below `model/`.
    pub const fn directory(self) -> &'static str {
        match self {
            AssetKind::Rock => "rocks",
            AssetKind::Epic => "epics",
            AssetKind::Flow => "flows",
            AssetKind::Band => "bands",
            AssetKind::Venue => "venues",
            AssetKind::Score => "scores",
            AssetKind::Dialect => "dialects",
        }
    }

    /// Returns the word for one asset of the kind.
    pub const fn word(self) -> &'static str {
        match self {
            AssetKind::Rock => "rock",
            AssetKind::Epic => "epic",
            AssetKind::Flow => "flow",
            AssetKind::Band => "band",
            AssetKind::Venue => "venue",
            AssetKind::Score => "score",
            AssetKind::Dialect => "dialect",
        }
    }
}

/// A file of `agent_output/` as the index knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutputFile {
    /// The path below `agent_output/`.
    pub path: String,
    /// The bytes.
    pub payload: Payload,
    /// Whether it can be executed.
    pub executable: bool,
}

/// Says why a file of the project could not be read or written.
#[derive(Debug, thiserror::Error)]
#[error("{path} could not be {action}: {reason}")]
pub struct WorkspaceError {
    /// The path, relative to the project.
    pub path: String,
    /// `read`, `written`, …
    pub action: &'static str,
    /// Why.
    pub reason: String,
}

/// What changes when somebody writes a file: enough to see that a file need not be read again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutputStamp {
    /// The number of the file on its file system.
    pub file: u64,
    /// The length in bytes.
    pub length_bytes: u64,
    /// When the content changed, in seconds and nanoseconds.
    pub modified: (i64, u64),
    /// When anything of the file changed, its mode for instance.
    pub changed: (i64, u64),
}

/// What stands in `agent_output/` at a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OnDisk {
    /// Nothing.
    Absent,
    /// A regular file.
    File {
        /// The digest of its bytes.
        digest: Digest,
        /// Whether it can be executed.
        executable: bool,
    },
    /// Something that is not a plain file: a directory, a link, a special file.
    Other,
}

/// Everything below `agent_output/` that is not a directory.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OutputTree {
    /// The paths of the regular files with one link, sorted.
    pub files: Vec<String>,
    /// The paths of everything else: links, special files, files with several links, names that are not portable; sorted.
    pub others: Vec<String>,
}

/// Reads assets and writes projections. Every file is opened beneath the project, no link is followed.
pub trait Workspace: Send + Sync {
    /// Returns the bytes of an asset and its path for messages, or `None` if there is no such asset.
    fn asset(
        &self,
        kind: AssetKind,
        name: &str,
    ) -> Result<Option<(String, Vec<u8>)>, WorkspaceError>;

    /// Lists the names of the assets of a kind, sorted.
    fn asset_names(&self, kind: AssetKind) -> Result<Vec<String>, WorkspaceError>;

    /// Returns the bytes of a fixture below `verification/`.
    fn fixture(&self, path: &str) -> Result<Option<Vec<u8>>, WorkspaceError>;

    /// Tells what stands at a path of `agent_output/`.
    fn output(&self, path: &str) -> Result<OnDisk, WorkspaceError>;

    /// Returns the bytes of a file of `agent_output/` and whether it can be executed; `None` if no plain file stands there. Bytes
    /// that are too long to hold are read again from the file, which must stay as it is.
    fn output_payload(&self, path: &str) -> Result<Option<(Payload, bool)>, WorkspaceError>;

    /// Returns the stamp of what stands at a path of `agent_output/`; `None` if nothing does.
    fn output_stamp(&self, path: &str) -> Result<Option<OutputStamp>, WorkspaceError>;

    /// Writes one file of `agent_output/`; the file is the old one or the new one.
    fn write_output(&self, file: &OutputFile) -> Result<(), WorkspaceError>;

    /// Removes one file of `agent_output/`, and the directories above it that are empty. That there is none is no error.
    fn remove_output(&self, path: &str) -> Result<(), WorkspaceError>;

    /// Lists everything below `agent_output/`.
    fn outputs(&self) -> Result<OutputTree, WorkspaceError>;

    /// Writes one artefact of a run below `workspace/default/observability/`.
    fn write_observation(&self, path: &str, bytes: &[u8]) -> Result<(), WorkspaceError>;

    /// Returns the last sequence number of each run in `workspace/default/orket.log`; drops a torn last line.
    fn logged(&self) -> Result<BTreeMap<String, u64>, WorkspaceError>;

    /// Removes the events of runs from `workspace/default/orket.log`; the other lines stay, in their order.
    fn forget_logged(&self, runs: &BTreeSet<String>) -> Result<(), WorkspaceError>;

    /// Appends whole lines to `workspace/default/orket.log`.
    fn append_log(&self, lines: &[String]) -> Result<(), WorkspaceError>;
}
