//! Proofs over index, board and journal together: damage at random and by choice, several processes, runs in each other's way.
//!
//! By default each takes a few seconds. `ORKET_FULL=1` asks for the long form, `ORKET_SEED` for another seed,
//! `ORKET_ROUND` for that one round of the damages.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a failing test is loud, also in a function that tests share"
)]

mod chance;
mod damage;
mod facts;
mod journal;
mod processes;
mod project;
mod stale;
