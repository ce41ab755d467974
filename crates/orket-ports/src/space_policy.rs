//! The declarative policy of the filesystem spaces: what agents may read, and what they may write.

use std::collections::BTreeSet;

/// A space that agents may read.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum ReadSpace {
    /// What agents wrote: `agent_output/`.
    Workspace,
    /// The read-only inputs that the project names.
    Reference,
    /// The project.
    Domain,
}

/// A space that agents may write.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "snake_case", try_from = "String")]
pub enum WriteSpace {
    /// `agent_output/`.
    Workspace,
}

impl TryFrom<String> for WriteSpace {
    type Error = String;

    fn try_from(text: String) -> Result<WriteSpace, String> {
        match text.as_str() {
            "workspace" => Ok(WriteSpace::Workspace),
            "reference" => Err("reference spaces are never writable".into()),
            "domain" => {
                Err("agents cannot be let write the work domain, only \"workspace\"".into())
            }
            _ => Err(format!(
                "there is no space {text:?} to write; there is \"workspace\""
            )),
        }
    }
}

/// What agents may read and write. A run keeps the policy it began with.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SpacePolicy {
    /// The spaces that agents may read.
    #[serde(default = "every_read_space")]
    pub read_scope: BTreeSet<ReadSpace>,
    /// The spaces that agents may write.
    #[serde(default = "every_write_space")]
    pub write_scope: BTreeSet<WriteSpace>,
}

impl SpacePolicy {
    /// Tells whether agents may read a space.
    pub fn reads(&self, space: ReadSpace) -> bool {
        self.read_scope.contains(&space)
    }

    /// Tells whether agents may write a space.
    pub fn writes(&self, space: WriteSpace) -> bool {
        self.write_scope.contains(&space)
    }
}

impl Default for SpacePolicy {
    fn default() -> SpacePolicy {
        SpacePolicy {
            read_scope: every_read_space(),
            write_scope: every_write_space(),
        }
    }
}

fn every_read_space() -> BTreeSet<ReadSpace> {
    [
        ReadSpace::Workspace,
        ReadSpace::Reference,
        ReadSpace::Domain,
    ]
    .into()
}

fn every_write_space() -> BTreeSet<WriteSpace> {
    [WriteSpace::Workspace].into()
}
