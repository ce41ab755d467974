//! One turn as one value: everything that has to become durable together.

use orket_kernel::{Digest, PromotionPlan, RunId};

use crate::TurnRecord;

/// Everything that one turn changes. A store applies all of it in one transaction, or nothing.
#[derive(Clone, Debug)]
pub struct TurnCommit {
    /// The generation that the turn was computed on; another one is a conflict.
    pub base_generation: u64,
    /// The fencing number of the lease under which the turn was computed.
    pub fence: u64,
    /// What the index changes. Board tables are derived from its card triplets.
    pub plan: PromotionPlan,
    /// The record of the turn.
    pub record: TurnRecord,
    /// Requests and answers, canonical bytes; kept under their digests outside the state digest.
    pub evidence: Vec<Vec<u8>>,
    /// The durable event lines of the turn, without their sequence numbers: the store numbers them.
    pub events: Vec<orket_ports::Event>,
}

/// What a commit made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Committed {
    /// The generation.
    pub generation: u64,
    /// The digest of the whole state.
    pub state_digest: Digest,
    /// The events with their sequence numbers.
    pub events: Vec<orket_ports::Event>,
}

/// An attempt that did not become a turn. The state does not move; the evidence is kept.
#[derive(Clone, Debug)]
pub struct FailedAttempt {
    /// The fencing number of the lease.
    pub fence: u64,
    /// The record, with its refusals.
    pub record: TurnRecord,
    /// Requests and answers.
    pub evidence: Vec<Vec<u8>>,
    /// The durable events of the attempt.
    pub events: Vec<orket_ports::Event>,
}

/// Where a run stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunState {
    /// It can go on.
    Open,
    /// It ended with every card finished.
    Passed,
    /// It ended with work left undone.
    Failed,
}

impl RunState {
    /// Returns the word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            RunState::Open => "open",
            RunState::Passed => "passed",
            RunState::Failed => "failed",
        }
    }

    /// Returns the state that `text` stands for.
    pub fn parse(text: &str) -> Option<RunState> {
        [RunState::Open, RunState::Passed, RunState::Failed]
            .into_iter()
            .find(|s| s.as_str() == text)
    }
}

/// The end of a run.
#[derive(Clone, Debug)]
pub struct RunEnd {
    /// The run.
    pub run_id: RunId,
    /// The fencing number of the lease.
    pub fence: u64,
    /// How it ended.
    pub state: RunState,
    /// Its last events.
    pub events: Vec<orket_ports::Event>,
}
