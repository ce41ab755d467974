//! The workbench over real trees: what a command leaves, whatever happens to it.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a failing test is loud, also in a function that tests share"
)]

// What the modules share: a tree with all its bytes and modes, and a file system that fails when it is told to.
mod faulty;
mod tree;

// What a transaction does, and what it refuses.
mod transaction;
// A failure or a kill at every operation.
mod torture;

// Names change in identifiers and nowhere else, and come back.
mod rename;
// Crates that other people wrote.
mod real_crates;
// Routes: made as the framework wants them, made again without a loss.
mod api;
// New projects: there whole, or not at all.
mod template;
// The project's own commands see a copy, and nothing of them comes back.
mod verification;
