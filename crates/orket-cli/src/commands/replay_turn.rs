//! `orket replay-turn`: executes a recorded turn again, without a model.

use std::fmt::Write;
use std::path::Path;

use orket_cards::TurnStore;
use orket_flow::{ReplayError, Replayed, replay_turn};
use orket_kernel::canonical::{self, Value};
use orket_kernel::{Divergence, object};

use crate::exit::{self, Code, Failure};
use crate::place::TurnPlace;
use crate::project::Project;
use crate::{terminal, wire};

/// Executes a recorded turn again and compares the digests
///
/// The recorded answer goes through the same checks over what the turn read then. No model, no network, no clock.
#[derive(clap::Args)]
#[command(after_help = "Example: orket replay-turn first_light-1:FL-1:2")]
pub(crate) struct Arguments {
    /// The turn: RUN:ISSUE:TURN or RUN:ISSUE:TURN:ROLE; ISSUE is - for a turn on no card
    #[arg(value_name = "RUN:ISSUE:TURN[:ROLE]")]
    turn: TurnPlace,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(crate) fn execute(arguments: &Arguments, project: Option<&Path>) -> Result<Code, Failure> {
    let project = Project::find(project)?;
    let place = &arguments.turn;
    let Some(board) = wire::read_only_board(&project)? else {
        return Err(ReplayError::NoRun {
            run: place.run_id.to_string(),
        }
        .into());
    };
    let tools = wire::replaying_tools(&project)?;
    let snapshot = board.snapshot()?;
    let replayed = replay_turn(snapshot.as_ref(), &tools, &place.run_id, place.turn_id)?;
    let card = replayed.record.card.as_ref().map(|card| card.as_str());
    if let Some(mismatch) = place.mismatch(card, &replayed.record.role) {
        return Err(Failure::new(exit::USAGE, mismatch));
    }
    let text = if arguments.json {
        json(&replayed)
    } else {
        report(place, &replayed)
    };
    terminal::print_bytes(text.as_bytes())?;
    let same = replayed.divergences.is_empty()
        && replayed.replayed_digest == Some(replayed.recorded_digest);
    Ok(if same { exit::DONE } else { exit::NO })
}

fn report(place: &TurnPlace, replayed: &Replayed) -> String {
    let record = &replayed.record;
    let mut text = String::new();
    let card = record.card.as_ref().map_or("-", |card| card.as_str());
    let _ = writeln!(
        text,
        "{} of {}: {card}, {} in {}, attempt {}",
        place.turn_id, place.run_id, record.role, record.step, record.attempt
    );
    for call in &record.calls {
        let path = call
            .arguments
            .get("path")
            .or_else(|| call.arguments.get("status"));
        let target = path.and_then(Value::as_str).unwrap_or_default();
        let _ = writeln!(text, "  {} {}", call.tool, terminal::plain(target));
    }
    for issue in &replayed.issues {
        let _ = writeln!(
            text,
            "  {}",
            terminal::plain(&orket_kernel::event::format(issue))
        );
    }
    let _ = writeln!(text, "recorded  {}", replayed.recorded_digest);
    let digest = replayed
        .replayed_digest
        .map_or("refused".to_owned(), |digest| digest.to_hex());
    let _ = writeln!(text, "replayed  {digest}");
    match replayed.divergences.first() {
        None => text.push_str("the structural digest is the same\n"),
        Some(first) => {
            let _ = writeln!(
                text,
                "the turn diverges in {} at {}: recorded {}, replayed {}",
                first.stage,
                first.location,
                terminal::plain(&first.recorded),
                terminal::plain(&first.replayed)
            );
        }
    }
    text
}

fn json(replayed: &Replayed) -> String {
    let divergences: Vec<Value> = replayed.divergences.iter().map(divergence_json).collect();
    let record = &replayed.record;
    let report = object! {
        "run_id" => record.run_id.as_str(),
        "issue_id" => record.card.as_ref().map_or("-", |card| card.as_str()),
        "turn" => record.turn_id.to_string(),
        "role" => record.role.as_str(),
        "recorded_digest" => replayed.recorded_digest.to_hex(),
        "replayed_digest" => replayed.replayed_digest.map_or(Value::Null, |digest| digest.to_hex().into()),
        "same" => replayed.divergences.is_empty(),
        "divergences" => divergences,
    };
    format!("{}\n", canonical::to_string(&report))
}

/// Returns a divergence as data.
pub(super) fn divergence_json(divergence: &Divergence) -> Value {
    object! {
        "turn" => divergence.turn_id.to_string(),
        "stage" => divergence.stage.as_str(),
        "location" => divergence.location.as_str(),
        "recorded" => divergence.recorded.as_str(),
        "replayed" => divergence.replayed.as_str(),
    }
}
