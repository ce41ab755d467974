//! What Orket's own tests share: a hermetic environment for the command line, trees of files, a slow wire,
//! conformance suites of ports, seeded chance.
//!
//! It is a dev-dependency and never anything else. It fails like a test fails, by a panic that says what was tried on
//! what. It never touches the real home, never leaves the loopback address, and draws no random number that a printed
//! seed does not give again.
//!
//! ```no_run
//! use std::path::Path;
//!
//! use orket_testkit::CliEnvironment;
//!
//! let environment = CliEnvironment::empty(Path::new("target/debug/orket"));
//! let output = environment.run(&["init"]);
//! output.assert_code(0);
//! println!("{output}");
//! ```
#![forbid(unsafe_code)]
#![expect(
    clippy::panic,
    reason = "a test environment that cannot do its work fails the test, loudly"
)]

mod environment;
mod link;
mod output;
mod poll;
mod running;
mod splitmix64;
mod standing;
pub mod state_store;
mod tree;

pub use environment::CliEnvironment;
pub use link::Link;
pub use output::{Output, Redaction};
pub use poll::wait_until;
pub use running::{Ending, Running};
pub use splitmix64::SplitMix64;
pub use standing::Standing;
pub use tree::{Entry, Tree, copy_tree};
