//! `orket tool call`: one call by hand, through the gate of a model's calls.

use std::fmt::Write;
use std::path::Path;
use std::sync::Arc;

use orket_cards::{CardId, TurnRecord, TurnStore};
use orket_flow::{Desk, OperatorEnd, PersonalCall, PromotedTurn, RunError, call_tool};
use orket_kernel::canonical::{self, Value};
use orket_kernel::object;
use orket_ports::Workspace;
use orket_ports::model::ToolCall;
use orket_ports::workspace::AssetKind;

use super::{find, unknown};
use crate::commands::run;
use crate::exit::{self, Code, Failure};
use crate::project::Project;
use crate::terminal::pretty;
use crate::{terminal, wire};

/// Calls one tool as a role would, through the same gate and with the same records
///
/// The call is one turn of a run of its own, with you as its author. It is decided by the role's tools, the filesystem policy,
/// the transition table and the kernel; what is refused leaves its record too. With a card, the role must act on it as it
/// stands, and a step that works takes it up. Without one, a call can only read.
#[derive(clap::Args)]
#[command(
    after_help = "Example: orket tool call write_file --role coder --card FL-1 --args '{\"path\":\"agent_output/a.txt\",\"content\":\"a\\n\"}'"
)]
pub(super) struct Arguments {
    /// The tool
    name: String,
    /// The role as which you call
    #[arg(long, value_name = "ROLE")]
    role: String,
    /// The arguments, a JSON object
    #[arg(long, value_name = "JSON")]
    args: String,
    /// The card
    #[arg(long, value_name = "ID")]
    card: Option<CardId>,
    /// The epic whose band has the role (default: that of the card, or the only one)
    #[arg(long, value_name = "NAME", conflicts_with = "card")]
    epic: Option<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn execute(arguments: &Arguments, project: Option<&Path>) -> Result<Code, Failure> {
    let given = canonical::parse(arguments.args.as_bytes())
        .map_err(|error| Failure::new(exit::USAGE, format!("--args is no JSON: {error}")))?;
    let project = Project::find(project)?;
    let author = project.author()?;
    let tools = wire::tools(&project)?;
    find(&tools, &arguments.name)?;
    let workspace = wire::workspace(&project)?;
    let epic = epic(arguments, &project, &workspace)?;
    let play = run::load(&project, &workspace, &epic, None, &tools)?;
    if !play.band.roles.contains_key(&arguments.role) {
        let roles = play.band.roles.keys().map(String::as_str);
        return Err(unknown("role", &arguments.role, roles));
    }
    let verifier = wire::verifier(&project)?;
    let board = wire::board(&project)?;
    let clock = wire::clock(&project);
    let desk = Desk {
        store: &board,
        workspace: &workspace,
        clock: clock.as_ref(),
    };
    let end = call_tool(
        &desk,
        &PersonalCall {
            author,
            play,
            tools: &tools,
            role: arguments.role.clone(),
            card: arguments.card.clone(),
            call: ToolCall {
                name: arguments.name.clone(),
                arguments: given,
            },
            verifier: &verifier,
            scrubber: Arc::clone(&project.scrubber),
        },
    )?;
    if arguments.json {
        let line = format!("{}\n", canonical::to_string(&json(&end)));
        terminal::print_bytes(line.as_bytes())?;
    }
    match end {
        OperatorEnd::Promoted(turn) => {
            if !arguments.json {
                let result = pretty::print(&result(&turn.record));
                terminal::print_bytes(result.as_bytes())?;
                terminal::say(&told(&turn));
            }
            Ok(exit::DONE)
        }
        OperatorEnd::Refused { record } => {
            let (refusals, run) = (record.refusals.join("; "), &record.run_id);
            let message = format!("{refusals}; the refused attempt is kept as the run {run}");
            Err(Failure::new(exit::REFUSED, message))
        }
    }
}

/// Returns the epic whose play decides.
fn epic(
    arguments: &Arguments,
    project: &Project,
    workspace: &dyn Workspace,
) -> Result<String, Failure> {
    if let Some(epic) = &arguments.epic {
        return Ok(epic.clone());
    }
    if let Some(id) = &arguments.card {
        let known = match wire::read_only_board(project)? {
            None => Vec::new(),
            Some(board) => board.snapshot()?.cards(None)?,
        };
        let card = known.into_iter().find(|card| card.id == *id);
        return card.map(|card| card.epic).ok_or_else(|| {
            let message = format!(
                "there is no card {id} on the board; `orket board` lists the cards, and `orket run` loads those of an epic"
            );
            Failure::new(exit::INVALID, message)
        });
    }
    let epics = workspace
        .asset_names(AssetKind::Epic)
        .map_err(RunError::from)?;
    match epics.as_slice() {
        [only] => Ok(only.clone()),
        _ => {
            let message = format!(
                "name a card with --card or an epic with --epic; there are {}",
                epics.join(", ")
            );
            Err(Failure::new(exit::USAGE, message))
        }
    }
}

/// Returns the turn in the form that `orket show turn` takes.
fn place(record: &TurnRecord) -> String {
    let card = record.card.as_ref().map_or("-", CardId::as_str);
    format!("{}:{card}:{}", record.run_id, record.turn_id.number())
}

fn result(record: &TurnRecord) -> Value {
    let call = record.calls.first();
    call.map(|call| call.result.clone()).unwrap_or_default()
}

fn told(turn: &PromotedTurn) -> String {
    let mut text = format!(
        "{} committed by {}",
        place(&turn.record),
        author(&turn.record)
    );
    for (word, paths) in [("wrote", &turn.written), ("removed", &turn.removed)] {
        for path in paths {
            let _ = write!(text, ", {word} agent_output/{}", terminal::plain(path));
        }
    }
    text.push('\n');
    text
}

fn author(record: &TurnRecord) -> String {
    match &record.cause {
        orket_cards::Cause::Operator { author, .. } => terminal::plain(author.as_str()),
        _ => String::new(),
    }
}

fn json(end: &OperatorEnd) -> Value {
    let (record, outcome) = match end {
        OperatorEnd::Promoted(turn) => (&turn.record, "promoted"),
        OperatorEnd::Refused { record } => (record, "refused"),
    };
    let decisions: Vec<Value> = record
        .decisions
        .iter()
        .map(|it| canonical::to_value(it).unwrap_or_default())
        .collect();
    let refusals: Vec<Value> = record
        .refusals
        .iter()
        .map(|it| Value::from(it.as_str()))
        .collect();
    let mut told = object! {
        "run_id" => record.run_id.as_str(),
        "author" => author(record),
        "role" => record.role.as_str(),
        "step" => record.step.as_str(),
        "outcome" => outcome,
        "result" => result(record),
        "decisions" => decisions,
        "refusals" => refusals,
    };
    if let (Value::Object(members), OperatorEnd::Promoted(turn)) = (&mut told, end) {
        let written: Vec<Value> = turn
            .written
            .iter()
            .map(|it| Value::from(it.as_str()))
            .collect();
        members.insert("turn".into(), place(record).into());
        members.insert("files".into(), Value::from(written));
        members.insert("state_digest".into(), turn.after.to_hex().into());
    }
    told
}
