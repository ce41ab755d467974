//! `orket prompt`: what the next turn on a card would ask, without asking.

use std::fmt::Write;
use std::path::Path;

use orket_cards::{CardId, TurnStore};
use orket_flow::{NextRequest, PromptError, next_request};
use orket_kernel::canonical;
use orket_kernel::object;
use orket_ports::model::{Message, Speaker};

use super::run;
use crate::exit::{self, Code, Failure};
use crate::project::Project;
use crate::{terminal, wire};

/// Shows the exact messages that the next turn on a card begins with, without calling anything
#[derive(clap::Args)]
#[command(after_help = "Examples: orket prompt FL-1; orket prompt FL-1 --role coder --json")]
pub(crate) struct Arguments {
    /// The card
    card: CardId,
    /// The role; the one whose turn it is if it is left out
    #[arg(long)]
    role: Option<String>,
    /// The venue, instead of the one that the flow names
    #[arg(long, value_name = "NAME")]
    venue: Option<String>,
    /// Print the request as JSON
    #[arg(long)]
    json: bool,
}

pub(crate) fn execute(arguments: &Arguments, project: Option<&Path>) -> Result<Code, Failure> {
    let project = Project::find(project)?;
    let workspace = wire::workspace(&project)?;
    let tools = wire::tools(&project)?;
    let board = wire::read_only_board(&project)?;
    let epic = run::epic_of(&project, &workspace, &arguments.card)?;
    let venue = arguments.venue.as_deref();
    let play = run::load(&project, &workspace, &epic, venue, &tools)?;
    let snapshot = board.as_ref().map(TurnStore::snapshot).transpose()?;
    let next = next_request(
        snapshot.as_deref(),
        play,
        &tools,
        &project.scrubber,
        &arguments.card,
        arguments.role.as_deref(),
    );
    let next = next.map_err(|error| match error {
        PromptError::Run(error) => error.into(),
        PromptError::NoStep { .. } => Failure::new(exit::NO, error.to_string()),
    })?;
    if next.lacks_checks {
        terminal::say("orket: a run adds what the checks of the card say; none was run\n");
    }
    let text = if arguments.json {
        json(&next)?
    } else {
        shown(&next)?
    };
    terminal::print_bytes(text.as_bytes())
}

fn digest(next: &NextRequest) -> Result<String, Failure> {
    let digest = next.request.digest();
    let digest = digest.map_err(|error| Failure::new(exit::INVALID, error.to_string()))?;
    Ok(digest.to_hex())
}

fn shown(next: &NextRequest) -> Result<String, Failure> {
    let request = &next.request;
    let mut text = String::new();
    let _ = writeln!(text, "role    {}, step {}", next.role, next.step);
    let _ = writeln!(text, "model   {}", terminal::plain(&request.model));
    let tools: Vec<&str> = request
        .tools
        .iter()
        .map(|tool| tool.name.as_str())
        .collect();
    let _ = writeln!(text, "tools   {}", tools.join(", "));
    let _ = writeln!(
        text,
        "tokens  about {}, of a window of {} with {} for the answer",
        request.estimated_prompt_tokens(),
        request.options.num_ctx,
        request.options.num_predict
    );
    let _ = writeln!(text, "digest  {}", digest(next)?);
    for message in &request.messages {
        let _ = writeln!(text, "\n--- {}", head(message));
        if !message.content.is_empty() {
            let _ = writeln!(text, "{}", terminal::plain_lines(&message.content));
        }
        for call in &message.tool_calls {
            let arguments = canonical::to_string(&call.arguments);
            let _ = writeln!(text, "{} {}", call.name, terminal::plain(&arguments));
        }
    }
    Ok(text)
}

fn head(message: &Message) -> String {
    let speaker = match message.speaker {
        Speaker::System => "system",
        Speaker::User => "user",
        Speaker::Assistant => "assistant",
        Speaker::Tool => "tool",
    };
    match &message.tool_name {
        Some(tool) => format!("{speaker} {tool}"),
        None => speaker.to_owned(),
    }
}

fn json(next: &NextRequest) -> Result<String, Failure> {
    let request = canonical::to_value(&next.request)
        .map_err(|error| Failure::new(exit::INVALID, error.to_string()))?;
    let line = object! {
        "role" => next.role.as_str(),
        "step" => next.step.as_str(),
        "digest" => digest(next)?,
        "estimated_tokens" => next.request.estimated_prompt_tokens(),
        "lacks_checks" => next.lacks_checks,
        "request" => request,
    };
    Ok(format!("{}\n", canonical::to_string(&line)))
}
