//! The index as a whole: a real database in a temporary home.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a failing test is loud, also in a function that tests share"
)]

mod checkpoint;
mod corruption;
mod fixture;
mod history;
mod laws;
mod open;
mod retention;
mod sources;
mod staging;
mod transactions;
mod transfer;
mod verify;
mod view;
