//! What a run comes to.

use orket_cards::{Card, CardId, Tokens};
use orket_kernel::Digest;

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
