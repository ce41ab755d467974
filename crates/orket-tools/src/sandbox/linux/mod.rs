//! The sandbox on Linux.
//!
//! ```text
//! engine ── supervisor ── first ── confined, becomes the program
//! ```
//!
//! Each is the same executable, started anew, with a socket for its standard input: the order comes down on it, reports
//! go up. The supervisor leaves the namespaces, builds the private root and drops the user; the first is process 1 of
//! the new process namespace, with whose end all others in it end; the last one takes the limits, Landlock and the
//! system call filter upon itself and becomes the program, whereupon its socket closes.
//!
//! A stage that cannot do its part reports what is lacking and ends. The engine then begins anew without that part, if
//! its caller accepts a tier without it.

mod confine;
mod disk;
mod engine;
mod file_rules;
mod identity;
mod message;
mod process_tree;
mod stage;
mod system_call_filter;
mod system_calls;
mod view;

pub(super) use engine::{probe, run};
pub(super) use stage::run_child_if_asked;
