//! The port `StateStore`: what the kernel asks of whoever keeps the state.
//!
//! A store hands out three things, and each can do one thing only. That is how Law 1 is upheld: what executes a turn is
//! given a [`CommittedView`] and a [`StagingArea`], and neither has a method that changes what is committed.
//!
//! | What | Reads committed | Writes staging | Writes committed |
//! |---|---|---|---|
//! | [`CommittedView`] | yes, as of one moment | | |
//! | [`StagingArea`] | | yes | |
//! | [`StoreTransaction`] | yes, with its own changes | | yes, whole or not at all |

mod failure;
mod memory;

pub use failure::StoreFailure;
pub use memory::MemoryStore;

use crate::{Digest, Outcome, PromotionPlan, RunEnvelope, RunId, StagedTurn, StateView, TurnId};

/// Where the state of runs is kept. The index of `orket-lsi` is one, [`MemoryStore`] another.
pub trait StateStore {
    /// What is committed, as of one moment.
    type Committed<'a>: CommittedView
    where
        Self: 'a;
    /// Where turns that are not promoted yet lie.
    type Staging<'a>: StagingArea
    where
        Self: 'a;
    /// The one way to change what is committed.
    type Transaction<'a>: StoreTransaction
    where
        Self: 'a;

    /// Returns what is committed now; later commits do not show in it.
    ///
    /// # Errors
    /// Fails if the state cannot be read.
    fn committed(&self) -> Result<Self::Committed<'_>, StoreFailure>;

    /// Returns the staging area.
    fn staging(&self) -> Self::Staging<'_>;

    /// Begins a transaction. Only one lives at a time.
    ///
    /// # Errors
    /// [`StoreFailure::Busy`] if another one does not end in time.
    fn begin(&self) -> Result<Self::Transaction<'_>, StoreFailure>;
}

/// Where a run stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunStanding {
    /// What was fixed when it started.
    pub envelope: RunEnvelope,
    /// Its last promoted turn; `None` if none was promoted.
    pub last_turn: Option<TurnId>,
    /// How it was finished; `None` while it is open.
    pub finished: Option<Outcome>,
}

/// Where the whole store stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// The number of promotions so far, over all runs.
    pub generation: u64,
    /// The digest of everything that is committed.
    pub state_digest: Digest,
}

/// What is committed, as of one moment. Nothing in it writes.
///
/// ```compile_fail,E0599
/// use orket_kernel::{CommittedView, PromotionPlan};
///
/// fn breaks_law_1(committed: &impl CommittedView, plan: &PromotionPlan) {
///     let _ = committed.promote(plan, b"{}");
/// }
/// ```
///
/// The same with a method that it has:
///
/// ```
/// use orket_kernel::CommittedView;
///
/// fn keeps_law_1(committed: &impl CommittedView) -> Option<u64> {
///     committed.standing().ok().map(|standing| standing.generation)
/// }
/// ```
pub trait CommittedView: StateView {
    /// Returns where the store stands.
    ///
    /// # Errors
    /// Fails if that cannot be read.
    fn standing(&self) -> Result<Standing, StoreFailure>;

    /// Returns a run; `None` if it was never started.
    ///
    /// # Errors
    /// Fails if it cannot be read or is damaged. What is damaged is never taken for absent.
    fn run(&self, run_id: &RunId) -> Result<Option<RunStanding>, StoreFailure>;

    /// Returns the record of a promoted turn; `None` if it was not promoted.
    ///
    /// # Errors
    /// Fails if it cannot be read or is damaged.
    fn turn_record(&self, run_id: &RunId, turn_id: TurnId)
    -> Result<Option<Vec<u8>>, StoreFailure>;

    /// Returns the state digest after a promoted turn; `None` if it was not promoted.
    ///
    /// # Errors
    /// Fails if it cannot be read or is damaged.
    fn state_digest_after(
        &self,
        run_id: &RunId,
        turn_id: TurnId,
    ) -> Result<Option<Digest>, StoreFailure>;

