//! Dialects: what is read in the text of an answer, and what a model is told.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a failing test is loud, also in a function that tests share"
)]

// Answers as models write them, with the calls that a person sees in them.
mod corpus;
// What a model is shown reads without a repair.
mod shown;
// Laws for any calls and any text.
mod properties;
// The checks of the fuzz target, over its seeds.
mod answers;
mod seeds;
