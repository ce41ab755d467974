//! What a command came to, as a turn record holds it: a replay takes it from there instead of running the command.

use orket_kernel::Digest;
use orket_kernel::canonical::{self, Value};

/// The outcome of a command, with all that it did to the artefacts.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CommandOutcome {
    /// Tells the outcome of a command from other outcomes.
    pub kind: CommandKind,
    /// What the model is told.
    pub told: Value,
    /// The artefacts that it wrote, by path.
    pub written: Vec<WrittenFile>,
    /// The paths of the artefacts that it removed, sorted.
    pub removed: Vec<String>,
}

/// The mark of [`CommandOutcome`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CommandKind {
    /// It is one.
    Command,
}

/// An artefact that a command wrote. Its bytes are an object of the index, as those of every artefact.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WrittenFile {
    /// The path below `agent_output/`.
    pub path: String,
    /// The digest of the bytes.
    pub content_digest: Digest,
    /// How many bytes there are.
    pub length: u64,
    /// Whether the file can be executed.
    pub executable: bool,
}

impl CommandOutcome {
    /// Reads a recorded outcome; `None` if it is not that of a command.
    pub fn from_value(value: &Value) -> Option<CommandOutcome> {
        canonical::from_value(value.clone()).ok()
    }
}
