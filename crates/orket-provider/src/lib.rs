//! The voices of Orket: [`ModelProvider`](orket_ports::ModelProvider) implementations.
//!
//! - [`Ollama`] asks a model server that speaks Ollama's native protocol;
//! - [`Recorded`] answers from [`Cassette`]s and opens no connection, ever.
//!
//! Both read answers through the same [`wire::ollama::Assembler`] and name failures through the same rules, so that
//! what was recorded replays to the same answer or the same error.
//!
//! [`dialect`] reads the tool calls that a model writes into its text, and says how a model is told about its tools.
//!
//! This crate never follows a redirect, never uses a proxy, never reads an environment variable, never repeats a call
//! by itself and never returns half an answer.
#![forbid(unsafe_code)]

pub mod dialect;
pub mod ollama;
pub mod recorded;
pub mod wire;

pub use ollama::{BadAddress, Ollama, Reach};
pub use recorded::{Cassette, Recorded, RecordedResponse};
