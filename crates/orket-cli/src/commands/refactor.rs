//! `orket refactor`: a name becomes another one.

use std::path::Path;

use orket_kernel::canonical::Value;
use orket_workbench::rename::{self, Also, Rename};
use orket_workbench::{Error, Limits};

use super::change::{self, Flags, Proposal, Stop, Tree};
use crate::exit::{Code, Failure};
use crate::wire;

const COMMAND: &str = "refactor";

/// Renames an identifier in a scope: Rust, Python, JavaScript and TypeScript, whole or not at all
///
/// Comments and strings stay as they are, the new name must not be there yet, and the commands of the table verify in orket.toml
/// judge a copy first. It needs no git and works in a tree with changes of your own.
#[derive(clap::Args)]
#[command(after_help = "Example: orket refactor \"rename users to members\" --scope src --dry-run")]
pub(crate) struct Arguments {
    /// What to do: "rename OLD to NEW"
    instruction: String,
    #[command(flatten)]
    flags: Flags,
    /// Rename in comments too
    #[arg(long)]
    comments: bool,
    /// Rename in strings too
    #[arg(long)]
    strings: bool,
    /// Rename keys of JSON files too
    #[arg(long)]
    json_keys: bool,
}

pub(crate) fn execute(arguments: &Arguments, project: Option<&Path>) -> Result<Code, Failure> {
    refactor(arguments, project).map_err(|stop| change::stop(COMMAND, arguments.flags.json, stop))
}

fn refactor(arguments: &Arguments, project: Option<&Path>) -> Result<Code, Stop> {
    let rename: Rename = arguments.instruction.parse()?;
    let tree = Tree::find(project)?;
    let scope = tree.scope(&arguments.flags)?;
    let workbench = tree.open()?;
    let also = Also {
        comments: arguments.comments,
        strings: arguments.strings,
        json_keys: arguments.json_keys,
    };
    let found = rename::plan(
        &workbench,
        wire::files(),
        &scope,
        &rename,
        also,
        Limits::default(),
    )?;
    let proposal = Proposal {
        command: COMMAND,
        plan: found.plan,
        nothing: "nothing to change",
        advisories: found.advisories,
        facts: vec![("places", Value::from(found.places as u64))],
        refusal: |command, ended, tail| Error::VerifyFailedReverted {
            command,
            ended,
            tail,
        },
    };
    tree.settle(&workbench, &arguments.flags, proposal)
}
