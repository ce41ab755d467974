//! What must not be seen: secrets, where they come from, and the scrubber that takes them out of everything that is
//! stored, logged or shown.
//!
//! [`Vault`] holds the secrets of a project by name, [`Scrubber`] knows in which forms they appear. Both are values made
//! from bytes; this crate opens nothing.
#![forbid(unsafe_code)]

mod encodings;
pub mod env_file;
mod known;
mod scrubber;
mod secret;
pub mod shapes;
mod stream;
mod text_stream;
mod vault;
mod views;
mod writer;

pub use scrubber::{Scrubber, TooMany};
pub use secret::Secret;
pub use stream::{Kind, Piece, Stream};
pub use text_stream::TextStream;
pub use vault::{Vault, VaultError};
pub use writer::ScrubbingWriter;
