//! What a store with a medium adds: it is there after the process, and its failures keep their names.

use orket_kernel::{
    CommittedView, Finish, Kernel, Outcome, RunDescriptor, StagingArea, StateStore, StoreFailure,
};
use orket_lsi::{Store, StoreError};

use crate::housed::{Housed, IMPATIENT, envelope, run_id, turn, turn_id, two_turns};

#[test]
fn runs_records_and_staging_outlive_the_store() {
    let kernel = Kernel::new(Housed::empty());
    two_turns(&kernel);
    let mut run = kernel.start_run(&envelope("a")).unwrap();
    run.execute_turn(&turn(3, &[("Z", "z", Some("Y"))]))
        .unwrap();
    drop(run);
    let standing = kernel.store().committed().unwrap().standing().unwrap();
    let kernel = Housed::reopened(kernel);
    let now = kernel.store().committed().unwrap();
    assert_eq!(now.standing().unwrap(), standing);
    let staged = kernel.store().staging().staged(&run_id("a")).unwrap();
    assert_eq!(staged.len(), 1);
    let mut run = kernel.start_run(&envelope("a")).unwrap();
    run.commit_turn(turn_id(3)).unwrap();
    run.finish(Finish::Commit).unwrap();
    let kernel = Housed::reopened(kernel);
    let run = kernel
        .store()
        .committed()
        .unwrap()
        .run(&run_id("a"))
        .unwrap();
    assert_eq!(run.unwrap().finished, Some(Outcome::Pass));
    let descriptor = RunDescriptor {
        run_id: run_id("a"),
        envelope_digest: None,
    };
    let report = kernel.replay_run(&descriptor).unwrap();
    assert_eq!((report.outcome, report.turns_compared), (Outcome::Pass, 3));
}

#[test]
fn another_process_that_writes_is_busy() {
    let housed = Housed::empty();
    let other = Store::open_with(&housed.home(), &[], IMPATIENT).unwrap();
    let transaction = other.begin().unwrap();
    assert!(matches!(
        StateStore::begin(&housed),
        Err(StoreFailure::Busy { .. })
    ));
    drop(transaction);
    StateStore::begin(&housed).unwrap();
}

#[test]
fn a_failure_of_the_medium_keeps_its_name() {
    let housed = Housed::empty();
    let reader = Store::open_read_only(&housed.home(), &[]).unwrap();
    let Err(StoreFailure::Unavailable { source, .. }) = StateStore::begin(&reader) else {
        panic!("it began");
    };
    let error = source.downcast_ref::<StoreError>();
    assert!(
        matches!(error, Some(StoreError::ReadOnly { .. })),
        "{error:?}"
    );
}
