//! The binary `orket`: parse, wire, call, print. Nothing is decided here.
#![forbid(unsafe_code)]

mod clock;
mod commands;
mod exit;
mod panics;
mod place;
mod project;
mod recovered;
mod settings;
mod terminal;
mod wire;

use std::process::ExitCode;

use clap::Parser;

use crate::commands::Command;

/// Runs agent workflows on your own machine, and can prove what happened.
#[derive(Parser)]
#[command(name = "orket", version, max_term_width = 100, after_help = AFTER_HELP)]
struct Arguments {
    /// Work on the project in this directory (default: the nearest one upward that holds orket.toml)
    #[arg(long, global = true, value_name = "DIR")]
    project: Option<std::path::PathBuf>,
    #[command(subcommand)]
    command: Command,
}

const AFTER_HELP: &str = "\
Begin with `orket init`, then `orket run --epic first_light`, then
`orket board`. Data goes to standard output, talk to standard error.

Exit codes:
  0 done                     5 model backend unavailable
  1 the answer is no         6 busy, another command is at it
  2 usage                    7 waiting for a person
  3 configuration invalid   70 a bug in Orket
  4 refused by policy       74 the disk failed
                           130 interrupted";

fn main() -> ExitCode {
    // A check runs in this very program, started again; that child never gets further than here.
    orket_tools::sandbox::run_child_if_asked();
    panics::survive(run)
}

fn run() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            if error.use_stderr() {
                // It repeats what was typed.
                terminal::say(&error.render().to_string());
                return exit::USAGE.into();
            }
            // Nothing can be told about a terminal that is gone.
            let _ = error.print();
            return ExitCode::SUCCESS;
        }
    };
    match arguments.command.execute(arguments.project.as_deref()) {
        Ok(code) => code.into(),
        Err(failure) => {
            terminal::complain(&failure);
            failure.code.into()
        }
    }
}
