//! `orket pin` and `orket unpin`: what retention never drops.

use std::path::Path;

use orket_kernel::RunId;

use crate::exit::{self, Code, Failure};
use crate::project::Project;
use crate::{terminal, wire};

/// Keeps a run, whatever the retention policy says
///
/// Its records stay, so that its turns can be replayed, and so does every state since it began. Pinning a run twice is no
/// failure.
#[derive(clap::Args)]
#[command(after_help = "Example: orket pin first_light-1")]
pub(crate) struct Arguments {
    /// The run
    run: RunId,
}

/// Takes the pin of a run away; nothing is removed before `orket gc`
#[derive(clap::Args)]
#[command(after_help = "Example: orket unpin first_light-1")]
pub(crate) struct UnpinArguments {
    /// The run
    run: RunId,
}

pub(crate) fn pin(arguments: &Arguments, project: Option<&Path>) -> Result<Code, Failure> {
    let project = Project::find(project)?;
    wire::board_to_look_at(&project)?;
    let board = wire::board(&project)?;
    let is_new = board.index().pin(&arguments.run).map_err(refusal)?;
    let word = if is_new {
        "pinned"
    } else {
        "was pinned already"
    };
    terminal::say(&format!("run {}: {word}\n", arguments.run));
    Ok(exit::DONE)
}

pub(crate) fn unpin(arguments: &UnpinArguments, project: Option<&Path>) -> Result<Code, Failure> {
    let project = Project::find(project)?;
    wire::board_to_look_at(&project)?;
    let board = wire::board(&project)?;
    let was_pinned = board.index().unpin(&arguments.run).map_err(refusal)?;
    let word = if was_pinned {
        "no longer pinned"
    } else {
        "was not pinned"
    };
    terminal::say(&format!("run {}: {word}\n", arguments.run));
    Ok(exit::DONE)
}

fn refusal(error: orket_lsi::StoreError) -> Failure {
    match error {
        orket_lsi::StoreError::UnknownRun { run_id } => Failure::new(
            exit::NO,
            format!("there is no run {run_id}; `orket show run` lists the runs"),
        ),
        other => wire::store_failure(other),
    }
}
