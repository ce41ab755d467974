//! The voices of Orket: [`ModelProvider`](orket_ports::ModelProvider) implementations.
//!
//! - [`Ollama`] asks a model server that speaks Ollama's native protocol;
//! - [`OpenAiCompatible`] asks one that speaks the chat protocol of OpenAI: llama.cpp, vLLM, LM Studio, Ollama;
//! - [`Recorded`] answers from [`Cassette`]s and opens no connection, ever.
//!
//! All three put answers together by the rules of [`wire`] and name failures through the same rules, so that what was
//! recorded replays to the same answer or the same error.
//!
//! [`dialect`] reads the tool calls that a model writes into its text, and says how a model is told about its tools.
//!
//! This crate never follows a redirect, never uses a proxy, never reads an environment variable, never repeats a call of
//! which something was shown and never returns half an answer.
#![forbid(unsafe_code)]

pub mod dialect;
mod http;
pub mod ollama;
pub mod openai;
mod patience;
pub mod recorded;
pub mod wire;

pub use http::{BadAddress, Reach};
pub use ollama::Ollama;
pub use openai::OpenAiCompatible;
pub use patience::{Pause, RealPause};
pub use recorded::{Cassette, Recorded, RecordedResponse};
