//! Whole runs over the store in memory: the laws by name, replay and comparison.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a failing test is loud, also in a function that tests share"
)]

mod atomicity;
mod compare;
mod deletion;
mod fortress;
mod leftovers;
mod order;
mod replay;
mod world;
