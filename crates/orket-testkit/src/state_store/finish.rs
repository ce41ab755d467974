//! The end of a run.

use orket_kernel::{CommittedView, Outcome, StateStore, StoreTransaction};

use super::world::{
    commit, committed, draft_now, promote, promote_draft, reason, run_id, start, turn, turn_id,
};

/// A run is finished with one outcome, which stays; other runs go on.
pub fn a_run_is_finished_once<S: StateStore>(empty: impl Fn() -> S) {
    let store = empty();
    start(&store, &["a", "b", "c"]);
    promote(&store, "a", &turn(1, vec![], &[]));
    let state = store.committed().unwrap().standing().unwrap();
    for (run, outcome) in [("a", Outcome::Pass), ("b", Outcome::Fail)] {
        commit(&store, |it| it.finish_run(&run_id(run), outcome)).unwrap();
    }
    for (run, again) in [
        ("a", Outcome::Pass),
        ("a", Outcome::Fail),
        ("b", Outcome::Pass),
    ] {
        let refused = commit(&store, |it| it.finish_run(&run_id(run), again));
        assert_eq!(reason(refused), "run_finished", "{run} {again}");
    }
    let now = store.committed().unwrap();
    let finished = |run: &str| now.run(&run_id(run)).unwrap().unwrap().finished;
    assert_eq!(finished("a"), Some(Outcome::Pass));
    assert_eq!(finished("b"), Some(Outcome::Fail));
    assert_eq!(finished("c"), None);
    assert_eq!(now.standing().unwrap(), state);
    promote(&store, "c", &turn(1, vec![], &[]));
}

/// What is closed stays as it is.
pub fn a_finished_run_promotes_nothing<S: StateStore>(empty: impl Fn() -> S) {
    let store = empty();
    start(&store, &["a"]);
    promote(&store, "a", &turn(1, vec![], &[]));
    let next = draft_now(&store, "a", &turn(2, vec![], &[]));
    commit(&store, |it| it.finish_run(&run_id("a"), Outcome::Fail)).unwrap();
    let before = committed(&store, &["a"]);
    assert_eq!(reason(promote_draft(&store, &next)), "run_finished");
    assert_eq!(committed(&store, &["a"]), before);
    let standing = store.committed().unwrap().run(&run_id("a")).unwrap();
    assert_eq!(standing.unwrap().last_turn, Some(turn_id(1)));
}

/// A run that was never started has no end.
pub fn an_unknown_run_is_not_finished<S: StateStore>(empty: impl Fn() -> S) {
    let store = empty();
    let refused = commit(&store, |it| it.finish_run(&run_id("a"), Outcome::Pass));
    assert_eq!(reason(refused), "unknown_run");
    assert_eq!(store.committed().unwrap().run(&run_id("a")).unwrap(), None);
}
