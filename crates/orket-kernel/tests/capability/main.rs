//! The capability jail: cases as files, and what holds for every policy, request and record.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a failing test is loud, also in a function that tests share"
)]

mod cases;
mod decision;
mod limits;
mod model;
mod page;
mod plan;
mod policy;
mod reconsider;
