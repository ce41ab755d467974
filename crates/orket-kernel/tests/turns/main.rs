//! The turn pipeline: cases as files, and the laws by name.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a failing test is loud, also in a function that tests share"
)]

mod cases;
mod deletion;
mod digest;
mod envelope;
mod events;
mod fortress;
mod invariants;
mod limits;
mod order;
mod profiles;
mod promotion;
mod replay;
mod shapes;
mod shelf;
mod state_digest;
mod turn_ids;
mod validate;
mod world;
