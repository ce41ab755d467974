//! `orket dialect show`: what a model is told about its tools.

use std::path::{Path, PathBuf};

use orket_provider::dialect;

use super::input;
use crate::exit::{Code, Failure};
use crate::terminal;

/// Prints what a dialect tells a model about its tools and the form of a call
#[derive(clap::Args)]
#[command(after_help = "Example: orket dialect show hermes")]
pub(super) struct Arguments {
    /// The dialect: model/dialects/NAME.json of the project, or one that is built in
    #[arg(value_name = "NAME")]
    dialect: String,
    /// A JSON list of the tools that are offered; those of Orket if left out
    #[arg(long, value_name = "FILE")]
    tools: Option<PathBuf>,
}

pub(super) fn execute(arguments: &Arguments, project: Option<&Path>) -> Result<Code, Failure> {
    let dialect = input::dialect(&arguments.dialect, project)?;
    let tools = input::tools(arguments.tools.as_ref())?;
    let text = dialect::show(&dialect, &tools);
    if text.is_empty() {
        terminal::say(&format!(
            "the dialect {} tells the model nothing in the prompt: the server does\n",
            dialect.name
        ));
        return Ok(crate::exit::DONE);
    }
    terminal::print_bytes(format!("{text}\n").as_bytes())
}
