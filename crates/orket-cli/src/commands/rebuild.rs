//! `orket rebuild`: the projections anew from the truth.

use std::path::Path;

use orket_flow::{Rebuilt, rebuild};
use orket_kernel::canonical;
use orket_kernel::object;

use crate::exit::{Code, Failure};
use crate::project::Project;
use crate::{terminal, wire};

/// Makes agent_output/, the artefacts, the log and the browsable view anew from the database
///
/// Files in agent_output/ that somebody else changed are never overwritten: they are named, and nothing is written.
#[derive(clap::Args)]
#[command(after_help = "Examples: orket rebuild; orket rebuild --accept-older")]
pub(crate) struct Arguments {
    /// Go on with a database that is older than what was shown of it: what it lost is given up
    #[arg(long)]
    accept_older: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(crate) fn execute(arguments: &Arguments, project: Option<&Path>) -> Result<Code, Failure> {
    let project = Project::find(project)?;
    drop(wire::board_to_look_at(&project)?);
    let board = wire::board(&project)?;
    let workspace = wire::workspace(&project)?;
    let rebuilt = rebuild(&board, &workspace, arguments.accept_older)?;
    let text = if arguments.json {
        json(&rebuilt)
    } else {
        report(&rebuilt)
    };
    terminal::print_bytes(text.as_bytes())
}

/// Says what was rebuilt, in lines.
pub(super) fn report(rebuilt: &Rebuilt) -> String {
    format!(
        "generation     {}\n\
         agent_output   {} file(s) written\n\
         artefacts      of {} turn(s) and attempt(s)\n\
         log            {} line(s)\n\
         view           {} file(s)\n",
        rebuilt.generation,
        rebuilt.output_files,
        rebuilt.observations,
        rebuilt.log_lines,
        rebuilt.view_files
    )
}

fn json(rebuilt: &Rebuilt) -> String {
    let report = object! {
        "generation" => rebuilt.generation,
        "output_files" => rebuilt.output_files,
        "observations" => rebuilt.observations,
        "log_lines" => rebuilt.log_lines,
        "view_files" => rebuilt.view_files,
    };
    format!("{}\n", canonical::to_string(&report))
}
