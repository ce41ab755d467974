//! What asks to be allowed.

use super::Action;
use crate::canonical::Value;

/// One tool call as it asks to be allowed. It carries no rights of its own.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ToolRequest {
    /// The role that acts.
    pub role: String,
    /// The name of the Score step.
    pub task: String,
    /// The tool.
    pub tool: String,
    /// What the tool does, as the host knows it; [`Action::CALL`] if it says nothing.
    #[serde(default)]
    pub action: Action,
    /// The arguments.
    pub arguments: Value,
}