    /// Returns a trace artifact of a run; `None` if there is none of this name.
    ///
    /// # Errors
    /// Fails if it cannot be read or is damaged.
    fn trace_artifact(&self, run_id: &RunId, name: &str) -> Result<Option<Vec<u8>>, StoreFailure>;
}

/// Where turns that are not promoted yet lie. Nothing in it touches what is committed.
///
/// ```compile_fail,E0599
/// use orket_kernel::{StagedTurn, StagingArea};
///
/// fn breaks_law_1(staging: &impl StagingArea, turn: &StagedTurn) {
///     let _ = staging.commit(turn);
/// }
/// ```
pub trait StagingArea {
    /// Keeps a turn with its record, in place of an earlier attempt at it. Its streams are copied: what they came from may
    /// change then.
    ///
    /// # Errors
    /// Fails if it cannot be written; the turn then counts as not staged.
    fn stage(&self, turn: &StagedTurn, record: &[u8]) -> Result<(), StoreFailure>;

    /// Returns the staged turns of a run with their records, in order.
    ///
    /// # Errors
    /// Fails if one is damaged.
    fn staged(&self, run_id: &RunId) -> Result<Vec<(StagedTurn, Vec<u8>)>, StoreFailure>;

    /// Forgets a turn. One that is not staged is no error.
    ///
    /// # Errors
    /// Fails if it cannot be removed.
    fn discard(&self, run_id: &RunId, turn_id: TurnId) -> Result<(), StoreFailure>;
}

/// The one way to change what is committed: everything becomes durable at [`StoreTransaction::commit`], or nothing.
///
/// Dropping it undoes all of it. Once a call on it has failed, it can only be dropped: [`StoreTransaction::commit`] then
/// refuses, so that no part of that call becomes durable.
pub trait StoreTransaction {
    /// Returns what is committed, with the changes of this transaction.
    ///
    /// # Errors
    /// Fails if it cannot be read.
    fn state(&self) -> Result<impl CommittedView + '_, StoreFailure>;

    /// Keeps the envelope of a run. The same envelope again is no change.
    ///
    /// # Errors
    /// [`StoreFailure::Refused`] if the run was started with another one.
    fn start_run(&mut self, envelope: &RunEnvelope) -> Result<(), StoreFailure>;

    /// Applies the plan of one turn and keeps its record; returns where the store stands then.
    ///
    /// # Errors
    /// [`StoreFailure::Refused`] unless the turn is the next one of its run (Law 2), if the run is finished, and if the plan
    /// was made over another state so that it would leave this one at odds with itself: it deletes what is not there,
    /// defines an id a second time, or leaves a reference to an id that nothing defines.
    ///
    /// # Limitations
    /// A plan does not say over which state it was made. That everything which the turn read is still so, is for the caller
    /// to see to: [`Run::commit_turn`](crate::Run::commit_turn) does.
    fn promote(&mut self, plan: &PromotionPlan, record: &[u8]) -> Result<Standing, StoreFailure>;

    /// Notes how a run ended. Nothing of it can be promoted then.
    ///
    /// # Errors
    /// [`StoreFailure::Refused`] if it was finished before, or never started.
    fn finish_run(&mut self, run_id: &RunId, outcome: Outcome) -> Result<(), StoreFailure>;

    /// Keeps a trace artifact. The same bytes again are no change.
    ///
    /// # Errors
    /// [`StoreFailure::Refused`] if the run has another one of this name, or was never started.
    fn keep_trace_artifact(
        &mut self,
        run_id: &RunId,
        name: &str,
        bytes: &[u8],
    ) -> Result<(), StoreFailure>;

    /// Makes everything durable. When it has returned, a power cut does not undo it.
    ///
    /// # Errors
    /// Says whether what was written is known. [`StoreFailure::Refused`] if a call on the transaction had failed.
    fn commit(self) -> Result<(), StoreFailure>;
}
