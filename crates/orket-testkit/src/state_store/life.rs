//! Whole runs, driven by the kernel over the store.

use orket_kernel::{
    Code, CommittedView, EvidencePolicy, Finish, Kernel, KernelError, Outcome, RunDescriptor,
    RunStatus, StateStore, StateView, TraceArtifact, object,
};

use super::world::{card, committed, envelope, run_id, staged_ids, stem, turn, turn_id};

/// Start, turns, promotion, artifacts, the end with the commit signal, replay and comparison.
pub fn a_run_lives_from_its_start_to_its_end<S: StateStore>(empty: impl Fn() -> S) {
    let kernel = Kernel::new(empty());
    for run in ["a", "b"] {
        let mut open = kernel.start_run(&envelope(run)).unwrap();
        open.execute_turn(&turn(1, vec![card("Z", &[], "z")], &[]))
            .unwrap();
        open.commit_turn(turn_id(1)).unwrap();
        let cards = vec![card("X", &[], run), card("Y", &["X"], "y")];
        open.execute_turn(&turn(2, cards, &[])).unwrap();
        open.execute_turn(&turn(3, vec![], &["Y"])).unwrap();
        let artifact = TraceArtifact {
            name: "prompt".to_owned(),
            schema: "prompt/v1".to_owned(),
            content: object! { "text" => run },
        };
        open.write_trace_artifacts(&[artifact]).unwrap();
        let summary = open.finish(Finish::Commit).unwrap();
        assert_eq!(summary.status, RunStatus::Passed);
        let promoted: Vec<u64> = summary
            .promoted
            .iter()
            .map(|it| it.turn_id.number())
            .collect();
        assert_eq!(promoted, [2, 3]);
    }
    let now = kernel.store().committed().unwrap();
    assert_eq!(now.standing().unwrap().generation, 6);
    assert_eq!(now.stems("").unwrap(), [stem("X"), stem("Z")]);
    assert!(
        now.trace_artifact(&run_id("a"), "prompt")
            .unwrap()
            .is_some()
    );
    for run in ["a", "b"] {
        let standing = now.run(&run_id(run)).unwrap().unwrap();
        assert_eq!(standing.finished, Some(Outcome::Pass));
        let descriptor = RunDescriptor {
            run_id: run_id(run),
            envelope_digest: None,
        };
        let report = kernel.replay_run(&descriptor).unwrap();
        assert_eq!(report.outcome, Outcome::Pass, "{:?}", report.issues);
        assert_eq!(report.turns_compared, 3);
        let report = kernel.compare_runs(&run_id(run), &run_id(run)).unwrap();
        assert_eq!(report.outcome, Outcome::Pass, "{:?}", report.issues);
    }
    let report = kernel.compare_runs(&run_id("a"), &run_id("b")).unwrap();
    assert_eq!(report.outcome, Outcome::Fail, "the titles of X differ");
}

/// Whoever was interrupted opens the run again by its envelope or its handle, and finds what is staged and promoted.
pub fn an_interrupted_run_goes_on_where_it_was<S: StateStore>(empty: impl Fn() -> S) {
    let kernel = Kernel::new(empty());
    let retaining = envelope("a").with_evidence(EvidencePolicy::Retain);
    let mut run = kernel.start_run(&retaining).unwrap();
    run.execute_turn(&turn(1, vec![card("X", &[], "x")], &[]))
        .unwrap();
    run.commit_turn(turn_id(1)).unwrap();
    run.execute_turn(&turn(2, vec![card("Y", &["X"], "y")], &[]))
        .unwrap();
    let handle = run.handle().clone();
    drop(run);
    let mut run = kernel.start_run(&retaining).unwrap();
    run.execute_turn(&turn(3, vec![card("Z", &["Y"], "z")], &[]))
        .unwrap();
    let summary = run.finish(Finish::Leave).unwrap();
    assert_eq!(summary.status, RunStatus::Open);
    assert_eq!(summary.staged, [turn_id(2), turn_id(3)]);
    let mut run = kernel.run(&handle).unwrap();
    run.commit_turn(turn_id(2)).unwrap();
    let summary = run.finish(Finish::Discard).unwrap();
    assert_eq!(summary.status, RunStatus::Failed);
    assert_eq!(summary.last_turn, Some(turn_id(2)));
    // The envelope retains evidence: what was not promoted stays, and is not promoted.
    assert_eq!(staged_ids(kernel.store(), "a"), [3]);
    let mut run = kernel.run(&handle).unwrap();
    match run.commit_turn(turn_id(3)) {
        Err(KernelError::Refused(issues)) => {
            assert_eq!(issues[0].code, Code::LsiPromotionFailed);
        }
        other => panic!("{other:?}"),
    }
    let now = kernel.store().committed().unwrap();
    assert_eq!(now.stems("").unwrap(), [stem("X"), stem("Y")]);
}

/// If one of several staged turns cannot be promoted, none is, and the run stays open with all of them.
pub fn invariant_no_partial_promotion_of_several_turns<S: StateStore>(empty: impl Fn() -> S) {
    let kernel = Kernel::new(empty());
    let mut a = kernel.start_run(&envelope("a")).unwrap();
    a.execute_turn(&turn(
        1,
        vec![card("X", &[], "x"), card("Y", &[], "y")],
        &[],
    ))
    .unwrap();
    a.commit_turn(turn_id(1)).unwrap();
    a.execute_turn(&turn(2, vec![card("P", &["X"], "p")], &[]))
        .unwrap();
    a.execute_turn(&turn(3, vec![card("Q", &["Y"], "q")], &[]))
        .unwrap();
    a.execute_turn(&turn(4, vec![card("R", &["X"], "r")], &[]))
        .unwrap();
    let handle = a.handle().clone();
    let mut b = kernel.start_run(&envelope("b")).unwrap();
    b.execute_turn(&turn(1, vec![], &["Y"])).unwrap();
    b.commit_turn(turn_id(1)).unwrap();
    let before = committed(kernel.store(), &["a", "b"]);
    match a.finish(Finish::Commit) {
        Err(KernelError::Refused(issues)) => {
            assert_eq!(issues[0].code, Code::LsiPromotionFailed);
            let reason = issues[0].details.get("reason").and_then(|it| it.as_str());
            assert_eq!(reason, Some("stale"));
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(committed(kernel.store(), &["a", "b"]), before);
    assert_eq!(staged_ids(kernel.store(), "a"), [2, 3, 4]);
    let mut a = kernel.run(&handle).unwrap();
    a.commit_turn(turn_id(2)).unwrap();
}
