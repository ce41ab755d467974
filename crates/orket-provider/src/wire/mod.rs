//! Wire formats: pure functions between the port's types and what stands on the wire.
//!
//! Nothing here opens a connection or a file.

mod failure;
mod growing;
mod lines;
pub mod ollama;
pub mod openai;
mod prompt;
mod unsendable;
pub(crate) mod value;

pub use failure::failure;
pub use growing::ANSWER_LIMIT_BYTES;
pub use unsendable::UnsendableRequest;
