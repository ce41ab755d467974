//! What a run comes to.

use std::collections::BTreeSet;

use orket_cards::{Card, CardId, StoreFault, Tokens, TurnSnapshot, stall};
use orket_kernel::{Digest, RunId};

use crate::error::RunError;
use crate::orchestrator::{RunOptions, Stage};
use crate::play::Play;
use crate::scope::artifact_entry;

/// How a run command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunEnding {
    /// Every card is finished.
    Done,
    /// Every card was finished before; no run was started.
    NothingToDo,
    /// Work is left that cannot go on.
    Incomplete,
    /// The Conductor stopped the session, or only one card was asked for; the run stays open.
    Stopped,
}

/// What a run comes to, for people and programs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunSummary {
    /// The epic.
    pub epic: String,
    /// The one card that was asked for, if it was one.
    pub only: Option<CardId>,
    /// The run, unless there was nothing to do.
    pub run_id: Option<String>,
    /// How the command ended.
    pub ending: RunEnding,
    /// The cards as they stand.
    pub cards: Vec<Card>,
    /// Why unfinished cards do not go on, by card.
    pub stalls: Vec<orket_cards::Stall>,
    /// Promoted turns of the run.
    pub turns: u64,
    /// Attempts that were refused.
    pub refused_attempts: u64,
    /// Turns that needed a corrective re-prompt.
    pub corrected_turns: u64,
    /// Files below `agent_output/`, with their digests.
    pub files: Vec<(String, Digest)>,
    /// Tokens of all attempts.
    pub tokens: Tokens,
    /// The tier of the sandbox.
    pub sandbox_tier: String,
    /// The state digest.
    pub state_digest: Digest,
    /// The last promoted turn, in the form that `orket replay-turn` takes.
    pub last_turn: Option<String>,
}

/// Returns the cards of a play as they stand, oldest first.
pub(crate) fn board(snapshot: &dyn TurnSnapshot, play: &Play) -> Result<Vec<Card>, RunError> {
    let ids: BTreeSet<CardId> = play.ids().into_iter().collect();
    let mut cards = snapshot.cards(Some(&play.epic.name))?;
    cards.retain(|card| ids.contains(&card.id) || play.keeps(card));
    Ok(cards)
}

/// Says what a run came to.
pub(crate) fn summarize(
    stage: &Stage<'_>,
    snapshot: &dyn TurnSnapshot,
    play: &Play,
    options: &RunOptions,
    run_id: Option<&RunId>,
    ending: RunEnding,
) -> Result<RunSummary, RunError> {
    let cards = board(snapshot, play)?;
    let mut files = Vec::new();
    for stem in snapshot.state().stems("artifact/")? {
        if let Some((digest, _)) = artifact_entry(snapshot.state(), stem.name())? {
            files.push((stem.name().to_owned(), digest));
        }
    }
    let mut summary = RunSummary {
        epic: play.epic.name.clone(),
        only: options.card.clone(),
        run_id: run_id.map(ToString::to_string),
        ending,
        stalls: stall(&cards),
        cards,
        turns: 0,
        refused_attempts: 0,
        corrected_turns: 0,
        files,
        tokens: Tokens::default(),
        sandbox_tier: stage.verifier.tier(),
        state_digest: snapshot.state_digest(),
        last_turn: None,
    };
    let Some(run_id) = run_id else {
        return Ok(summary);
    };
    let turns = snapshot.turns(run_id)?;
    let attempts = snapshot.attempts(run_id)?;
    summary.turns = turns.len() as u64;
    summary.refused_attempts = attempts.len() as u64;
    summary.last_turn = turns.last().map(|turn| {
        let card = turn.card.as_ref().map_or("-", CardId::as_str);
        format!("{run_id}:{card}:{}", turn.turn_id.number())
    });
    let records = turns
        .iter()
        .map(|t| t.record_digest)
        .chain(attempts.iter().map(|a| a.record_digest));
    for digest in records {
        let record = match snapshot.turn_record(&digest) {
            Ok(record) => record,
            // A run that is over may have been dropped since; its tokens are not known any more.
            Err(StoreFault::NotRetained { .. }) => continue,
            Err(fault) => return Err(fault.into()),
        };
        summary.tokens.add(record.tokens);
        if record.refusals.is_empty() && record.exchanges.len() > 1 {
            summary.corrected_turns += 1;
        }
    }
    Ok(summary)
}
