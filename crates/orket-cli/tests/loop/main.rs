//! The traction loop over the real store, tools and files of a project, with a scripted model and fake checks.
//!
//! What the command line adds (parsing, printing, exit codes) is tested beside, in `tests/cli/`.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a failing test is loud, also in a function that tests share"
)]

mod adopt;
mod approval;
mod chance;
mod command;
mod conductor;
mod corrective;
mod evidence;
mod exchange;
mod foreign_edit;
mod hijack;
mod judge;
mod model;
mod operator;
mod project;
mod resume;
mod retry;
mod secrets;
mod spaces;
mod stories;
mod table;
mod tap;
mod tool_call;
mod tools;
mod two_runs;
mod undo;
mod undo_chance;
