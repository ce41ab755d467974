//! `finish_run`: the end of a run, with or without the promotion of what is staged.

use super::Run;
use super::commit::{promote, unpromoted};
use crate::{
    CONTRACT_VERSION, CommittedView, Digest, EvidencePolicy, KernelError, Outcome, PromotionReport,
    RunId, StagingArea, StateStore, StoreTransaction, TurnId, event,
};

/// How a run ends: the outcome of `finish_run` with the commit signal (kernel decision 9).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Finish {
    /// PASS with the commit signal: all staged turns are promoted in one transaction, and the run is closed.
    Commit,
    /// PASS without the commit signal: what is staged stays, and the run stays open.
    Leave,
    /// FAIL: what is staged is discarded, unless the envelope retains evidence, and the run is closed.
    Discard,
}

/// Where a run stands after `finish_run`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum RunStatus {
    /// It can go on.
    Open,
    /// It is closed; everything that passed is promoted.
    Passed,
    /// It is closed; what was staged last is not promoted.
    Failed,
}

/// What `finish_run` did.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct RunSummary {
    /// [`CONTRACT_VERSION`].
    #[cfg_attr(feature = "schema", schemars(extend("const" = CONTRACT_VERSION)))]
    pub contract_version: String,
    /// The run.
    pub run_id: RunId,
    /// Where it stands now.
    pub status: RunStatus,
    /// The promotions that finishing made, in order.
    pub promoted: Vec<PromotionReport>,
    /// The turns that are staged and not promoted, in order.
    pub staged: Vec<TurnId>,
    /// The turns that were discarded, in order.
    pub discarded: Vec<TurnId>,
    /// The last promoted turn of the run.
    pub last_turn: Option<TurnId>,
    /// The digest of everything that is committed.
    pub state_digest: Digest,
    /// The event lines of all promotions.
    pub events: Vec<String>,
}

impl<S: StateStore> Run<'_, S> {
    /// `finish_run`: ends the run. The run is given away; if it stays open, its handle opens it again.
    ///
    /// # Errors
    /// Refuses with `E_LSI_PROMOTION_FAILED` if one of the staged turns cannot be promoted: then none is, and the run
    /// stays open. Refuses a run that is finished.
    pub fn finish(self, finish: Finish) -> Result<RunSummary, KernelError> {
        let run_id = &self.handle.run_id;
        let staging = self.store.staging();
        let mut staged = staging.staged(run_id)?;
        let mut transaction = self.store.begin()?;
        staged = unpromoted(&transaction, &self.handle, staged)?;
        let turns: Vec<TurnId> = staged.iter().map(|(turn, _)| turn.turn_id).collect();
        let mut promoted = Vec::new();
        let status = match finish {
            Finish::Leave => RunStatus::Open,
            Finish::Discard => {
                transaction.finish_run(run_id, Outcome::Fail)?;
                RunStatus::Failed
            }
            Finish::Commit => {
                for (turn, record) in &staged {
                    let (envelope, handle) = (&self.envelope, &self.handle);
                    promoted.push(promote(&mut transaction, envelope, handle, turn, record)?);
                }
                transaction.finish_run(run_id, Outcome::Pass)?;
                RunStatus::Passed
            }
        };
        let standing = transaction.state()?.standing()?;
        let last_turn = transaction
            .state()?
            .run(run_id)?
            .and_then(|run| run.last_turn);
        if status != RunStatus::Open {
            transaction.commit()?;
        }
        // The end of the run is durable; what is cleared away now is of no use to anybody, and clearing it may fail.
        let clear = |turn: &TurnId| staging.discard(run_id, *turn).is_ok();
        let (discarded, left) = match finish {
            Finish::Leave => (Vec::new(), turns),
            Finish::Discard if self.envelope.evidence == EvidencePolicy::Retain => {
                (Vec::new(), turns)
            }
            Finish::Discard => turns.into_iter().partition(clear),
            Finish::Commit => {
                turns.iter().for_each(|turn| {
                    clear(turn);
                });
                (Vec::new(), Vec::new())
            }
        };
        let issues = promoted.iter().flat_map(|report| &report.issues);
        Ok(RunSummary {
            contract_version: CONTRACT_VERSION.to_owned(),
            run_id: run_id.clone(),
            status,
            events: issues.map(event::format).collect(),
            promoted,
            staged: left,
            discarded,
            last_turn,
            state_digest: standing.state_digest,
        })
    }
}
