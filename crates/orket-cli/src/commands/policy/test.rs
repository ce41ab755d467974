//! `orket policy test`: what a policy would have said to the calls of a run.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use orket_cards::TurnStore;
use orket_flow::{PastCalls, past_calls};
use orket_kernel::canonical::{self, Value};
use orket_kernel::capability::{Policy, Reconsidered, reconsider};
use orket_kernel::{Pointer, RunId, object};

use super::{board, file};
use crate::exit::{self, Code, Failure};
use crate::terminal;

/// Tells which calls of a run a capability policy would decide otherwise
///
/// Calls of refused attempts are tried too. Nothing is executed and nothing is changed.
#[derive(clap::Args)]
#[command(after_help = "Example: orket policy test policy.json --run first_light-1")]
pub(super) struct Arguments {
    /// The file with the policy
    #[arg(value_name = "POLICY")]
    file: PathBuf,
    /// The run's id
    #[arg(long, value_name = "RUN")]
    run: RunId,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn execute(arguments: &Arguments, project: Option<&Path>) -> Result<Code, Failure> {
    let run_id = &arguments.run;
    let policy = file::read(&arguments.file)?
        .map_err(|fault| Failure::new(exit::INVALID, fault.told(&arguments.file)))?;
    let board = board(project)?;
    let past = past_calls(board.snapshot()?.as_ref(), run_id)?;
    let mut otherwise = Vec::new();
    for attempt in &past {
        let found = reconsider(&policy, &attempt.calls).map_err(|error| {
            let place = format!("{} attempt {}", attempt.turn_id, attempt.attempt);
            Failure::new(exit::NO, format!("{place} of the run {run_id}: {error}"))
        })?;
        otherwise.extend(found.into_iter().map(|call| (attempt, call)));
    }
    let decided = past.iter().map(|attempt| attempt.calls.len()).sum();
    let text = if arguments.json {
        json(run_id, &policy, decided, &otherwise)
    } else {
        report(run_id, decided, &otherwise)
    };
    terminal::print_bytes(text.as_bytes())?;
    Ok(if otherwise.is_empty() {
        exit::DONE
    } else {
        exit::NO
    })
}

fn report(run_id: &RunId, decided: usize, otherwise: &[(&PastCalls, Reconsidered)]) -> String {
    let mut text = String::new();
    for (attempt, call) in otherwise {
        let refused = if attempt.is_promoted {
            ""
        } else {
            " (refused)"
        };
        let _ = writeln!(
            text,
            "{} attempt {}{refused}, call {}: {} in {}, {} {}",
            attempt.turn_id,
            attempt.attempt,
            call.ordinal,
            terminal::plain(&call.request.role),
            terminal::plain(&call.request.task),
            terminal::plain(&call.request.tool),
            terminal::shortened(&canonical::to_string(&brief(&call.request.arguments))),
        );
        let _ = writeln!(
            text,
            "  {} -> {}: {}",
            call.was.verdict.as_str(),
            call.would_be.verdict.as_str(),
            terminal::plain(&call.would_be.sentence())
        );
    }
    let _ = writeln!(
        text,
        "{} of {decided} call(s) of {run_id} would be decided otherwise",
        otherwise.len()
    );
    text
}

/// Returns arguments with the long texts among them cut: a file's whole content hides its path.
fn brief(arguments: &Value) -> Value {
    const SHOWN: usize = 60;
    let cut = |value: &Value| match value.as_str() {
        Some(text) if text.chars().count() > SHOWN => {
            let shown: String = text.chars().take(SHOWN).collect();
            Value::from(format!("{shown}…"))
        }
        _ => value.clone(),
    };
    match arguments {
        Value::Object(members) => {
            let members = members.iter().map(|(key, value)| (key.clone(), cut(value)));
            Value::Object(members.collect())
        }
        other => cut(other),
    }
}

fn json(
    run_id: &RunId,
    policy: &Policy,
    decided: usize,
    otherwise: &[(&PastCalls, Reconsidered)],
) -> String {
    let rows: Vec<Value> = otherwise
        .iter()
        .map(|(attempt, call)| row(attempt, call))
        .collect();
    let report = object! {
        "run_id" => run_id.as_str(),
        "policy_digest" => policy.digest().to_hex(),
        "decided" => decided,
        "otherwise" => rows,
    };
    format!("{}\n", canonical::to_string(&report))
}

fn row(attempt: &PastCalls, call: &Reconsidered) -> Value {
    let would_be = &call.would_be;
    object! {
        "turn" => attempt.turn_id.to_string(),
        "attempt" => attempt.attempt,
        "promoted" => attempt.is_promoted,
        "ordinal" => call.ordinal,
        "role" => call.request.role.as_str(),
        "task" => call.request.task.as_str(),
        "tool" => call.request.tool.as_str(),
        "action" => call.request.action.as_str(),
        "arguments" => call.request.arguments.clone(),
        "was" => call.was.verdict.as_str(),
        "would_be" => would_be.verdict.as_str(),
        "reason" => would_be.reason.as_str(),
        "rule" => would_be.rule,
        "nearest_rule" => would_be.nearest_rule,
        "argument" => would_be.argument.as_ref().map(Pointer::as_str),
        "why" => would_be.sentence(),
    }
}
