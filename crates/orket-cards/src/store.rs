//! The ports of the store: what the Orchestrator needs of index, board and journal.

use orket_kernel::{Digest, RunEnvelope, RunHandle, RunId, StagedTurn, StateView, TurnId};

use crate::{Card, CardId, Committed, FailedAttempt, RunEnd, RunState, TurnCommit, TurnRecord};

/// Says why the store did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreFault {
    /// Another process writes to the same run, or holds the database for too long.
    #[error("{what} is busy: {hint}")]
    Busy {
        /// What is busy.
        what: String,
        /// What to do.
        hint: String,
    },
    /// The state moved since the turn was computed; compute it again.
    #[error("the state moved from generation {expected} to {found} while the turn was computed")]
    Conflict {
        /// The generation that the turn was computed on.
        expected: u64,
        /// The generation that was found.
        found: u64,
    },
    /// A newer holder has taken over the run.
    #[error("another process has taken over the run {run}")]
    Fenced {
        /// The run.
        run: RunId,
    },
    /// A record is damaged.
    #[error("E_LSI_CORRUPT_RECORD: {reason}")]
    Corrupt {
        /// What is damaged and what to do.
        reason: String,
    },
    /// What was asked for was there, and retention dropped it.
    #[error("{what}; a backup from before `orket gc` may still have it")]
    NotRetained {
        /// What is not retained.
        what: String,
    },
    /// What was asked for is not there: no such generation or turn.
    #[error("{reason}")]
    Absent {
        /// What is not there.
        reason: String,
    },
    /// What was to be committed exceeds the room that the project may take. The state is as it was.
    #[error("{reason}")]
    NoRoom {
        /// How much there is, how much is needed, and what to do.
        reason: String,
    },
    /// The database cannot be used as it is: missing, foreign, newer, unsafe, read-only.
    #[error("{reason}")]
    Unusable {
        /// Why, and what to do.
        reason: String,
    },
    /// The disk failed while committing; what is durable is unknown until the project is opened again.
    #[error("the disk failed, what was written is unknown until restart: {reason}")]
    Poisoned {
        /// What the disk said.
        reason: String,
    },
    /// The store refused for another reason.
    #[error("{what} failed")]
    Failed {
        /// What was tried.
        what: String,
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// The right to write to a run; it ends with the process that holds it.
pub trait Lease: Send {
    /// Returns the fencing number, higher than that of every earlier holder.
    fn fence(&self) -> u64;
}

/// The sole right to compare and write `agent_output/`.
pub trait OutputLock {}

/// One run as the journal knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunRow {
    /// The run.
    pub run_id: RunId,
    /// The epic it executes.
    pub epic: String,
    /// Where it stands.
    pub state: RunState,
    /// The last promoted turn.
    pub last_turn: Option<TurnId>,
    /// The number of its last durable event; 0 if it has none.
    pub last_seq: u64,
    /// Whether its records and events are retained.
    pub is_retained: bool,
    /// The envelope.
    pub envelope: RunEnvelope,
}

/// One promoted turn as the journal knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TurnRow {
    /// The turn.
    pub turn_id: TurnId,
    /// The card, if the turn was on one.
    pub card: Option<CardId>,
    /// The role.
    pub role: String,
    /// The Score step.
    pub step: String,
    /// The attempt that succeeded.
    pub attempt: u64,
    /// The structural digest of the result.
    pub result_digest: Digest,
    /// The state digest after the turn.
    pub state_digest: Digest,
    /// The digest of the turn record.
    pub record_digest: Digest,
    /// The generation the turn made.
    pub generation: u64,
}

/// One failed attempt as the journal knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AttemptRow {
    /// The turn that was tried.
    pub turn_id: TurnId,
    /// The attempt, counted from 1.
    pub attempt: u64,
    /// The digest of the attempt's record.
    pub record_digest: Digest,
}

