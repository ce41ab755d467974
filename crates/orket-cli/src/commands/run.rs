//! `orket run`: works an epic, a rock or one card.

use std::fmt::Write;
use std::path::Path;
use std::sync::Arc;

use orket_cards::{Card, CardId, EpicAsset, Stall, Status, TurnStore, WaitReason, parse_asset};
use orket_flow::{
    NoConductor, Play, RunEnding, RunError, RunOptions, RunSummary, Stage, Tools, load_play,
    load_rock, run_epic,
};
use orket_kernel::canonical::{self, Value};
use orket_kernel::{RunId, object};
use orket_ports::event::EVENT_VERSION;
use orket_ports::model::Cancellation;
use orket_ports::workspace::AssetKind;
use orket_ports::{EventSink, Workspace};

use crate::exit::{self, Code, Failure};
use crate::project::Project;
use crate::{recovered, terminal, wire};

/// Works an epic, a rock or one card until nothing more can be done
///
/// Run the same command again after an interruption: it continues where it was. Each turn is promoted whole or not
/// at all.
#[derive(clap::Args)]
#[command(
    after_help = "Examples: orket run --epic first_light; orket run --epic first_light --venue ollama"
)]
pub(crate) struct Arguments {
    #[command(flatten)]
    what: What,
    /// The venue, instead of the one that the flow names
    #[arg(long, value_name = "NAME")]
    venue: Option<String>,
    /// The run to start or to continue; without it the unfinished run of the epic, or a new one
    #[arg(long, value_name = "ID")]
    run_id: Option<RunId>,
    /// Go on although the model on the server is not the one that the run began with
    #[arg(long)]
    accept_model: bool,
    /// Print the event stream as JSON lines
    #[arg(long)]
    json: bool,
}

#[derive(clap::Args)]
#[group(required = true, multiple = false)]
struct What {
    /// The epic
    #[arg(long, value_name = "NAME")]
    epic: Option<String>,
    /// The rock: its epics, one after the other
    #[arg(long, value_name = "NAME")]
    rock: Option<String>,
    /// The card
    #[arg(long, value_name = "ID")]
    card: Option<CardId>,
}

pub(crate) fn execute(arguments: &Arguments, project: Option<&Path>) -> Result<Code, Failure> {
    let project = Project::find(project)?;
    let workspace = wire::workspace(&project)?;
    if let Some(rock) = &arguments.what.rock {
        let rock = load_rock(&workspace, rock)?;
        let mut code = exit::DONE;
        for epic in &rock.epics {
            let run_id = match &arguments.run_id {
                None => None,
                Some(id) => Some(RunId::parse(&format!("{id}.{epic}")).map_err(RunError::from)?),
            };
            code = play(
                arguments,
                &project,
                &workspace,
                epic,
                RunOptions {
                    run_id,
                    accept_model: arguments.accept_model,
                    ..RunOptions::default()
                },
            )?;
            if code != exit::DONE {
                break;
            }
        }
        return Ok(code);
    }
    let (epic, card) = match (&arguments.what.epic, &arguments.what.card) {
        (Some(epic), _) => (epic.clone(), None),
        (None, Some(card)) => (epic_of(&project, &workspace, card)?, Some(card.clone())),
        (None, None) => return Err(Failure::new(exit::USAGE, "name an epic, a rock or a card")),
    };
    let options = RunOptions {
        run_id: arguments.run_id.clone(),
        card,
        accept_model: arguments.accept_model,
    };
    play(arguments, &project, &workspace, &epic, options)
}

fn play(
    arguments: &Arguments,
    project: &Project,
    workspace: &dyn Workspace,
    epic: &str,
    options: RunOptions,
) -> Result<Code, Failure> {
    let tools = wire::tools(project)?;
    let play = load(project, workspace, epic, arguments.venue.as_deref(), &tools)?;
    let provider = wire::provider(project, &play.venue)?;
    let verifier = wire::verifier(project)?;
    let board = wire::board(project)?;
    let clock = wire::clock(project);
    let stage = Stage {
        store: &board,
        workspace,
        provider: provider.as_ref(),
        verifier: &verifier,
        tools: &tools,
        scrubber: Arc::clone(&project.scrubber),
        clock: clock.as_ref(),
        cancellation: Cancellation::new(),
    };
    let mut lines = terminal::JsonLines;
    let mut progress = terminal::Progress::new(project.settings.value("NO_COLOR").is_some());
    let sink: &mut dyn EventSink = if arguments.json {
        &mut lines
    } else {
        &mut progress
    };
    if arguments.json
        && let Some(line) = recovered::line(&board, &clock.now())?
    {
        terminal::print_bytes(line.as_bytes())?;
    }
    let summary = run_epic(&stage, sink, &mut NoConductor, play, &options)?;
    let text = if arguments.json {
        json(&summary, &clock.now())
    } else {
        report(&summary)
    };
    terminal::print_bytes(text.as_bytes())?;
    super::gc::after_run(project, &board);
    Ok(code(&summary))
}

/// Loads what an epic is played from, with the spaces and the policy of the project.
pub(super) fn load(
    project: &Project,
    workspace: &dyn Workspace,
    epic: &str,
    venue: Option<&str>,
    tools: &Tools,
) -> Result<Play, Failure> {
    let play = load_play(workspace, epic, venue, &wire::tool_names(tools))?;
    Ok(Play {
        space_policy: project.config.policy.clone(),
        reference_spaces: project.config.spaces.reference.keys().cloned().collect(),
        ..play
    })
}

