//! `orket dialect parse|show`: what is read in a model's answer, and what a model is told.

mod input;
mod parse;
mod show;

use std::path::Path;

use crate::exit::{Code, Failure};

/// Reads the tool calls in a model's answer, or shows what a model is told about them
#[derive(clap::Args)]
#[command(
    after_help = "Example: orket dialect show hermes; orket dialect parse --dialect hermes answer.txt"
)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(clap::Subcommand)]
enum What {
    Parse(parse::Arguments),
    Show(show::Arguments),
}

pub(crate) fn execute(arguments: &Arguments, project: Option<&Path>) -> Result<Code, Failure> {
    match &arguments.what {
        What::Parse(arguments) => parse::execute(arguments, project),
        What::Show(arguments) => show::execute(arguments, project),
    }
}
