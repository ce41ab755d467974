//! What cannot be cleared away after a promotion: the promotion stands, and the caller is told so.

use orket_kernel::{
    CommittedView, Finish, Kernel, MemoryStore, RunId, RunStatus, StagedTurn, StagingArea,
    StateStore, StoreFailure, TurnId, TurnInput,
};

use crate::world::envelope;

/// A store in memory whose staging area can be written and not cleared.
#[derive(Default)]
struct Sticky(MemoryStore);

struct StickyStaging<'a>(<MemoryStore as StateStore>::Staging<'a>);

impl StateStore for Sticky {
    type Committed<'a> = <MemoryStore as StateStore>::Committed<'a>;
    type Staging<'a> = StickyStaging<'a>;
    type Transaction<'a> = <MemoryStore as StateStore>::Transaction<'a>;

    fn committed(&self) -> Result<Self::Committed<'_>, StoreFailure> {
        self.0.committed()
    }
    fn staging(&self) -> StickyStaging<'_> {
        StickyStaging(self.0.staging())
    }
    fn begin(&self) -> Result<Self::Transaction<'_>, StoreFailure> {
        self.0.begin()
    }
}

impl StagingArea for StickyStaging<'_> {
    fn stage(&self, turn: &StagedTurn, record: &[u8]) -> Result<(), StoreFailure> {
        self.0.stage(turn, record)
    }
    fn staged(&self, run_id: &RunId) -> Result<Vec<(StagedTurn, Vec<u8>)>, StoreFailure> {
        self.0.staged(run_id)
    }
    fn discard(&self, _: &RunId, turn_id: TurnId) -> Result<(), StoreFailure> {
        Err(StoreFailure::Busy {
            message: format!("{turn_id} sticks"),
        })
    }
}

/// A promotion that was durable was once told as a failure, because its staging could not be cleared away.
#[test]
fn a_promotion_that_cannot_be_cleared_away_is_a_promotion() {
    let kernel = Kernel::new(Sticky::default());
    let mut run = kernel.start_run(&envelope("a")).unwrap();
    let first = TurnId::FIRST;
    run.execute_turn(&TurnInput::empty(first)).unwrap();
    assert_eq!(run.commit_turn(first).unwrap().generation, 1);
    // What is left of it is passed over.
    run.execute_turn(&TurnInput::empty(first.next())).unwrap();
    assert_eq!(run.commit_turn(first.next()).unwrap().generation, 2);
    run.execute_turn(&TurnInput::empty(first.next().next()))
        .unwrap();
    let summary = run.finish(Finish::Commit).unwrap();
    assert_eq!(
        (summary.status, summary.promoted.len()),
        (RunStatus::Passed, 1)
    );
    assert_eq!(
        kernel
            .store()
            .committed()
            .unwrap()
            .standing()
            .unwrap()
            .generation,
        3
    );

    let mut run = kernel.start_run(&envelope("b")).unwrap();
    run.execute_turn(&TurnInput::empty(first)).unwrap();
    let summary = run.finish(Finish::Discard).unwrap();
    assert_eq!(summary.status, RunStatus::Failed);
    assert_eq!(
        (summary.discarded, summary.staged),
        (Vec::new(), vec![first])
    );
}
