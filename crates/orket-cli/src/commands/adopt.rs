//! `orket adopt`: what somebody wrote into `agent_output/` becomes a turn.

use std::fmt::Write;
use std::path::Path;

use orket_flow::{ChangeError, Desk, OperatorEnd, PromotedTurn, adopt};
use orket_kernel::canonical::{self, Value};
use orket_kernel::object;

use crate::exit::{self, Code, Failure};
use crate::project::Project;
use crate::{terminal, wire};

/// The directory that the paths are below.
const OUTPUT: &str = "agent_output/";

/// Takes over what somebody changed in agent_output/
///
/// Files that were made, changed, made executable or removed there become one turn with you as its author. `orket undo` takes it
/// back. Links, special files and files with secrets are refused.
#[derive(clap::Args)]
#[command(after_help = "Examples: orket adopt; orket adopt agent_output/docs")]
pub(crate) struct Arguments {
    /// Only these files, or what lies in these directories
    #[arg(value_name = "PATH")]
    paths: Vec<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(crate) fn execute(arguments: &Arguments, project: Option<&Path>) -> Result<Code, Failure> {
    let project = Project::find(project)?;
    let author = project.author()?;
    let paths = arguments.paths.iter();
    let paths: Vec<String> = paths
        .map(|path| path.strip_prefix(OUTPUT).unwrap_or(path).to_owned())
        .collect();
    let board = wire::board(&project)?;
    let workspace = wire::workspace(&project)?;
    let clock = wire::clock(&project);
    let desk = Desk {
        store: &board,
        workspace: &workspace,
        clock: clock.as_ref(),
    };
    match adopt(&desk, &author, &project.scrubber, &paths) {
        Ok(OperatorEnd::Promoted(turn)) => {
            let text = match arguments.json {
                true => json(&turn),
                false => report(&turn),
            };
            terminal::print_bytes(text.as_bytes())
        }
        Ok(OperatorEnd::Refused { record }) => {
            let message = format!("nothing was taken over: {}", record.refusals.join("; "));
            Err(Failure::new(exit::NO, message))
        }
        Err(ChangeError::Nothing) => {
            terminal::say("nothing to take over: agent_output/ is as Orket knows it\n");
            Ok(exit::DONE)
        }
        Err(error) => Err(error.into()),
    }
}

fn report(turn: &PromotedTurn) -> String {
    let mut text = String::new();
    for (change, paths) in [("taken", &turn.written), ("removed", &turn.removed)] {
        for path in paths {
            let _ = writeln!(text, "  {change:8} {OUTPUT}{}", terminal::plain(path));
        }
    }
    let _ = writeln!(
        text,
        "turn {}:1, generation {}, state {}\n`orket undo` takes it back",
        turn.run_id, turn.generation, turn.after
    );
    text
}

fn json(turn: &PromotedTurn) -> String {
    let paths = |paths: &[String]| -> Vec<Value> {
        paths.iter().map(|path| path.as_str().into()).collect()
    };
    let report = object! {
        "operation" => "adopt",
        "run_id" => turn.run_id.as_str(),
        "turn_id" => turn.record.turn_id.to_string(),
        "generation" => turn.generation,
        "written" => paths(&turn.written),
        "removed" => paths(&turn.removed),
        "digest_before" => turn.before.to_hex(),
        "digest_after" => turn.after.to_hex(),
    };
    format!("{}\n", canonical::to_string(&report))
}
