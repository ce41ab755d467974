//! `orket restore`: a backup becomes the truth.

use std::path::{Path, PathBuf};

use orket_board::Board;
use orket_flow::rebuild;
use orket_kernel::canonical::{self, Value};
use orket_kernel::object;

use crate::exit::{Code, Failure};
use crate::project::Project;
use crate::{terminal, wire};

/// Reads a backup into a project in which nothing has run, or with --replace over what is there
///
/// All of it is unpacked and verified first, as by `orket verify`; then it takes the place of the database in one step.
/// Projections are made anew. Files in agent_output/ that somebody else changed are never overwritten.
#[derive(clap::Args)]
#[command(after_help = "Example: orket restore ../first_light.orket.tar --replace")]
pub(crate) struct Arguments {
    /// The backup
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Give up the database that is there
    #[arg(long)]
    replace: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(crate) fn execute(arguments: &Arguments, project: Option<&Path>) -> Result<Code, Failure> {
    let project = Project::find(project)?;
    let restored = Board::restore(&project.home, &arguments.file, arguments.replace)?;
    // The truth is restored, whatever becomes of its projections.
    let lagging = project_anew(&project).err().map(|failure| failure.message);
    if let Some(reason) = &lagging {
        terminal::say(&format!(
            "the projections are not up to date: {}\n",
            terminal::plain(reason)
        ));
    }
    if arguments.json {
        let report = object! {
            "generation" => restored.generation,
            "state_digest" => restored.state_digest.to_hex(),
            "replaced" => restored.has_replaced,
            "projections" => lagging.map_or(Value::Null, Value::from),
        };
        return terminal::print_bytes(format!("{}\n", canonical::to_string(&report)).as_bytes());
    }
    terminal::say(&format!(
        "generation {} is restored from {}\n",
        restored.generation,
        arguments.file.display()
    ));
    terminal::print_bytes(format!("{}\n", restored.state_digest).as_bytes())
}

fn project_anew(project: &Project) -> Result<(), Failure> {
    let board = wire::board(project)?;
    let workspace = wire::workspace(project)?;
    rebuild(&board, &workspace, true)?;
    Ok(())
}
