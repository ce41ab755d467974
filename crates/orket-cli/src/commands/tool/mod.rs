//! `orket tool list|show|call`: what roles can do, and doing it by hand.

mod call;
mod list;
mod show;

use std::path::Path;

use orket_flow::{Tools, nearest};
use orket_ports::Tool;

use crate::exit::{self, Code, Failure};

/// Lists the tools, shows one, or calls one as a role would
#[derive(clap::Args)]
#[command(
    after_help = "Example: orket tool call read_file --role coder --args '{\"path\":\"agent_output/notes.txt\"}'"
)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(clap::Subcommand)]
enum What {
    List(list::Arguments),
    Show(show::Arguments),
    Call(call::Arguments),
}

pub(crate) fn execute(arguments: &Arguments, project: Option<&Path>) -> Result<Code, Failure> {
    match &arguments.what {
        What::List(arguments) => list::execute(arguments, project),
        What::Show(arguments) => show::execute(arguments, project),
        What::Call(arguments) => call::execute(arguments, project),
    }
}

/// Finds a tool, or says which one may have been meant.
fn find<'a>(tools: &'a Tools, name: &str) -> Result<&'a dyn Tool, Failure> {
    match tools.get(name) {
        Some(tool) => Ok(tool.as_ref()),
        None => Err(unknown("tool", name, tools.keys().map(String::as_str))),
    }
}

/// Says that a name is not known, and which one may have been meant.
fn unknown<'a>(kind: &str, name: &str, known: impl Iterator<Item = &'a str>) -> Failure {
    let known: Vec<&str> = known.collect();
    let list = known.join(", ");
    let advice = match nearest(name, known) {
        Some(meant) => format!("did you mean {meant}? There are {list}"),
        None => format!("there are {list}"),
    };
    let message = format!("there is no {kind} {name:?}; {advice}");
    Failure::new(exit::USAGE, message)
}
