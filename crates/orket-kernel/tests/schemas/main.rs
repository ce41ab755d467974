//! The published JSON Schemas against the types: what is taken, what is refused, and what the kernel answers.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a failing test is loud, also in a function that tests share"
)]

mod answers;
mod fixtures;
mod mutations;
mod names;
mod published;
mod session;
