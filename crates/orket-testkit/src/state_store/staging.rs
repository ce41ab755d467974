//! The staging area.

use orket_kernel::{
    Code, Kernel, KernelError, Outcome, StagingArea, StateStore, StateView, TurnInput,
};

use super::world::{
    card, committed, draft_now, envelope, promote, run_id, staged_ids, start, stem, turn, turn_id,
};

/// What was staged comes back whole, with the bytes of its record.
pub fn a_staged_turn_reads_back_with_its_record<S: StateStore>(empty: impl Fn() -> S) {
    let store = empty();
    start(&store, &["a"]);
    promote(&store, "a", &turn(1, vec![card("old", &[], "x")], &[]));
    assert!(store.staging().staged(&run_id("a")).unwrap().is_empty());
    let cards = vec![
        card("X", &[], "x"),
        card("Y", &["X", "Z"], "y"),
        card("Z", &["X"], ""),
    ];
    let mut input = turn(2, cards, &["old"]);
    let attachment = b"\x00\xff raw".to_vec();
    let digest = orket_kernel::Digest::of_bytes(&attachment);
    input.attachments.insert(digest, attachment.into());
    let draft = draft_now(&store, "a", &input);
    store.staging().stage(&draft.staged, &draft.record).unwrap();
    let staged = store.staging().staged(&run_id("a")).unwrap();
    assert_eq!(staged, [(draft.staged, draft.record)]);
}

/// Another attempt at a turn takes the place of the first, record included; nothing of the first is left.
pub fn staging_again_replaces_the_earlier_attempt<S: StateStore>(empty: impl Fn() -> S) {
    let store = empty();
    start(&store, &["a"]);
    let first = turn(1, vec![card("X", &[], "x"), card("Y", &["X"], "y")], &[]);
    for input in [
        first,
        turn(1, vec![card("Z", &[], "z")], &[]),
        turn(1, vec![], &[]),
    ] {
        let draft = draft_now(&store, "a", &input);
        store.staging().stage(&draft.staged, &draft.record).unwrap();
        let staged = store.staging().staged(&run_id("a")).unwrap();
        assert_eq!(staged, [(draft.staged, draft.record)]);
    }
}

/// Staged turns come in the order of their numbers, also above 9,999, and each run has its own.
pub fn staged_turns_come_in_order_and_runs_do_not_mix<S: StateStore>(empty: impl Fn() -> S) {
    let store = empty();
    start(&store, &["a", "a1", "A"]);
    for (run, number) in [
        ("a", 10_000),
        ("a", 2),
        ("a1", 3),
        ("A", 1),
        ("a", 9_999),
        ("a", 10),
    ] {
        let draft = draft_now(&store, run, &turn(number, vec![card(run, &[], "x")], &[]));
        store.staging().stage(&draft.staged, &draft.record).unwrap();
    }
    assert_eq!(staged_ids(&store, "a"), [2, 10, 9_999, 10_000]);
    assert_eq!(staged_ids(&store, "a1"), [3]);
    assert_eq!(staged_ids(&store, "A"), [1]);
}

/// Discarding forgets the one turn that is named; one that is not staged is no error.
pub fn discarding_forgets_one_turn<S: StateStore>(empty: impl Fn() -> S) {
    let store = empty();
    start(&store, &["a", "b"]);
    for (run, number) in [("a", 1), ("a", 2), ("b", 1)] {
        let draft = draft_now(&store, run, &turn(number, vec![], &[]));
        store.staging().stage(&draft.staged, &draft.record).unwrap();
    }
    for _ in 0..2 {
        store.staging().discard(&run_id("a"), turn_id(1)).unwrap();
        assert_eq!(staged_ids(&store, "a"), [2]);
        assert_eq!(staged_ids(&store, "b"), [1]);
    }
    store
        .staging()
        .discard(&run_id("never"), turn_id(7))
        .unwrap();
}

/// Law 1: whatever is staged, what is committed stays byte for byte as it was.
pub fn law_1_staging_changes_nothing_committed<S: StateStore>(empty: impl Fn() -> S) {
    let store = empty();
    start(&store, &["a", "b"]);
    promote(&store, "a", &turn(1, vec![card("X", &[], "x")], &[]));
    let before = committed(&store, &["a", "b"]);
    let kernel = Kernel::new(store);
    let mut run = kernel.start_run(&envelope("b")).unwrap();
    let cards = vec![card("X", &[], "new"), card("Y", &["X"], "y")];
    run.execute_turn(&turn(1, cards, &[])).unwrap();
    run.stage_deletions(turn_id(2), vec![stem("Y")]).unwrap();
    assert_eq!(staged_ids(kernel.store(), "b"), [1, 2]);
    assert_eq!(committed(kernel.store(), &["a", "b"]), before);
    let now = kernel.store().committed().unwrap();
    assert_eq!(now.triplet(&stem("Y")).unwrap(), None);
}

/// A turn sees what earlier turns of its run have staged, newest first, and then what is committed (Spec-002 §4).
pub fn staging_shadows_committed<S: StateStore>(empty: impl Fn() -> S) {
    let store = empty();
    start(&store, &["a"]);
    promote(&store, "a", &turn(1, vec![card("X", &[], "x")], &[]));
    let kernel = Kernel::new(store);
    let mut a = kernel.start_run(&envelope("a")).unwrap();
    let mut b = kernel.start_run(&envelope("b")).unwrap();
    let needs = |number: u64, needed: &str| -> TurnInput {
        turn(number, vec![card("new", &[needed], "n")], &[])
    };
    let mut outcome = |number: u64, needed: &str| -> Outcome {
        a.execute_turn(&needs(number, needed))
            .unwrap()
            .result
            .outcome
    };
    assert_eq!(outcome(2, "X"), Outcome::Pass, "committed");
    assert_eq!(outcome(2, "Y"), Outcome::Fail, "nowhere");
    a.execute_turn(&turn(2, vec![card("Y", &[], "y")], &[]))
        .unwrap();
    let mut outcome = |number: u64, needed: &str| -> Outcome {
        a.execute_turn(&needs(number, needed))
            .unwrap()
            .result
            .outcome
    };
    assert_eq!(outcome(3, "Y"), Outcome::Pass, "staged by the turn before");
    a.execute_turn(&turn(3, vec![], &["Y"])).unwrap();
    let of_a = a.execute_turn(&needs(4, "Y")).unwrap().result;
    assert_eq!(of_a.outcome, Outcome::Fail, "deleted by a newer turn");
    assert!(
        of_a.issues
            .iter()
            .any(|issue| issue.code == Code::LsiOrphanReference)
    );
    let of_b = b.execute_turn(&needs(1, "Y")).unwrap().result;
    assert_eq!(of_b.outcome, Outcome::Fail, "staged by another run");
}

/// A staged turn that does not follow the one before it is damage, not a shorter run.
pub fn a_gap_in_the_staging_is_damage<S: StateStore>(empty: impl Fn() -> S) {
    let store = empty();
    start(&store, &["a"]);
    for number in [1, 3] {
        let draft = draft_now(&store, "a", &turn(number, vec![], &[]));
        store.staging().stage(&draft.staged, &draft.record).unwrap();
    }
    let kernel = Kernel::new(store);
    let mut run = kernel.start_run(&envelope("a")).unwrap();
    for number in 1..=4 {
        match run.execute_turn(&turn(number, vec![], &[])) {
            Err(KernelError::Refused(issues)) => {
                assert_eq!(issues[0].code, Code::LsiCorruptRecord, "{number}");
            }
            other => panic!("{number}: {other:?}"),
        }
    }
}