fn code(summary: &RunSummary) -> Code {
    let mut asked_for = summary
        .cards
        .iter()
        .filter(|card| summary.only.as_ref().is_none_or(|only| *only == card.id));
    if asked_for.clone().all(|card| card.status.is_finished()) {
        return exit::DONE;
    }
    let for_a_person = |card: &Card| {
        card.status == Status::WaitingForDeveloper
            || matches!(
                card.wait_reason,
                Some(WaitReason::Resource | WaitReason::Review | WaitReason::Input)
            )
    };
    if asked_for.any(for_a_person) {
        exit::WAITING
    } else {
        exit::NO
    }
}

pub(super) fn epic_of(
    project: &Project,
    workspace: &dyn Workspace,
    card: &CardId,
) -> Result<String, Failure> {
    for name in workspace
        .asset_names(AssetKind::Epic)
        .map_err(RunError::from)?
    {
        let asset = workspace
            .asset(AssetKind::Epic, &name)
            .map_err(RunError::from)?;
        let Some((file, bytes)) = asset else { continue };
        // An epic that cannot be read may be the one; it is not passed over.
        let epic: EpicAsset = parse_asset(&file, &bytes).map_err(RunError::from)?;
        let cards = epic.cards(&file).map_err(RunError::from)?;
        if cards.iter().any(|defined| defined.id == *card) {
            return Ok(name);
        }
    }
    // A role may have created it.
    if let Some(board) = wire::read_only_board(project)? {
        let known = board.snapshot()?.cards(None)?;
        let created = known.into_iter().find(|known| known.id == *card);
        if let Some(created) = created.filter(|created| created.created_by.is_some()) {
            return Ok(created.epic);
        }
    }
    Err(RunError::NoCard {
        card: card.to_string(),
    }
    .into())
}

fn word(ending: RunEnding) -> &'static str {
    match ending {
        RunEnding::Done => "done",
        RunEnding::NothingToDo => "nothing to do",
        RunEnding::Incomplete => "incomplete",
        RunEnding::Stopped => "stopped",
    }
}

fn report(summary: &RunSummary) -> String {
    let mut text = String::new();
    match &summary.run_id {
        Some(run) => {
            let _ = writeln!(
                text,
                "epic {}: {} (run {run})",
                summary.epic,
                word(summary.ending)
            );
        }
        None => {
            let what = summary.only.as_ref().map_or_else(
                || format!("epic {}: every card is finished", summary.epic),
                |card| format!("card {card}: it is finished"),
            );
            let _ = writeln!(text, "{what}, no run was started");
        }
    }
    let id_width = summary
        .cards
        .iter()
        .map(|card| card.id.as_str().len())
        .max()
        .unwrap_or(0);
    for card in &summary.cards {
        let _ = writeln!(
            text,
            "  {:id_width$}  {:22} {:9} {}",
            card.id,
            card.status,
            card.verified.as_str(),
            terminal::plain(&card.title)
        );
    }
    if matches!(summary.ending, RunEnding::Incomplete | RunEnding::Stopped) {
        let told = |stall: &&Stall| summary.only.as_ref().is_none_or(|only| *only == stall.card);
        for stall in summary.stalls.iter().filter(told) {
            let _ = writeln!(text, "  {} does not go on: {}", stall.card, stall.reason);
        }
    }
    if summary.run_id.is_some() {
        let _ = writeln!(
            text,
            "turns {}, refused attempts {}, corrected turns {}, tokens {} in and {} out{}",
            summary.turns,
            summary.refused_attempts,
            summary.corrected_turns,
            summary.tokens.prompt,
            summary.tokens.completion,
            match summary.tokens.estimated {
                0 => String::new(),
                estimated => format!(", {estimated} of them estimated"),
            }
        );
        let _ = writeln!(text, "sandbox {}", summary.sandbox_tier);
    }
    for (path, digest) in &summary.files {
        let _ = writeln!(
            text,
            "  {} agent_output/{}",
            &digest.to_hex()[..16],
            terminal::plain(path)
        );
    }
    let _ = writeln!(text, "state {}", summary.state_digest);
    if let (Some(run), Some(turn)) = (&summary.run_id, &summary.last_turn) {
        let _ = writeln!(
            text,
            "next: orket board; orket show run {run}; orket replay-turn {turn}\n\
             what was said lies in workspace/default/observability/{run}/"
        );
    }
    text
}

fn json(summary: &RunSummary, time: &str) -> String {
    let files: Vec<Value> = summary
        .files
        .iter()
        .map(|(path, digest)| object! { "path" => path.as_str(), "digest" => digest.to_hex() })
        .collect();
    let data = object! {
        "epic" => summary.epic.as_str(),
        "ending" => word(summary.ending).replace(' ', "_"),
        "cards" => summary.cards.iter().map(super::show::card_json).collect::<Vec<_>>(),
        "turns" => summary.turns,
        "refused_attempts" => summary.refused_attempts,
        "corrected_turns" => summary.corrected_turns,
        "tokens" => object! { "prompt" => summary.tokens.prompt, "completion" => summary.tokens.completion, "cached" => summary.tokens.cached, "estimated" => summary.tokens.estimated },
        "files" => files,
        "sandbox_tier" => summary.sandbox_tier.as_str(),
        "state_digest" => summary.state_digest.to_hex(),
    };
    // The last line has the form of the others, so that one reader does for all.
    let line = object! {
        "version" => EVENT_VERSION,
        "event" => "summary",
        "run_id" => summary.run_id.as_deref().map_or(Value::Null, Value::from),
        "seq" => Value::Null,
        "time" => time,
        "data" => data,
    };
    format!("{}\n", canonical::to_string(&line))
}
