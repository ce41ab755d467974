//! Choosing the run: the one that was named, the epic's unfinished one, or a new one.

use orket_cards::{RunState, TurnSnapshot};
use orket_kernel::canonical;
use orket_kernel::{Profile, RunEnvelope, RunId};

use crate::error::RunError;
use crate::orchestrator::{RunOptions, Stage};
use crate::play::Play;
use crate::projection;
use crate::summary::{RunEnding, RunSummary, summarize};

/// What a command has to do.
pub(crate) enum Choice {
    /// Start or continue this run.
    Run(RunId),
    /// Nothing: the run that was named has ended, or every card was finished before.
    Over(Option<RunId>),
}

/// Chooses the run that a command is about.
pub(crate) fn choose_run(
    snapshot: &dyn TurnSnapshot,
    play: &Play,
    options: &RunOptions,
) -> Result<Choice, RunError> {
    let epic = &play.epic.name;
    if let Some(run_id) = &options.run_id
        && let Some(row) = snapshot.run(run_id)?
    {
        if row.epic != *epic {
            return Err(RunError::OtherEpic {
                run: run_id.to_string(),
                epic: row.epic,
            });
        }
        return Ok(match row.state {
            RunState::Open => Choice::Run(run_id.clone()),
            RunState::Passed | RunState::Failed => Choice::Over(Some(run_id.clone())),
        });
    }
    let runs = snapshot.runs(Some(epic))?;
    if let Some(open) = runs.iter().find(|run| run.state == RunState::Open) {
        return match &options.run_id {
            None => Ok(Choice::Run(open.run_id.clone())),
            Some(_) => Err(RunError::AnotherRun {
                epic: epic.clone(),
                open: open.run_id.to_string(),
            }),
        };
    }
    if !has_work(snapshot, play, options)? {
        return Ok(Choice::Over(None));
    }
    Ok(Choice::Run(match &options.run_id {
        Some(run_id) => run_id.clone(),
        None => free_run_id(snapshot, epic, runs.len())?,
    }))
}

/// Ends a command for which nothing is left to do; projections that a killed command left behind are brought forward.
pub(crate) fn finished_before(
    stage: &Stage<'_>,
    play: &Play,
    run_id: Option<&RunId>,
    options: &RunOptions,
) -> Result<RunSummary, RunError> {
    projection::bring_forward(stage.store, stage.workspace, &play.epic.name)?;
    let snapshot = stage.store.snapshot()?;
    let ending = match run_id {
        None => RunEnding::NothingToDo,
        Some(run_id) => match snapshot.run(run_id)?.map(|row| row.state) {
            Some(RunState::Passed) => RunEnding::Done,
            _ => RunEnding::Incomplete,
        },
    };
    summarize(stage, snapshot.as_ref(), play, options, run_id, ending)
}

/// Tells whether a card of the epic is not terminal, or not on the board yet.
fn has_work(
    snapshot: &dyn TurnSnapshot,
    play: &Play,
    options: &RunOptions,
) -> Result<bool, RunError> {
    let board = snapshot.cards(Some(&play.epic.name))?;
    let is_wanted = |id| options.card.as_ref().is_none_or(|card| card == id);
    let created = board
        .iter()
        .any(|card| play.keeps(card) && is_wanted(&card.id) && !card.status.is_terminal());
    let defined = play.cards()?.iter().any(|defined| {
        let known = board.iter().find(|card| card.id == defined.id);
        is_wanted(&defined.id) && known.is_none_or(|card| !card.status.is_terminal())
    });
    Ok(created || defined)
}

fn free_run_id(snapshot: &dyn TurnSnapshot, epic: &str, known: usize) -> Result<RunId, RunError> {
    let mut number = known + 1;
    loop {
        let run_id = RunId::parse(&format!("{epic}-{number}"))?;
        if snapshot.run(&run_id)?.is_none() {
            return Ok(run_id);
        }
        number += 1;
    }
}

/// Fixes what a new run is and may do.
pub(crate) fn new_envelope(run_id: &RunId, play: &Play) -> Result<RunEnvelope, RunError> {
    Ok(RunEnvelope::new(
        run_id.clone(),
        play.epic.name.clone(),
        play.venue.name.clone(),
        play.policy()?,
        Profile::orket(),
        canonical::to_value(play)?,
    ))
}
