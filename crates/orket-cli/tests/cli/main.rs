//! The command line as people meet it: the real binary, whole sessions, hermetic surroundings.
//!
//! Try not to add more here: what a lower level can show belongs there. Here belongs what only the binary can show.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "a failing test is loud, also in a function that tests share; what is passed over says so"
)]

// What the modules share: the sample project, and the facts of a run.
mod sample;

// Whole terminal sessions, as a person sees them.
mod dialect_session;
mod digest_session;
mod doctor_session;
mod explain_session;
mod index_session;
mod keeping_session;
mod kernel_session;
mod policy_session;
mod replay_session;
mod run_session;
mod secrets_session;
mod show_session;
mod tool_session;
mod workbench_session;

// The produced program, the artefacts for people, the replay of every turn, what is refused on the way.
mod official_clients;
mod outcome;
// `orket init` against the sample project.
mod init;
// The same epic through other venues and under other names.
mod equivalence;
// kill -9 at any moment.
mod kill;
// Secrets come in by every way and out by none.
mod canary;

// A user's own tree: every code of the workbench from the command line.
mod workbench_codes;

// Commands that only read, where nothing can be written too.
mod read_only;

// Failures: one line that names the thing and what to do, the documented exit code, nothing lost.
mod backend;
mod invalid;
mod person;
mod undo_session;
mod voices_session;
mod writers;
