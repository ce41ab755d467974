//! Ollama's native chat protocol: one JSON object out, one JSON object per line back.
//!
//! Nothing here opens a connection or a file.

mod assembler;
mod cloud;
mod failure;
mod record;
mod request;

pub use assembler::{ANSWER_LIMIT_BYTES, Assembler};
pub use cloud::is_cloud_name;
pub use failure::failure;
pub use request::{UnsendableRequest, body};

/// The path of the chat endpoint.
pub const CHAT_PATH: &str = "/api/chat";
