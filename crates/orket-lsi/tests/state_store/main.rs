//! The index as the kernel's `StateStore`: the laws of the port, and what only a store with a medium can show.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a failing test is loud, also in a function that tests share"
)]

mod damage;
mod digest;
mod histories;
mod housed;
mod law_1;
mod medium;
mod migration;
mod names;
mod two_runs;

orket_testkit::state_store_conformance!(housed::Housed::empty);
