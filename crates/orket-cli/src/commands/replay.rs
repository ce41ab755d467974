//! `orket replay`: executes every recorded turn of a run again, without a model.

use std::fmt::Write;
use std::path::Path;

use orket_cards::TurnStore;
use orket_flow::{ReplayError, ReplayedTurn, replay_run};
use orket_kernel::canonical::{self, Value};
use orket_kernel::{RunId, object};

use super::replay_turn::divergence_json;
use super::show::turn_name;
use crate::exit::{self, Code, Failure};
use crate::project::Project;
use crate::{terminal, wire};

/// Executes every recorded turn of a run again and compares the digests
///
/// The recorded answers go through the same checks over what each turn read then. No model, no network, no clock.
#[derive(clap::Args)]
#[command(after_help = "Example: orket replay first_light-1")]
pub(crate) struct Arguments {
    /// The run's id
    #[arg(value_name = "RUN")]
    run: RunId,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(crate) fn execute(arguments: &Arguments, project: Option<&Path>) -> Result<Code, Failure> {
    let project = Project::find(project)?;
    let run_id = &arguments.run;
    let Some(board) = wire::read_only_board(&project)? else {
        return Err(ReplayError::NoRun {
            run: run_id.to_string(),
        }
        .into());
    };
    let tools = wire::replaying_tools(&project)?;
    let snapshot = board.snapshot()?;
    let turns = replay_run(snapshot.as_ref(), &tools, run_id)?;
    let text = if arguments.json {
        json(run_id, &turns)
    } else {
        report(run_id, &turns)
    };
    terminal::print_bytes(text.as_bytes())?;
    let is_same = turns.iter().all(ReplayedTurn::is_same);
    Ok(if is_same { exit::DONE } else { exit::NO })
}

fn report(run_id: &RunId, turns: &[ReplayedTurn]) -> String {
    let mut text = String::new();
    for turn in turns {
        let digest = turn.row.result_digest.to_hex();
        let _ = writeln!(
            text,
            "  {:46} {} {}",
            turn_name(run_id, &turn.row),
            &digest[..16],
            finding(turn)
        );
    }
    let same = turns.iter().filter(|turn| turn.is_same()).count();
    let _ = writeln!(
        text,
        "{same} of {} turn(s) of {run_id} replay to the same structural digest",
        turns.len()
    );
    text
}

/// Returns what became of a turn, in one line.
fn finding(turn: &ReplayedTurn) -> String {
    match &turn.replayed {
        Err(error) => format!("not replayed: {}", terminal::plain(&error.to_string())),
        Ok(replayed) => replayed.divergences.first().map_or("same".into(), |first| {
            format!(
                "diverges in {} at {}: recorded {}, replayed {}",
                first.stage,
                first.location,
                terminal::shortened(&first.recorded),
                terminal::shortened(&first.replayed)
            )
        }),
    }
}

fn json(run_id: &RunId, turns: &[ReplayedTurn]) -> String {
    let rows: Vec<Value> = turns.iter().map(|turn| turn_json(run_id, turn)).collect();
    let report = object! {
        "run_id" => run_id.as_str(),
        "same" => turns.iter().all(ReplayedTurn::is_same),
        "turns" => rows,
    };
    format!("{}\n", canonical::to_string(&report))
}

fn turn_json(run_id: &RunId, turn: &ReplayedTurn) -> Value {
    let replayed = turn.replayed.as_ref();
    let digest = replayed.ok().and_then(|replayed| replayed.replayed_digest);
    let divergences = replayed.map_or(&[][..], |replayed| &replayed.divergences);
    object! {
        "name" => turn_name(run_id, &turn.row),
        "turn" => turn.row.turn_id.to_string(),
        "recorded_digest" => turn.row.result_digest.to_hex(),
        "replayed_digest" => digest.map_or(Value::Null, |digest| digest.to_hex().into()),
        "same" => turn.is_same(),
        "divergences" => divergences.iter().map(divergence_json).collect::<Vec<Value>>(),
        "fault" => replayed.err().map_or(Value::Null, |error| error.to_string().into()),
    }
}
