//! Trace artifacts.

use orket_kernel::{CommittedView, StateStore, StoreTransaction};

use super::world::{commit, reason, run_id, start};

/// An artifact is there for good: the same bytes again are no change, other ones are refused.
pub fn artifacts_are_kept_and_never_changed<S: StateStore>(empty: impl Fn() -> S) {
    let store = empty();
    start(&store, &["a"]);
    let before = store.committed().unwrap().standing().unwrap();
    let long = vec![b'x'; 1_500_000];
    let artifacts: [(&str, &[u8]); 3] = [("text", b"{}"), ("empty", b""), ("long", &long)];
    for _ in 0..2 {
        for (name, bytes) in artifacts {
            commit(&store, |it| {
                it.keep_trace_artifact(&run_id("a"), name, bytes)
            })
            .unwrap();
        }
    }
    let other = commit(&store, |it| {
        it.keep_trace_artifact(&run_id("a"), "text", b"[]")
    });
    assert_eq!(reason(other), "artifact_exists");
    let now = store.committed().unwrap();
    for (name, bytes) in artifacts {
        let kept = now.trace_artifact(&run_id("a"), name).unwrap();
        assert!(kept.as_deref() == Some(bytes), "{name}");
    }
    assert_eq!(now.trace_artifact(&run_id("a"), "Text").unwrap(), None);
    assert_eq!(now.standing().unwrap(), before);
}

/// Two runs may use one name; a run that was never started keeps nothing.
pub fn artifacts_belong_to_their_run<S: StateStore>(empty: impl Fn() -> S) {
    let store = empty();
    start(&store, &["a", "b", "c"]);
    for (run, bytes) in [("a", b"of a"), ("b", b"of b")] {
        commit(&store, |it| {
            it.keep_trace_artifact(&run_id(run), "name", bytes)
        })
        .unwrap();
    }
    let unknown = commit(&store, |it| {
        it.keep_trace_artifact(&run_id("d"), "name", b"")
    });
    assert_eq!(reason(unknown), "unknown_run");
    let now = store.committed().unwrap();
    let kept = |run: &str| now.trace_artifact(&run_id(run), "name").unwrap();
    assert_eq!(kept("a").unwrap(), b"of a");
    assert_eq!(kept("b").unwrap(), b"of b");
    assert_eq!(kept("c"), None);
    assert_eq!(kept("d"), None);
}
