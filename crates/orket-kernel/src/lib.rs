//! The law of Orket: what a turn of agent work is, and what makes it provable.
//!
//! `orket-kernel` takes facts and returns values. It knows canonical JSON and digests, the five-stage pipeline
//! that every turn passes, the capability jail that every tool call passes, and the plan by which a turn is promoted.
//! It never opens a file, never asks for the time, never draws a random number, reads no environment, starts no thread
//! and uses no network: replaying a turn is calling the same function again.
//!
//! | Law | Where |
//! |---|---|
//! | 1 Fortress | [`execute_turn`] gets a [`StateView`], which has no method that writes |
//! | 2 Turn atomicity | [`TurnId`], [`PromotionPlan`] |
//! | 3 Canonical and narrative | [`canonical`] and [`event`] |
//! | 4 Identity physics | [`canonical`], [`Digest`] |
//! | 5 Record shapes | [`TripletRecord`], [`RefSource`] |
//! | 6 Deletion is staged | [`TurnInput::deletions`] |
//! | 7 Code registry | [`Code`] |
//! | 8 Capability jail | [`capability`] |
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
mod digest;
mod envelope;
pub mod event;
mod execute;
mod issue;
mod pipeline;
mod pointer;
mod profile;
mod promotion;
mod read_set;
mod record;
mod replay;
mod stem;
mod turn;
mod view;

pub use code::Code;
pub use digest::{Digest, ParseDigestError};
pub use envelope::{RunEnvelope, RunHandle};
pub use execute::{StagedTriplet, StagedTurn, TurnExecution, execute_turn, references_of};
pub use issue::{KernelIssue, Level, Stage};
pub use pointer::Pointer;
pub use profile::{Cardinality, DtoType, LinkSlot, Profile, Relationship};
pub use promotion::{PromotionPlan, PromotionReport, plan_promotion};
pub use read_set::{ReadSet, RecordedView, RecordingView};
pub use record::{RefSource, TripletRecord};
pub use replay::{Divergence, compare_results};
pub use stem::{InvalidName, RunId, Stem};
pub use turn::{GateRefusal, Outcome, Triplet, TurnId, TurnInput, TurnResult};
pub use view::{EmptyView, Layered, ReadError, StateView};

/// The version of the kernel's wire contract.
pub const CONTRACT_VERSION: &str = "kernel_api/v1";
/// The version of the records of the Local Sovereign Index.
pub const LSI_VERSION: &str = "lsi/v1";

/// The README's example, compiled and run by the doc tests.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
struct Readme;
