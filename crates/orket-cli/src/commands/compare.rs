//! `orket compare`: tells whether two runs come to the same.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use orket_cards::TurnStore;
use orket_flow::{ReplayError, recorded_run};
use orket_kernel::canonical::{self, Value};
use orket_kernel::{Outcome, ParityReport, RecordedRun, RunId, compare_runs, object};

use crate::exit::{self, Code, Failure};
use crate::project::Project;
use crate::{terminal, wire};

/// Compares what two runs came to, turn by turn
///
/// Compared are the results of the turns, their issues in order, and the state after the last turn. Names of runs, venues,
/// times, paths and messages are not.
#[derive(clap::Args)]
#[command(
    after_help = "Examples: orket compare first_light-1 second; orket compare one one --other ../another-project"
)]
pub(crate) struct Arguments {
    /// The first run's id
    #[arg(value_name = "RUN")]
    one: RunId,
    /// The second run's id
    #[arg(value_name = "RUN")]
    two: RunId,
    /// The project that the second run lies in, if it is another one
    #[arg(long, value_name = "DIR")]
    other: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(crate) fn execute(arguments: &Arguments, project: Option<&Path>) -> Result<Code, Failure> {
    let project = Project::find(project)?;
    let one = read(&project, &arguments.one)?;
    let two = match &arguments.other {
        None => read(&project, &arguments.two)?,
        Some(directory) => read_other(&project, directory, &arguments.two)?,
    };
    let found = compare_runs(&one, &two);
    let text = if arguments.json {
        json([(&arguments.one, &one), (&arguments.two, &two)], &found)
    } else {
        report([(&arguments.one, &one), (&arguments.two, &two)], &found)
    };
    terminal::print_bytes(text.as_bytes())?;
    Ok(match found.outcome {
        Outcome::Pass => exit::DONE,
        Outcome::Fail => exit::NO,
    })
}

fn read(project: &Project, run_id: &RunId) -> Result<RecordedRun, Failure> {
    let Some(board) = wire::read_only_board(project)? else {
        return Err(ReplayError::NoRun {
            run: run_id.to_string(),
        }
        .into());
    };
    let snapshot = board.snapshot()?;
    Ok(recorded_run(snapshot.as_ref(), run_id)?)
}

/// Reads a run of another project; what fails there says where.
fn read_other(project: &Project, directory: &Path, run_id: &RunId) -> Result<RecordedRun, Failure> {
    let other = Project::find(Some(directory))?;
    if other.root != project.root && other.home == project.home {
        // The run would be compared with itself, or with one that never ran there.
        let message = "ORKET_HOME names one directory for both projects; --other needs two";
        return Err(Failure::new(exit::INVALID, message));
    }
    read(&other, run_id).map_err(|failure| {
        let message = format!("--other {}: {}", directory.display(), failure.message);
        Failure::new(failure.code, message)
    })
}

type Named<'a> = (&'a RunId, &'a RecordedRun);

fn report(runs: [Named<'_>; 2], found: &ParityReport) -> String {
    let divergences = &found.divergences;
    let mut text = String::new();
    for (run_id, run) in runs {
        let _ = writeln!(
            text,
            "{run_id}: {} turn(s), state {}",
            run.turns().len(),
            run.state_digest()
        );
    }
    for divergence in divergences {
        let _ = writeln!(
            text,
            "  {} {} {}",
            divergence.turn_id, divergence.stage, divergence.location
        );
    }
    match divergences.first() {
        None => text.push_str("the runs are structurally equivalent\n"),
        Some(first) => {
            let _ = writeln!(
                text,
                "the runs differ in {} place(s), first in {}, in {} at {}: {} in the first run, {} in the second",
                divergences.len(),
                first.turn_id,
                first.stage,
                first.location,
                terminal::shortened(&first.recorded),
                terminal::shortened(&first.replayed)
            );
        }
    }
    text
}

fn json(runs: [Named<'_>; 2], found: &ParityReport) -> String {
    let [one, two] = runs.map(|(run_id, run)| {
        object! {
            "run_id" => run_id.as_str(),
            "turns" => run.turns().len() as u64,
            "state_digest" => run.state_digest().to_hex(),
        }
    });
    let rows: Vec<Value> = found
        .divergences
        .iter()
        .map(|divergence| {
            object! {
                "turn" => divergence.turn_id.to_string(),
                "stage" => divergence.stage.as_str(),
                "location" => divergence.location.as_str(),
                "one" => divergence.recorded.as_str(),
                "two" => divergence.replayed.as_str(),
            }
        })
        .collect();
    let report = object! {
        "one" => one,
        "two" => two,
        "equivalent" => found.outcome == Outcome::Pass,
        "divergences" => rows,
        "first_divergence" => found.first_divergence.clone(),
        "events" => found.events.iter().map(|line| line.as_str().into()).collect::<Vec<Value>>(),
    };
    format!("{}\n", canonical::to_string(&report))
}
