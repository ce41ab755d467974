//! The sockets of Orket: small traits and plain types by which everything above the kernel is swapped.
//!
//! Depend on this crate to write an adapter: a [`ModelProvider`] for another server, a [`Tool`], a [`Conductor`],
//! an [`EventSink`], a [`Workspace`] on another medium. It holds no behaviour beyond its own types and opens nothing.
#![forbid(unsafe_code)]

pub mod clock;
pub mod conductor;
pub mod dialect;
pub mod event;
pub mod model;
pub mod space_policy;
pub mod tool;
pub mod verifier;
pub mod workspace;

pub use clock::Clock;
pub use conductor::{Adjustment, Conductor, SessionView};
pub use dialect::{Dialect, Reading};
pub use event::{Event, EventSink};
pub use model::{ModelError, ModelProvider};
pub use space_policy::{ReadSpace, SpacePolicy, WriteSpace};
pub use tool::{Refusal, Tool, TurnScope};
pub use verifier::Verifier;
pub use workspace::Workspace;
