//! `orket dialect parse`: what is read in a model's answer.

use std::path::{Path, PathBuf};

use orket_kernel::canonical;
use orket_ports::dialect::RepairKind;
use orket_provider::dialect;

use super::input;
use crate::exit::{self, Code, Failure};
use crate::terminal::{self, pretty};

/// Prints the tool calls in a model's answer, what was repaired and what is refused, as JSON
///
/// Exits with 1 if something is refused.
#[derive(clap::Args)]
#[command(after_help = "Example: orket dialect parse --dialect qwen_coder answer.txt")]
pub(super) struct Arguments {
    /// The dialect: model/dialects/NAME.json of the project, or one that is built in
    #[arg(long, value_name = "NAME", default_value = "json")]
    dialect: String,
    /// A JSON list of the tools that were offered; those of Orket if left out
    #[arg(long, value_name = "FILE")]
    tools: Option<PathBuf>,
    /// Refuse whatever would have to be repaired
    #[arg(long)]
    strict: bool,
    /// The text of the answer; standard input if left out or -
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
}

pub(super) fn execute(arguments: &Arguments, project: Option<&Path>) -> Result<Code, Failure> {
    let mut dialect = input::dialect(&arguments.dialect, project)?;
    if arguments.strict {
        dialect.forbidden_repairs = RepairKind::ALL.into();
    }
    let tools = input::tools(arguments.tools.as_ref())?;
    let bytes = input::read(arguments.file.as_ref(), dialect::TEXT_MAX_BYTES as u64)?;
    // One byte more than the limit is enough to be refused, and it may cut a character.
    let text = match String::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) if error.as_bytes().len() > dialect::TEXT_MAX_BYTES => {
            String::from_utf8_lossy(error.as_bytes()).into_owned()
        }
        Err(error) => {
            let place = error.utf8_error().valid_up_to();
            let message = format!("the answer is no UTF-8 at byte {place}");
            return Err(Failure::new(exit::INVALID, message));
        }
    };
    let reading = dialect::read(&dialect, &tools, &text);
    let value = canonical::to_value(&reading)
        .map_err(|error| Failure::new(exit::BUG, error.to_string()))?;
    terminal::print_bytes(pretty::print(&value).as_bytes())?;
    Ok(match reading.understood() {
        Ok(_) => exit::DONE,
        Err(_) => exit::NO,
    })
}
