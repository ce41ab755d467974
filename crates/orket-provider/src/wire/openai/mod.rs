//! The chat protocol of OpenAI, as llama.cpp, vLLM, LM Studio and Ollama serve it: one JSON object out, server-sent events
//! back.

mod assembler;
mod calls;
mod catalog;
mod event;
mod request;

pub use assembler::Assembler;
pub(crate) use catalog::{Owner, listings};
pub use request::body;

/// The path of the chat endpoint.
pub const CHAT_PATH: &str = "/v1/chat/completions";
