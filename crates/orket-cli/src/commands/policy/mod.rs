//! `orket policy check|show|test`: capability policies as files, and as runs have them.

mod check;
mod file;
mod line;
mod show;
mod test;

use std::path::Path;

use orket_board::Board;

use crate::exit::{self, Code, Failure};
use crate::project::Project;
use crate::wire;

/// Checks a capability policy, shows that of a run, or tries one on a run's calls
#[derive(clap::Args)]
#[command(
    after_help = "Example: orket policy show --run first_light-1 >policy.json; orket policy test policy.json --run first_light-1"
)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(clap::Subcommand)]
enum What {
    Check(check::Arguments),
    Show(show::Arguments),
    Test(test::Arguments),
}

pub(crate) fn execute(arguments: &Arguments, project: Option<&Path>) -> Result<Code, Failure> {
    match &arguments.what {
        What::Check(arguments) => check::execute(arguments),
        What::Show(arguments) => show::execute(arguments, project),
        What::Test(arguments) => test::execute(arguments, project),
    }
}

/// Opens the database of a project in which something has run.
fn board(project: Option<&Path>) -> Result<Board, Failure> {
    let project = Project::find(project)?;
    wire::read_only_board(&project)?.ok_or_else(|| {
        Failure::new(
            exit::NO,
            "nothing has run in this project yet; `orket run --epic NAME` begins",
        )
    })
}
