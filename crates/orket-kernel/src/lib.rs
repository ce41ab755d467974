//! The law of Orket: what a turn of agent work is, and what makes it provable.
//!
//! `orket-kernel` takes facts and returns values. It knows canonical JSON and digests, the five-stage pipeline
//! that every turn passes, the capability jail that every tool call passes, and the plan by which a turn is promoted.
//! It never opens a file, never asks for the time, never draws a random number, reads no environment, starts no thread
//! and uses no network: replaying a turn is calling the same function again.
//!
//! | Law | Module | What upholds it |
//! |---|---|---|
//! | 1 Fortress | [`StateStore`] | a turn is given a [`CommittedView`] and a [`StagingArea`]; neither can change what is committed |
//! | 2 Turn atomicity | [`Run`], [`TurnId`] | a turn is promoted whole, in order, once |
//! | 3 Canonical and narrative | [`canonical`], [`event`] | what is digested is canonical JSON; event lines are not digested |
//! | 4 Identity physics | [`canonical`], [`Digest`] | one text, and so one digest, for every JSON value |
//! | 5 Record shapes | [`TripletRecord`], [`RefSource`] | exactly the named fields, sources in one order |
//! | 6 Deletion is staged | [`TurnInput::deletions`], [`plan_promotion`] | absence deletes nothing; promotion removes no object |
//! | 7 Code registry | [`Code`] | a code that is not registered does not compile |
//! | 8 Capability jail | [`capability`] | what the policy does not list is denied, and every decision is recorded |
//!
//! Begin with [`Kernel`], which is the whole API over a store; with [`execute_turn`], which is one turn without any store; or
//! with [`canonical`], which needs neither. `examples/` holds a program for each. Other languages call `orket kernel`, whose
//! requests and answers are in [`wire`].
//!
//! ```
//! use orket_kernel::canonical;
//!
//! let value = canonical::parse(br#"{"b": 1e16, "a": [1e-05, -0.0]}"#)?;
//! assert_eq!(canonical::to_string(&value), r#"{"a":[1e-05,-0.0],"b":1e+16}"#);
//! # Ok::<(), canonical::ParseError>(())
//! ```
#![forbid(unsafe_code)]

pub mod canonical;
pub mod capability;
mod code;
mod compare;
mod digest;
mod envelope;
pub mod event;
mod execute;
mod issue;
mod kernel;
pub mod limits;
mod parity;
mod payload;
mod pipeline;
mod plugin;
mod pointer;
mod profile;
mod promotion;
mod read_set;
mod record;
mod recorded_run;
mod replay;
mod run;
pub mod state;
mod stem;
mod store;
mod trace;
mod turn;
mod validate_links;
mod validate_triplet;
mod view;
pub mod wire;

pub use code::Code;
pub use compare::compare_runs;
pub use digest::{Digest, ParseDigestError};
pub use envelope::{EvidencePolicy, RunEnvelope, RunHandle, VisibilityMode};
pub use execute::{StagedTriplet, StagedTurn, TurnExecution, execute_turn, references_of};
pub use issue::{KernelIssue, Level, Stage};
pub use kernel::{Kernel, KernelError};
pub use parity::{PARITY_REPORT_VERSION, ParityKind, ParityReport};
pub use payload::{Payload, PayloadSource, Stream};
pub use plugin::{Plugin, PluginError, Plugins};
pub use pointer::Pointer;
pub use profile::{
    Cardinality, DeterminismRules, DtoType, LabelRule, LinkSlot, PROFILE_VERSION, Profile,
    ProfileDraft, ProfileError, ProfileFault, RawIdRules, ReferenceRules, Relationship,
};
pub use promotion::{PromotionPlan, PromotionReport, plan_promotion};
pub use read_set::{ReadSet, RecordedView, RecordingView};
pub use record::{RefSource, TripletRecord};
pub use recorded_run::{MalformedRun, RecordedRun};
pub use replay::{Divergence, RunDescriptor, compare_results};
pub use run::{Finish, Run, RunStatus, RunSummary};
pub use stem::{InvalidName, RunId, Stem};
pub use store::{
    CommittedView, MemoryStore, RunStanding, StagingArea, Standing, StateStore, StoreFailure,
    StoreTransaction,
};
pub use trace::{TRACE_ARTIFACT_VERSION, TURN_TRACE_VERSION, TraceArtifact, TraceError, TurnTrace};
pub use turn::{GateRefusal, Outcome, Triplet, TurnId, TurnInput, TurnResult};
pub use validate_links::validate_links_against_index;
pub use validate_triplet::validate_triplet;
pub use view::{EmptyView, Layered, ReadError, StateView};

/// The version of the kernel's wire contract.
pub const CONTRACT_VERSION: &str = "kernel_api/v1";
/// The version of the records of the Local Sovereign Index.
pub const LSI_VERSION: &str = "lsi/v1";

/// The README's example, compiled and run by the doc tests.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
struct Readme;
