//! One file per command: its flags, one call, what it prints.

mod adopt;
mod api;
mod backup;
mod board;
mod change;
mod compare;
mod dialect;
mod diff;
mod digest;
mod doctor;
mod explain;
mod gc;
mod index;
mod init;
mod kernel;
mod ledger;
mod model_double;
mod models;
mod op;
mod pin;
mod policy;
mod prompt;
mod rebuild;
mod refactor;
mod replay;
mod replay_turn;
mod restore;
mod run;
mod secrets;
mod show;
mod state;
mod tool;
mod undo;
mod verify;

use std::path::Path;

use crate::exit::{Code, Failure};

/// What to do.
#[derive(clap::Subcommand)]
pub(crate) enum Command {
    Init(init::Arguments),
    Api(api::Arguments),
    Refactor(refactor::Arguments),
    Run(run::Arguments),
    Board(board::Arguments),
    Show(show::Arguments),
    ReplayTurn(replay_turn::Arguments),
    Replay(replay::Arguments),
    Compare(compare::Arguments),
    Diff(diff::Arguments),
    Verify(verify::Arguments),
    Doctor(doctor::Arguments),
    Adopt(adopt::Arguments),
    Undo(undo::Arguments),
    Redo(undo::RedoArguments),
    Op(op::Arguments),
    Rebuild(rebuild::Arguments),
    Backup(backup::Arguments),
    Restore(restore::Arguments),
    Gc(gc::Arguments),
    Pin(pin::Arguments),
    Unpin(pin::UnpinArguments),
    Index(index::Arguments),
    Digest(digest::Arguments),
    Policy(policy::Arguments),
    Tool(tool::Arguments),
    Dialect(dialect::Arguments),
    Secrets(secrets::Arguments),
    Explain(explain::Arguments),
    Kernel(kernel::Arguments),
    Models(models::Arguments),
    Prompt(prompt::Arguments),
    ModelDouble(model_double::Arguments),
}

impl Command {
    /// Carries the command out.
    pub(crate) fn execute(self, project: Option<&Path>) -> Result<Code, Failure> {
        match self {
            Command::Init(arguments) => init::execute(&arguments, project),
            Command::Api(arguments) => api::execute(&arguments, project),
            Command::Refactor(arguments) => refactor::execute(&arguments, project),
            Command::Run(arguments) => run::execute(&arguments, project),
            Command::Board(arguments) => board::execute(&arguments, project),
            Command::Show(arguments) => show::execute(&arguments, project),
            Command::ReplayTurn(arguments) => replay_turn::execute(&arguments, project),
            Command::Replay(arguments) => replay::execute(&arguments, project),
            Command::Compare(arguments) => compare::execute(&arguments, project),
            Command::Diff(arguments) => diff::execute(&arguments, project),
            Command::Index(arguments) => index::execute(&arguments, project),
            Command::Verify(arguments) => verify::execute(&arguments, project),
            Command::Doctor(arguments) => doctor::execute(&arguments, project),
            Command::Adopt(arguments) => adopt::execute(&arguments, project),
            Command::Undo(arguments) => undo::execute(&arguments, project),
            Command::Redo(arguments) => undo::redo(&arguments, project),
            Command::Op(arguments) => op::execute(&arguments, project),
            Command::Rebuild(arguments) => rebuild::execute(&arguments, project),
            Command::Backup(arguments) => backup::execute(&arguments, project),
            Command::Restore(arguments) => restore::execute(&arguments, project),
            Command::Gc(arguments) => gc::execute(&arguments, project),
            Command::Pin(arguments) => pin::pin(&arguments, project),
            Command::Unpin(arguments) => pin::unpin(&arguments, project),
            Command::Digest(arguments) => digest::execute(&arguments),
            Command::Policy(arguments) => policy::execute(&arguments, project),
            Command::Tool(arguments) => tool::execute(&arguments, project),
            Command::Dialect(arguments) => dialect::execute(&arguments, project),
            Command::Secrets(arguments) => secrets::execute(&arguments, project),
            Command::Explain(arguments) => explain::execute(&arguments),
            Command::Prompt(arguments) => prompt::execute(&arguments, project),
            Command::Models(arguments) => models::execute(&arguments, project),
            Command::ModelDouble(arguments) => model_double::execute(&arguments),
            Command::Kernel(arguments) => kernel::execute(&arguments, project),
        }
    }
}
