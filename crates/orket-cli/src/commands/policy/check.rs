//! `orket policy check`: whether a file is a valid policy.

use std::path::PathBuf;

use orket_kernel::canonical;
use orket_kernel::object;

use super::file;
use crate::exit::{self, Code, Failure};
use crate::terminal;

/// Tells whether a file holds a valid capability policy
#[derive(clap::Args)]
#[command(after_help = "Example: orket policy check policy.json")]
pub(super) struct Arguments {
    /// The file
    #[arg(value_name = "POLICY")]
    file: PathBuf,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn execute(arguments: &Arguments) -> Result<Code, Failure> {
    let name = &arguments.file;
    let policy = match file::read(name)? {
        Ok(policy) => policy,
        Err(fault) if arguments.json => {
            let report = object! {
                "valid" => false,
                "line" => fault.line,
                "pointer" => fault.pointer.as_str(),
                "message" => fault.message.as_str(),
            };
            terminal::print_bytes(format!("{}\n", canonical::to_string(&report)).as_bytes())?;
            return Ok(exit::NO);
        }
        Err(fault) => return Err(Failure::new(exit::NO, fault.told(name))),
    };
    let text = if arguments.json {
        let report = object! {
            "valid" => true,
            "enabled" => policy.is_enabled(),
            "rules" => policy.rules().len(),
            "digest" => policy.digest().to_hex(),
        };
        format!("{}\n", canonical::to_string(&report))
    } else {
        let state = if policy.is_enabled() {
            ""
        } else {
            ", not enabled: it would deny nothing"
        };
        format!(
            "{} is a valid policy of {} rule(s){state}\ndigest {}\n",
            terminal::plain(&name.display().to_string()),
            policy.rules().len(),
            policy.digest()
        )
    };
    terminal::print_bytes(text.as_bytes())
}
