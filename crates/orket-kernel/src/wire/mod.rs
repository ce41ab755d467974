//! The kernel for other languages: one JSON request in, one JSON answer out.
//!
//! Every operation of the API (§2) has a name, a request type and an answer type; `orket kernel OPERATION` is [`call`] over
//! the index of a home, and `orket kernel schema` prints the JSON Schemas of these types.
//!
//! ```
//! use orket_kernel::MemoryStore;
//! use orket_kernel::wire::{self, Operation};
//!
//! let request = br#"{"contract_version":"kernel_api/v1","issue":{"level":"INFO","stage":"determinism",
//!     "code":"I_NOOP_PROMOTION","location":"","message":"nothing to do","details":{}}}"#;
//! let answer = wire::call::<MemoryStore>(None, Operation::EmitEvent, request)?;
//! assert_eq!(
//!     answer.result.get("line").and_then(|line| line.as_str()),
//!     Some("INFO|determinism|I_NOOP_PROMOTION||nothing to do|{}")
//! );
//! # Ok::<(), wire::CallError>(())
//! ```

mod answer;
mod call;
mod operation;
mod request;
pub(crate) mod schema;
mod version;

pub use answer::{
    Answer, CapabilityAnswer, DecisionAnswer, EventAnswer, InvalidRequest, RequestFault, RunAnswer,
    TraceArtifactAnswer, TraceArtifactsAnswer, TurnAnswer,
};
pub use call::{CallError, answer, call};
pub use operation::{Operation, StoreUse};
pub use request::{
    Attachment, Authority, AuthorizeToolCall, CommitTurn, CompareRuns, ComparedRun, EmitEvent,
    ExecuteTurn, FinishRun, ReplayRun, Request, ResolveCapability, StageDeletions, StartRun,
    TraceBundle, ValidateLinksAgainstIndex, ValidateTriplet, WriteTraceArtifacts,
};
#[cfg(feature = "schema")]
pub use schema::generated_schemas;
pub use schema::{schema, schemas};
pub use version::ContractVersion;
