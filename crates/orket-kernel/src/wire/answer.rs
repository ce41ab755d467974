//! What is answered: one frame for all operations, and the result of each.

use super::{ContractVersion, Operation};
use crate::canonical::{self, Value};
use crate::capability::{CapabilityPlan, Decision};
use crate::{Digest, KernelIssue, Outcome, Pointer, RunHandle, TurnResult, event};

/// The answer to a request that could be read.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Answer {
    /// The version of the contract.
    pub contract_version: ContractVersion,
    /// The name of the operation.
    #[cfg_attr(
        feature = "schema",
        schemars(schema_with = "super::schema::shapes::operation_name")
    )]
    pub operation: String,
    /// PASS or FAIL.
    pub outcome: Outcome,
    /// What came out; null if the request was refused as a whole.
    pub result: Value,
    /// Why it failed, and what is worth knowing; sorted.
    pub issues: Vec<KernelIssue>,
    /// The same as event lines.
    pub events: Vec<String>,
}

impl Answer {
    pub(super) fn new(operation: Operation, result: Value, issues: Vec<KernelIssue>) -> Answer {
        let fails = issues.iter().any(KernelIssue::is_failure);
        Answer {
            contract_version: ContractVersion,
            operation: operation.as_str().to_owned(),
            outcome: if fails { Outcome::Fail } else { Outcome::Pass },
            result,
            events: issues.iter().map(event::format).collect(),
            issues,
        }
    }

    /// Returns the canonical text of the answer, without a newline.
    ///
    /// # Errors
    /// Fails only if a value cannot be written, which no answer can cause.
    pub fn to_bytes(&self) -> Result<Vec<u8>, canonical::SerializeError> {
        canonical::serialize(self)
    }
}

/// The answer to a request that could not be read.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct InvalidRequest {
    /// The version of the contract.
    pub contract_version: ContractVersion,
    /// The name of the operation.
    #[cfg_attr(
        feature = "schema",
        schemars(schema_with = "super::schema::shapes::operation_name")
    )]
    pub operation: String,
    /// `INVALID`.
    #[cfg_attr(feature = "schema", schemars(extend("const" = "INVALID")))]
    pub outcome: String,
    /// What is wrong, and where.
    pub error: RequestFault,
}

/// What is wrong with a request.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct RequestFault {
    /// What is wrong and what is expected.
    pub message: String,
    /// Where, in the request.
    pub pointer: Pointer,
    /// The byte at which the text stops being JSON with a canonical form; null if it is such JSON.
    pub byte_offset: Option<u64>,
}

impl std::fmt::Display for RequestFault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{}, at pointer {:?}",
            self.message,
            self.pointer.as_str()
        )?;
        self.byte_offset
            .map_or(Ok(()), |byte| write!(f, ", byte {byte}"))
    }
}

/// The result of `start-run`.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct RunAnswer {
    /// The handle that names the run from now on.
    pub run_handle: RunHandle,
}

/// The result of `execute-turn` and `stage-deletions`.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct TurnAnswer {
    /// The result of the turn.
    pub turn_result: TurnResult,
    /// Its structural digest.
    pub turn_result_digest: Digest,
    /// One audit record per tool call.
    pub decisions: Vec<Decision>,
}

/// The result of `emit-event`.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct EventAnswer {
    /// The event line, without a newline.
    pub line: String,
}

/// The result of `write-trace-artifacts`.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct TraceArtifactsAnswer {
    /// What was kept, sorted by name.
    pub artifacts: Vec<TraceArtifactAnswer>,
}

/// One artifact that was kept.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct TraceArtifactAnswer {
    /// Its name.
    pub name: String,
    /// The digest of its canonical bytes.
    pub digest: Digest,
}

/// The result of `authorize-tool-call`.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct DecisionAnswer {
    /// The audit record.
    pub decision: Decision,
}

/// The result of `resolve-capability`.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct CapabilityAnswer {
    /// What the role may do in the task.
    pub plan: CapabilityPlan,
}
