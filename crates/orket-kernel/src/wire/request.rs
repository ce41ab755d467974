//! What is asked: one type per operation. Unknown members are refused.

use super::{ContractVersion, Operation};
use crate::canonical::{self, DeserializeError};
use crate::capability::{Policy, ToolRequest};
use crate::{
    KernelIssue, Outcome, Profile, RecordedRun, RunDescriptor, RunEnvelope, RunHandle, RunId, Stem,
    TraceArtifact, Triplet, TurnId, TurnInput,
};

macro_rules! requests {
    ($($name:ident,)+) => {
        /// A request of any operation, read and checked for its shape.
        #[derive(Clone, Debug, PartialEq)]
        pub enum Request {
            $(#[doc = concat!("The request of `", stringify!($name), "`.")] $name(Box<$name>),)+
        }

        impl Request {
            /// Reads the request of an operation.
            ///
            /// # Errors
            /// Says what is wrong with it, and where.
            pub fn read(operation: Operation, request: &[u8]) -> Result<Request, DeserializeError> {
                match operation {
                    $(Operation::$name => Ok(Request::$name(canonical::from_bytes(request)?)),)+
                }
            }

            /// Returns the operation.
            pub fn operation(&self) -> Operation {
                match self { $(Request::$name(_) => Operation::$name),+ }
            }
        }
    };
}

requests! {
    StartRun, ExecuteTurn, CommitTurn, FinishRun, EmitEvent, WriteTraceArtifacts, ValidateTriplet,
    ValidateLinksAgainstIndex, StageDeletions, AuthorizeToolCall, ResolveCapability, ReplayRun, CompareRuns,
}

macro_rules! request {
    ($(#[doc = $doc:literal])+ $name:ident { $($(#[$attribute:meta])+ $field:ident: $type:ty,)* }) => {
        $(#[doc = $doc])+
        #[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
        #[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
        #[serde(deny_unknown_fields)]
        pub struct $name {
            /// The version of the contract.
            pub contract_version: ContractVersion,
            $($(#[$attribute])+ pub $field: $type,)*
        }
    };
}

request! {
    /// The request of `start-run`.
    StartRun {
        /// What is fixed for the run.
        envelope: RunEnvelope,
    }
}

request! {
    /// The request of `execute-turn`.
    ExecuteTurn {
        /// The run.
        run_handle: RunHandle,
        /// What the turn proposes.
        turn_input: TurnInput,
        /// Raw bytes that bodies name by digest in `content_digest`.
        #[serde(default)]
        #[cfg_attr(feature = "schema", schemars(length(max = crate::limits::ATTACHMENTS_MAX)))]
        attachments: Vec<Attachment>,
    }
}

request! {
    /// The request of `commit-turn`.
    CommitTurn {
        /// The run.
        run_handle: RunHandle,
        /// The turn; it must be the next one of the run.
        turn_id: TurnId,
    }
}

request! {
    /// The request of `finish-run`.
    FinishRun {
        /// The run.
        run_handle: RunHandle,
        /// How it ended.
        outcome: Outcome,
        /// The commit signal: whether what is staged is to be promoted. With FAIL it must be false.
        commit: bool,
    }
}

request! {
    /// The request of `emit-event`.
    EmitEvent {
        /// The issue.
        issue: KernelIssue,
    }
}

request! {
    /// The request of `write-trace-artifacts`.
    WriteTraceArtifacts {
        /// The run.
        run_handle: RunHandle,
        /// What is to be kept.
        trace_bundle: TraceBundle,
    }
}

request! {
    /// The request of `validate-triplet`.
    ValidateTriplet {
        /// The vocabulary.
        profile: Profile,
        /// The triplet.
        triplet: Triplet,
    }
}

request! {
    /// The request of `validate-links-against-index`.
    ValidateLinksAgainstIndex {
        /// The run whose staged turns are visible; without one only what is committed is.
        #[serde(default)]
        run_handle: Option<RunHandle>,
        /// The triplet.
        triplet: Triplet,
    }
}

request! {
    /// The request of `stage-deletions`.
    StageDeletions {
        /// The run.
        run_handle: RunHandle,
        /// The turn; it must be the next one of the run.
        turn_id: TurnId,
        /// The stems to delete.
        stems: Vec<Stem>,
    }
}

request! {
    /// The request of `authorize-tool-call`.
    AuthorizeToolCall {
        /// Whose policy decides.
        by: Authority,
        /// The place of the call in its turn, counted from 0.
        #[serde(default)]
        ordinal: u64,
        /// The call.
        tool_request: ToolRequest,
    }
}

request! {
    /// The request of `resolve-capability`.
    ResolveCapability {
        /// Whose policy decides.
        by: Authority,
        /// The role.
        role: String,
        /// The task.
        task: String,
    }
}

request! {
    /// The request of `replay-run`.
    ReplayRun {
        /// The run.
        run_descriptor: RunDescriptor,
    }
}

request! {
    /// The request of `compare-runs`.
    CompareRuns {
        /// The first run.
        run_a: ComparedRun,
        /// The second run.
        run_b: ComparedRun,
    }
}

/// Raw bytes on the wire.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Attachment {
    /// Bytes that are UTF-8.
    Text(String),
    /// Any bytes, in hexadecimal digits.
    Hex(HexBytes),
}

/// Bytes that are written in lower-case hexadecimal digits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HexBytes(pub Vec<u8>);

/// What `write-trace-artifacts` keeps.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct TraceBundle {
    /// The artifacts, at most 1,000.
    #[cfg_attr(feature = "schema", schemars(length(max = crate::limits::TRACE_ARTIFACTS_MAX)))]
    pub artifacts: Vec<TraceArtifact>,
}

/// Whose policy decides.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Authority {
    /// The policy that was fixed when this run started.
    RunHandle(RunHandle),
    /// This policy, for a run that is not kept anywhere.
    Policy {
        /// The name of the run in the audit record.
        run_id: RunId,
        /// The policy.
        policy: Policy,
    },
}

/// A run to compare.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum ComparedRun {
    /// A run of the store.
    RunId(RunId),
    /// What a run came to, from anywhere.
    Recorded(RecordedRun),
}

impl Attachment {
    /// Returns the bytes.
    pub fn into_bytes(self) -> Vec<u8> {
        match self {
            Attachment::Text(text) => text.into_bytes(),
            Attachment::Hex(bytes) => bytes.0,
        }
    }
}

impl serde::Serialize for HexBytes {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&hex::encode(&self.0))
    }
}

impl<'de> serde::Deserialize<'de> for HexBytes {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <String as serde::Deserialize>::deserialize(deserializer)?;
        let is_lower = !text.bytes().any(|byte| byte.is_ascii_uppercase());
        match hex::decode(&text) {
            Ok(bytes) if is_lower => Ok(HexBytes(bytes)),
            _ => Err(serde::de::Error::custom(
                "the bytes must be written as pairs of the digits 0-9 and a-f",
            )),
        }
    }
}
