//! Runs and their envelopes.

use orket_kernel::{CommittedView, StateStore, StoreTransaction};

use super::world::{commit, committed, envelope, promote, reason, run_id, start, turn};

/// A run that nobody started is absent, not empty.
pub fn a_run_that_was_never_started_is_unknown<S: StateStore>(empty: impl Fn() -> S) {
    let store = empty();
    start(&store, &["a"]);
    assert_eq!(store.committed().unwrap().run(&run_id("b")).unwrap(), None);
}

/// A started run stands at its envelope, without a turn and open; the state has not moved.
pub fn a_started_run_keeps_its_envelope<S: StateStore>(empty: impl Fn() -> S) {
    let store = empty();
    let before = store.committed().unwrap().standing().unwrap();
    start(&store, &["a"]);
    let now = store.committed().unwrap();
    let standing = now.run(&run_id("a")).unwrap().unwrap();
    assert_eq!(standing.envelope, envelope("a"));
    assert_eq!(standing.last_turn, None);
    assert_eq!(standing.finished, None);
    assert_eq!(now.standing().unwrap(), before);
    assert_eq!(before.generation, 0);
}

/// Starting a run again with its own envelope changes nothing, also later.
pub fn the_same_envelope_again_is_no_change<S: StateStore>(empty: impl Fn() -> S) {
    let store = empty();
    start(&store, &["a"]);
    promote(&store, "a", &turn(1, vec![], &[]));
    let before = committed(&store, &["a"]);
    start(&store, &["a"]);
    assert_eq!(committed(&store, &["a"]), before);
}

/// Another envelope is refused, and the run keeps its own.
pub fn another_envelope_for_a_run_is_refused<S: StateStore>(empty: impl Fn() -> S) {
    let store = empty();
    start(&store, &["a"]);
    let mut other = envelope("a");
    other.workflow = "another".to_owned();
    let refused = commit(&store, |transaction| transaction.start_run(&other));
    assert_eq!(reason(refused), "envelope_differs");
    let standing = store.committed().unwrap().run(&run_id("a")).unwrap();
    assert_eq!(standing.unwrap().envelope, envelope("a"));
}
