//! The transaction that writes, as the port drives it.

use orket_kernel::{
    CommittedView, Outcome, PromotionPlan, RunEnvelope, RunId, Standing, StoreFailure,
    StoreTransaction,
};

use crate::CommitTransaction;

// An inherent method comes before the one of the port, also where both have one name.
impl StoreTransaction for CommitTransaction<'_> {
    fn state(&self) -> Result<impl CommittedView + '_, StoreFailure> {
        Ok(CommitTransaction::state(self)?)
    }

    fn start_run(&mut self, envelope: &RunEnvelope) -> Result<(), StoreFailure> {
        CommitTransaction::start_run(self, envelope)?;
        Ok(())
    }

    fn promote(&mut self, plan: &PromotionPlan, record: &[u8]) -> Result<Standing, StoreFailure> {
        let promoted = CommitTransaction::promote(self, plan, record)?;
        Ok(Standing {
            generation: promoted.generation,
            state_digest: promoted.state_digest,
        })
    }

    fn finish_run(&mut self, run_id: &RunId, outcome: Outcome) -> Result<(), StoreFailure> {
        Ok(CommitTransaction::finish_run(self, run_id, outcome)?)
    }

    fn keep_trace_artifact(
        &mut self,
        run_id: &RunId,
        name: &str,
        bytes: &[u8],
    ) -> Result<(), StoreFailure> {
        Ok(CommitTransaction::keep_trace_artifact(
            self, run_id, name, bytes,
        )?)
    }

    fn commit(self) -> Result<(), StoreFailure> {
        Ok(CommitTransaction::commit(self)?)
    }
}
