//! Ollama's native chat protocol: one JSON object out, one JSON object per line back.

mod assembler;
mod catalog;
mod cloud;
mod record;
mod request;

pub use assembler::Assembler;
pub(crate) use catalog::{Shown, is_same, listings, loaded_window, version};
pub use cloud::is_cloud_name;
pub use request::body;

/// The path of the chat endpoint.
pub const CHAT_PATH: &str = "/api/chat";