/// The state as of one moment: index, board and journal together.
pub trait TurnSnapshot {
    /// Returns the index.
    fn state(&self) -> &dyn StateView;
    /// Returns the index as it was at a generation; `None` if that is not retained, or was never there.
    fn past(&self, generation: u64) -> Result<Option<Box<dyn StateView + '_>>, StoreFault>;
    /// Returns the generation.
    fn generation(&self) -> u64;
    /// Returns the digest of the whole state.
    fn state_digest(&self) -> Digest;
    /// Returns the cards of an epic, or all, by epic and age.
    fn cards(&self, epic: Option<&str>) -> Result<Vec<Card>, StoreFault>;
    /// Returns a run.
    fn run(&self, run_id: &RunId) -> Result<Option<RunRow>, StoreFault>;
    /// Returns the runs of an epic, or all, in the order in which they began.
    fn runs(&self, epic: Option<&str>) -> Result<Vec<RunRow>, StoreFault>;
    /// Returns the promoted turns of a run, in order.
    fn turns(&self, run_id: &RunId) -> Result<Vec<TurnRow>, StoreFault>;
    /// Returns the promoted turns of a run on one card, in order.
    fn turns_of_card(&self, run_id: &RunId, card: &CardId) -> Result<Vec<TurnRow>, StoreFault>;
    /// Returns the failed attempts at one turn of a run, in order.
    fn attempts_at(&self, run_id: &RunId, turn_id: TurnId) -> Result<Vec<AttemptRow>, StoreFault>;
    /// Returns the failed attempts of a run, in order.
    fn attempts(&self, run_id: &RunId) -> Result<Vec<AttemptRow>, StoreFault>;
    /// Returns a record by its digest, checked against it.
    fn record(&self, digest: &Digest) -> Result<Option<Vec<u8>>, StoreFault>;
    /// Returns the record of a turn or attempt by its digest.
    fn turn_record(&self, digest: &Digest) -> Result<TurnRecord, StoreFault>;
    /// Returns the durable events of a run whose sequence numbers are higher than `seq`, in order.
    fn events_after(&self, run_id: &RunId, seq: u64)
    -> Result<Vec<orket_ports::Event>, StoreFault>;
}

/// The store: one database, one transaction per turn.
pub trait TurnStore: Send + Sync {
    /// Opens a snapshot.
    fn snapshot(&self) -> Result<Box<dyn TurnSnapshot + '_>, StoreFault>;

    /// Takes the right to write to a run; refused as busy while another process holds it.
    fn lease(&self, run_id: &RunId) -> Result<Box<dyn Lease>, StoreFault>;

    /// Stores the envelope of a run; a run that exists must have the same one.
    fn start_run(
        &self,
        envelope: &RunEnvelope,
        epic: &str,
        fence: u64,
    ) -> Result<RunHandle, StoreFault>;

    /// Commits one turn, whole or not at all.
    fn commit(&self, commit: &TurnCommit) -> Result<Committed, StoreFault>;

    /// Keeps the evidence of a failed attempt and returns its events with their numbers.
    fn keep_attempt(&self, attempt: &FailedAttempt) -> Result<Vec<orket_ports::Event>, StoreFault>;

    /// Ends a run and returns its last events with their numbers.
    fn end_run(&self, end: &RunEnd) -> Result<Vec<orket_ports::Event>, StoreFault>;

    /// Writes an exchange into the staging area of a turn, before it is judged.
    fn stage_exchange(&self, place: &ExchangePlace, bytes: &[u8]) -> Result<(), StoreFault>;

    /// Returns a staged exchange, if it is there and whole.
    fn staged_exchange(&self, place: &ExchangePlace) -> Result<Option<Vec<u8>>, StoreFault>;

    /// Writes what a turn staged into its staging area, for people and other programs to read.
    fn stage_turn(&self, staged: &StagedTurn) -> Result<(), StoreFault>;

    /// Lists the turns of a run that have a staging area.
    fn staged_turns(&self, run_id: &RunId) -> Result<Vec<TurnId>, StoreFault>;

    /// Empties the staging area of a turn.
    fn discard_staging(&self, run_id: &RunId, turn_id: TurnId) -> Result<(), StoreFault>;

    /// Takes the sole right to compare and write `agent_output/`; held until it is dropped, waited for if need be.
    fn lock_output(&self) -> Result<Box<dyn OutputLock>, StoreFault>;

    /// Brings the browsable view up to the newest generation; another process that is at it will do.
    fn project_view(&self) -> Result<(), StoreFault>;

    /// Writes the browsable view anew and returns how many files were written or removed. A view that is ahead of the database
    /// is refused unless `accept_older`.
    fn rebuild_view(&self, accept_older: bool) -> Result<u64, StoreFault>;

    /// Forgets up to which generation `agent_output/` was brought, so that all of it is compared anew.
    fn forget_output_generation(&self) -> Result<(), StoreFault>;

    /// Returns the generation up to which `agent_output/` was brought, if that is known.
    fn output_generation(&self) -> Result<Option<u64>, StoreFault>;

    /// Notes the generation up to which `agent_output/` was brought.
    fn note_output_generation(&self, generation: u64) -> Result<(), StoreFault>;
}

/// Names one exchange in a staging area.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExchangePlace {
    /// The run.
    pub run_id: RunId,
    /// The turn.
    pub turn_id: TurnId,
    /// The attempt, counted from 1.
    pub attempt: u64,
    /// The exchange within the attempt, counted from 1.
    pub exchange: u64,
}
