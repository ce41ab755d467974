//! `orket op log`: what changed the state, newest first.

use std::fmt::Write;
use std::path::Path;

use orket_cards::TurnStore;
use orket_flow::{Operation, operations};
use orket_kernel::canonical::{self, Value};
use orket_kernel::object;

use super::undo::shown;
use crate::exit::{Code, Failure};
use crate::project::Project;
use crate::{terminal, wire};

/// How many stems a line names.
const STEMS_SHOWN: usize = 3;

/// Shows the operations that changed the state
#[derive(clap::Args)]
#[command(after_help = "Examples: orket op log; orket op log --limit 5 --json")]
pub(crate) struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(clap::Subcommand)]
enum What {
    /// One entry per operation, newest first: who, what, the state before and after
    Log {
        /// How many
        #[arg(long, value_name = "N", default_value_t = 20)]
        limit: usize,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
}

pub(crate) fn execute(arguments: &Arguments, project: Option<&Path>) -> Result<Code, Failure> {
    let What::Log { limit, json } = &arguments.what;
    let project = Project::find(project)?;
    let board = wire::board_to_look_at(&project)?;
    let operations = operations(board.snapshot()?.as_ref(), *limit)?;
    let text = if *json {
        let entries: Vec<Value> = operations.iter().map(entry).collect();
        format!("{}\n", canonical::to_string(&Value::from(entries)))
    } else {
        operations.iter().map(lines).collect()
    };
    terminal::print_bytes(text.as_bytes())
}

fn lines(operation: &Operation) -> String {
    let who = match &operation.author {
        Some(author) if operation.kind == "tool" => format!("{author} as {}", operation.role),
        Some(author) => author.clone(),
        None => operation.role.clone(),
    };
    let card = operation.card.as_ref().map(|card| format!(" on {card}"));
    let about = operation.about.as_ref().map(|about| format!(" of {about}"));
    let mut text = format!(
        "@{} {} {}{}: {}{}, {}\n",
        operation.generation,
        operation.turn,
        operation.kind,
        about.unwrap_or_default(),
        terminal::plain(&who),
        card.unwrap_or_default(),
        changed(operation),
    );
    let (before, after) = (operation.before.to_hex(), operation.after.to_hex());
    let _ = writeln!(text, "    state {before:.16} -> {after:.16}");
    text
}

fn changed(operation: &Operation) -> String {
    let Some(stems) = &operation.stems else {
        return "what it changed is not retained".to_owned();
    };
    if stems.is_empty() {
        return "nothing changed".to_owned();
    }
    let named = stems.iter().take(STEMS_SHOWN);
    let named: Vec<String> = named.map(|stem| terminal::plain(&shown(stem))).collect();
    let more = match stems.len().saturating_sub(STEMS_SHOWN) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    format!("{}{more}", named.join(", "))
}

fn entry(operation: &Operation) -> Value {
    let stems = operation.stems.as_ref().map(|stems| {
        let stems: Vec<Value> = stems.iter().map(|stem| stem.as_str().into()).collect();
        Value::from(stems)
    });
    let text = |text: Option<&str>| text.map_or(Value::Null, Value::from);
    let about = operation.about.as_ref().map(ToString::to_string);
    object! {
        "generation" => operation.generation,
        "run_id" => operation.turn.run_id.as_str(),
        "turn_id" => operation.turn.turn_id.to_string(),
        "kind" => operation.kind,
        "role" => operation.role.as_str(),
        "author" => text(operation.author.as_deref()),
        "card" => text(operation.card.as_ref().map(|card| card.as_str())),
        "step" => operation.step.as_str(),
        "about" => text(about.as_deref()),
        "changed" => operation.stems.as_ref().map_or(Value::Null, |stems| (stems.len() as u64).into()),
        "stems" => stems.unwrap_or(Value::Null),
        "digest_before" => operation.before.to_hex(),
        "digest_after" => operation.after.to_hex(),
    }
}
