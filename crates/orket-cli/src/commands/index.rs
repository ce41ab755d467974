//! `orket index export|import`: a state as files, and back.

use std::path::{Path, PathBuf};

use orket_cards::TurnStore;
use orket_lsi::Imported;

use super::state;
use crate::exit::{Code, Failure};
use crate::place::StatePlace;
use crate::project::Project;
use crate::{terminal, wire};

/// Writes the committed state as files, or reads it back
#[derive(clap::Args)]
#[command(
    after_help = "Examples: orket index export ../state; orket index import ../state --project ../new"
)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(clap::Subcommand)]
enum What {
    /// Writes a state as objects, triplets and refs; DIR must be empty or not there
    Export {
        /// Where to; the directory is there whole or not at all
        #[arg(value_name = "DIR")]
        directory: PathBuf,
        /// The state after this turn, RUN:TURN, or @GENERATION (default: now)
        #[arg(
            long,
            value_name = "RUN:TURN",
            default_value = "now",
            hide_default_value = true
        )]
        at: StatePlace,
    },
    /// Reads an exported state into a project in which nothing has run yet; every file is checked
    Import {
        /// The exported directory
        #[arg(value_name = "DIR")]
        directory: PathBuf,
    },
}

pub(crate) fn execute(arguments: &Arguments, project: Option<&Path>) -> Result<Code, Failure> {
    let project = Project::find(project)?;
    match &arguments.what {
        What::Export { directory, at } => export(&project, directory, at),
        What::Import { directory } => import(&project, directory),
    }
}

fn export(project: &Project, directory: &Path, at: &StatePlace) -> Result<Code, Failure> {
    let board = wire::board_to_look_at(project)?;
    let snapshot = board.index().snapshot().map_err(wire::store_failure)?;
    let past = state::open(&snapshot, at)?;
    let files = snapshot
        .export(&past, directory)
        .map_err(wire::store_failure)?;
    terminal::say(&format!(
        "generation {} is in {}: {files} files\n",
        past.head().generation,
        directory.display()
    ));
    terminal::print_bytes(format!("{}\n", past.head().state_digest).as_bytes())
}

fn import(project: &Project, directory: &Path) -> Result<Code, Failure> {
    // Everything is checked before a home is made.
    let imported = Imported::read(directory).map_err(wire::store_failure)?;
    let board = wire::board(project)?;
    let committed = board.import(&imported)?;
    board.project_view()?;
    terminal::say(&format!(
        "{} stem(s) are generation {}, as turn-0001 of the run import-1\n",
        imported.triplets.len(),
        committed.generation
    ));
    terminal::print_bytes(format!("{}\n", committed.state_digest).as_bytes())
}
