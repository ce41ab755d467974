//! `cargo xtask crash` where it does not work: it says so.

use anyhow::Result;

use super::test::Outcome;
use crate::violation::talk;

const REASON: &str = "processes are traced on Linux on x86_64 and aarch64 only";

/// None.
#[derive(clap::Args)]
pub(crate) struct Arguments {}

impl Arguments {
    /// As a step of `cargo xtask test`.
    pub(crate) fn step(_full: bool) -> Arguments {
        Arguments {}
    }
}

/// Skips.
pub(super) fn run(_arguments: &Arguments) -> Result<Outcome> {
    Ok(Outcome::Skipped(REASON.to_owned()))
}

/// Says that it does nothing.
pub(crate) fn alone(_arguments: &Arguments) -> Result<()> {
    talk(&format!("SKIPPED: {REASON}"));
    Ok(())
}
