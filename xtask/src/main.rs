//! Checks and chores of the workspace, as `cargo xtask COMMAND`.
//!
//! It is for people who change Orket; nothing that ships depends on it, and of ours it depends on the kernel alone,
//! for the JSON Schemas of its types. A check here
//! proves something the compiler cannot: which crate may use which, and that what the documents say is so.
#![forbid(unsafe_code)]

mod checks;
mod commands;
#[cfg(all(
    target_os = "linux",
    any(target_arch = "x86_64", target_arch = "aarch64")
))]
mod crash;
mod markdown;
mod rust_tokens;
mod violation;
mod workspace;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Checks and chores of the Orket workspace.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Everything a change must pass: format, lints, tests, API documentation, layers, documents.
    Test(commands::test::Arguments),
    /// Measures side by side with others and writes the table into docs/benchmarks.md.
    Bench(commands::bench::Arguments),
    /// Kills the store at every step, cuts its power and fails its disk, and proves what is left.
    Crash(commands::crash::Arguments),
    /// Proves from `cargo metadata` and the sources which crate may use what.
    Layers,
    /// Records the sample epic's exchanges anew, after a prompt changed.
    Record,
    /// Proves that documents, dependency list, file names and file lengths agree with the sources.
    Docs(commands::docs::Arguments),
}

fn main() -> ExitCode {
    let outcome = match Arguments::parse().command {
        Command::Test(arguments) => commands::test::run(&arguments),
        Command::Bench(arguments) => commands::bench::run(&arguments),
        Command::Crash(arguments) => commands::crash::alone(&arguments),
        Command::Layers => workspace::Workspace::load().and_then(|it| commands::layers::check(&it)),
        Command::Record => commands::record::run(),
        Command::Docs(arguments) => commands::docs::run(&arguments),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            violation::talk(&format!("error: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

/// The names `cargo xtask` answers to, for the check that documents name commands that exist.
fn command_names() -> Vec<String> {
    use clap::CommandFactory;
    Arguments::command()
        .get_subcommands()
        .map(|command| command.get_name().to_owned())
        .collect()
}
