//! What readers see while somebody writes.

use orket_kernel::{CommittedView, Outcome, StateStore, StateView, StoreFailure, StoreTransaction};

use super::world::{
    card, committed, content, draft, draft_now, envelope, promote, promote_draft, run_id, start,
    stem, turn,
};

/// A view that was taken before a promotion, the end of a run or an artifact does not show it.
pub fn a_snapshot_stays_at_its_moment<S: StateStore>(empty: impl Fn() -> S) {
    let store = empty();
    start(&store, &["a"]);
    promote(
        &store,
        "a",
        &turn(1, vec![card("X", &[], "old"), card("Y", &["X"], "")], &[]),
    );
    let early = store.committed().unwrap();
    let before = content(&early, &["a", "b"]);
    promote(&store, "a", &turn(2, vec![card("X", &[], "new")], &["Y"]));
    start(&store, &["b"]);
    let mut transaction = store.begin().unwrap();
    transaction
        .keep_trace_artifact(&run_id("a"), "name", b"bytes")
        .unwrap();
    transaction.finish_run(&run_id("a"), Outcome::Pass).unwrap();
    transaction.commit().unwrap();
    assert_eq!(content(&early, &["a", "b"]), before);
    assert_eq!(early.trace_artifact(&run_id("a"), "name").unwrap(), None);
    assert_ne!(committed(&store, &["a", "b"]), before);
}

/// A transaction sees what it did; everybody else sees it when it is committed.
pub fn a_transaction_shows_its_changes_to_nobody_else<S: StateStore>(empty: impl Fn() -> S) {
    let store = empty();
    start(&store, &["a"]);
    let before = committed(&store, &["a", "b"]);
    let draft = draft_now(&store, "a", &turn(1, vec![card("X", &[], "x")], &[]));
    let mut transaction = store.begin().unwrap();
    let standing = transaction.promote(&draft.plan, &draft.record).unwrap();
    transaction.start_run(&envelope("b")).unwrap();
    transaction
        .keep_trace_artifact(&run_id("b"), "name", b"bytes")
        .unwrap();
    transaction.finish_run(&run_id("b"), Outcome::Fail).unwrap();
    let inside = {
        let state = transaction.state().unwrap();
        assert_eq!(state.standing().unwrap(), standing);
        assert!(state.triplet(&stem("X")).unwrap().is_some());
        let artifact = state.trace_artifact(&run_id("b"), "name").unwrap();
        assert_eq!(artifact.unwrap(), b"bytes");
        let run = state.run(&run_id("b")).unwrap().unwrap();
        assert_eq!(run.finished, Some(Outcome::Fail));
        content(&state, &["a", "b"])
    };
    assert_eq!(committed(&store, &["a", "b"]), before);
    transaction.commit().unwrap();
    assert_eq!(committed(&store, &["a", "b"]), inside);
}

/// Dropping a transaction undoes everything in it, and the store goes on.
pub fn a_dropped_transaction_has_done_nothing<S: StateStore>(empty: impl Fn() -> S) {
    let store = empty();
    start(&store, &["a"]);
    let before = committed(&store, &["a", "b"]);
    let draft = draft_now(&store, "a", &turn(1, vec![card("X", &[], "x")], &[]));
    let mut transaction = store.begin().unwrap();
    transaction.promote(&draft.plan, &draft.record).unwrap();
    transaction.start_run(&envelope("b")).unwrap();
    transaction
        .keep_trace_artifact(&run_id("a"), "name", b"bytes")
        .unwrap();
    transaction.finish_run(&run_id("a"), Outcome::Pass).unwrap();
    drop(transaction);
    assert_eq!(committed(&store, &["a", "b"]), before);
    let now = store.committed().unwrap();
    assert_eq!(now.trace_artifact(&run_id("a"), "name").unwrap(), None);
    promote_draft(&store, &draft).unwrap();
}

/// A second transaction is refused as busy while the first lives, and admitted then.
pub fn only_one_transaction_lives_at_a_time<S: StateStore>(empty: impl Fn() -> S) {
    let store = empty();
    let first = store.begin().unwrap();
    assert!(matches!(store.begin(), Err(StoreFailure::Busy { .. })));
    drop(first);
    store.begin().unwrap().commit().unwrap();
    store.begin().unwrap();
}

/// Turns that build on each other are promoted in one transaction: readers see none of them, then all.
pub fn several_promotions_in_one_transaction_come_together<S: StateStore>(empty: impl Fn() -> S) {
    let store = empty();
    start(&store, &["a"]);
    let before = committed(&store, &["a"]);
    let mut transaction = store.begin().unwrap();
    let inputs = [
        turn(1, vec![card("X", &[], "x")], &[]),
        turn(2, vec![card("Y", &["X"], "y")], &[]),
        turn(3, vec![card("Y", &[], "y")], &["X"]),
    ];
    let mut reached = Vec::new();
    for input in &inputs {
        let draft = draft(&transaction.state().unwrap(), "a", input);
        let standing = transaction.promote(&draft.plan, &draft.record).unwrap();
        reached.push(standing);
        assert_eq!(committed(&store, &["a"]), before);
    }
    transaction.commit().unwrap();
    let generations: Vec<u64> = reached.iter().map(|standing| standing.generation).collect();
    assert_eq!(generations, [1, 2, 3]);
    let now = store.committed().unwrap();
    assert_eq!(now.standing().unwrap(), reached[2]);
    assert_eq!(now.stems("").unwrap(), [stem("Y")]);
    for (input, standing) in inputs.iter().zip(reached) {
        let after = now.state_digest_after(&run_id("a"), input.turn_id).unwrap();
        assert_eq!(after, Some(standing.state_digest));
    }
}
