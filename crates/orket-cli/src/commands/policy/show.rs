//! `orket policy show`: the policy that a run was begun with.

use std::path::Path;

use orket_cards::TurnStore;
use orket_flow::ReplayError;
use orket_kernel::{RunId, canonical};

use super::board;
use crate::exit::{self, Code, Failure};
use crate::terminal::{self, pretty};

/// Prints the capability policy that is fixed in the envelope of a run, as JSON
#[derive(clap::Args)]
#[command(after_help = "Example: orket policy show --run first_light-1 >policy.json")]
pub(super) struct Arguments {
    /// The run's id
    #[arg(long, value_name = "RUN")]
    run: RunId,
}

pub(super) fn execute(arguments: &Arguments, project: Option<&Path>) -> Result<Code, Failure> {
    let board = board(project)?;
    let snapshot = board.snapshot()?;
    let run = snapshot
        .run(&arguments.run)?
        .ok_or_else(|| ReplayError::NoRun {
            run: arguments.run.to_string(),
        })?;
    let policy = canonical::to_value(&run.envelope.policy)
        .map_err(|error| Failure::new(exit::BUG, error.to_string()))?;
    terminal::print_bytes(pretty::print(&policy).as_bytes())
}
