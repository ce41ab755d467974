//! `orket undo` and `orket redo`: a new turn with the old content.

use std::fmt::Write;
use std::io::{BufRead, IsTerminal};
use std::path::Path;

use orket_cards::{TurnName, TurnStore};
use orket_flow::{Backwards, Desk, RestoredStem, UndoError, UndoPlan, Undone, plan_back, put_back};
use orket_kernel::canonical::{self, Value};
use orket_kernel::{Stem, object};

use crate::exit::{self, Code, Failure};
use crate::place::TurnAddress;
use crate::project::Project;
use crate::{terminal, wire};

/// Takes back what a turn, or all that a run after a turn, changed
///
/// Without an argument the newest turn that stands is taken back: its files and cards are as before it. With RUN:TURN,
/// everything that the run changed after that turn is as it was right after it. It is done by a new turn; `orket redo` takes
/// it back.
#[derive(clap::Args)]
#[command(after_help = "Examples: orket undo; orket undo first_light-1:7 --dry-run; orket redo")]
pub(crate) struct Arguments {
    /// The turn after which the run's changes are taken back
    #[arg(value_name = "RUN:TURN")]
    after: Option<TurnAddress>,
    #[command(flatten)]
    manner: Manner,
}

/// Takes the newest undo back
#[derive(clap::Args)]
#[command(after_help = "Examples: orket redo; orket redo --dry-run")]
pub(crate) struct RedoArguments {
    #[command(flatten)]
    manner: Manner,
}

#[derive(clap::Args)]
struct Manner {
    /// Do not ask, also on a terminal
    #[arg(long)]
    yes: bool,
    /// Say what would be put back, and do nothing
    #[arg(long, conflicts_with = "yes")]
    dry_run: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(crate) fn execute(arguments: &Arguments, project: Option<&Path>) -> Result<Code, Failure> {
    let what = match &arguments.after {
        None => Backwards::UndoNewest,
        Some(address) => Backwards::UndoAfter(TurnName {
            run_id: address.run_id.clone(),
            turn_id: address.turn_id,
        }),
    };
    go_back("undo", &what, &arguments.manner, project)
}

pub(crate) fn redo(arguments: &RedoArguments, project: Option<&Path>) -> Result<Code, Failure> {
    go_back("redo", &Backwards::Redo, &arguments.manner, project)
}

fn go_back(
    word: &'static str,
    what: &Backwards,
    manner: &Manner,
    project: Option<&Path>,
) -> Result<Code, Failure> {
    let project = Project::find(project)?;
    let author = project.author()?;
    let can_ask = !manner.yes && std::io::stdin().is_terminal() && std::io::stderr().is_terminal();
    if manner.dry_run || can_ask {
        let board = wire::board_to_look_at(&project)?;
        let plan = match plan_back(board.snapshot()?.as_ref(), &author, what) {
            Err(error @ UndoError::AsItWas { .. }) => {
                terminal::say(&format!("{error}\n"));
                return Ok(exit::DONE);
            }
            plan => plan?,
        };
        if manner.dry_run {
            let text = if manner.json {
                json(word, &plan, None)
            } else {
                format!("would {word} {}\n{}", target(what, &plan), told(&plan))
            };
            return terminal::print_bytes(text.as_bytes());
        }
        terminal::say(&format!(
            "{word} {}\n{}go on? [y/N] ",
            target(what, &plan),
            told(&plan)
        ));
        if !is_confirmed() {
            return Err(Failure::new(exit::WAITING, "nothing was changed"));
        }
    } else {
        drop(wire::board_to_look_at(&project)?);
    }
    let board = wire::board(&project)?;
    let workspace = wire::workspace(&project)?;
    let clock = wire::clock(&project);
    let desk = Desk {
        store: &board,
        workspace: &workspace,
        clock: clock.as_ref(),
    };
    let undone = match put_back(&desk, &author, what) {
        // What was asked for is so: the same command again, after a kill for instance, has nothing left to do.
        Err(error @ UndoError::AsItWas { .. }) => {
            terminal::say(&format!("{error}\n"));
            return Ok(exit::DONE);
        }
        undone => undone?,
    };
    let text = if manner.json {
        json(word, &undone.plan, Some(&undone))
    } else {
        report(word, what, &undone)
    };
    terminal::print_bytes(text.as_bytes())
}

fn is_confirmed() -> bool {
    let mut answer = String::new();
    let read = std::io::stdin().lock().read_line(&mut answer);
    read.is_ok() && matches!(answer.trim(), "y" | "Y" | "yes")
}

fn target(what: &Backwards, plan: &UndoPlan) -> String {
    match what {
        Backwards::UndoNewest => plan.about.to_string(),
        Backwards::UndoAfter(_) => format!("what {} did after {}", plan.subject, plan.about),
        Backwards::Redo => format!("the undo {}", plan.about),
    }
}

fn report(word: &str, what: &Backwards, undone: &Undone) -> String {
    let past = if word == "undo" { "undid" } else { "redid" };
    let turn = &undone.turn;
    let mut text = format!(
        "{past} {}\n{}",
        target(what, &undone.plan),
        told(&undone.plan)
    );
    let _ = writeln!(
        text,
        "turn {}:1, generation {}, state {}",
        turn.run_id, turn.generation, turn.after
    );
    if word == "undo" {
        text.push_str("`orket redo` takes it back\n");
    }
    text
}

fn told(plan: &UndoPlan) -> String {
    let mut text = String::new();
    for restored in &plan.stems {
        let _ = writeln!(
            text,
            "  {:8} {}",
            change(restored),
            terminal::plain(&shown(&restored.stem))
        );
    }
    text
}

/// Names a stem as a person knows it.
pub(super) fn shown(stem: &Stem) -> String {
    match stem.kind() {
        "artifact" => format!("agent_output/{}", stem.name()),
        kind => format!("{kind} {}", stem.name()),
    }
}

fn change(restored: &RestoredStem) -> &'static str {
    match (restored.was_there, restored.is_there) {
        (_, false) => "removed",
        (false, true) => "made",
        (true, true) => "restored",
    }
}

fn json(word: &str, plan: &UndoPlan, done: Option<&Undone>) -> String {
    let stems = plan.stems.iter().map(|restored| {
        object! { "stem" => restored.stem.as_str(), "change" => change(restored) }
    });
    let turn = done.map(|done| &done.turn);
    let report = object! {
        "operation" => word,
        "dry_run" => done.is_none(),
        "subject" => plan.subject.as_str(),
        "about" => plan.about.to_string(),
        "stems" => stems.collect::<Vec<Value>>(),
        "run_id" => turn.map_or(Value::Null, |turn| turn.run_id.as_str().into()),
        "turn_id" => turn.map_or(Value::Null, |turn| turn.record.turn_id.to_string().into()),
        "generation" => turn.map_or(Value::Null, |turn| turn.generation.into()),
        "digest_before" => turn.map_or(Value::Null, |turn| turn.before.to_hex().into()),
        "digest_after" => turn.map_or(Value::Null, |turn| turn.after.to_hex().into()),
    };
    format!("{}\n", canonical::to_string(&report))
}
