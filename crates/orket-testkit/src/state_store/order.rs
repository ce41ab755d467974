//! Law 2: turns of a run are promoted in order and once.

use orket_kernel::{CommittedView, StateStore};

use super::world::{
    card, committed, draft_now, promote, promote_draft, reason, run_id, start, turn, turn_id,
};

/// Neither a gap nor a repetition is promoted.
pub fn law_2_turns_are_promoted_in_order_and_once<S: StateStore>(empty: impl Fn() -> S) {
    let store = empty();
    start(&store, &["a"]);
    let refused = |number: u64, why: &str| {
        let before = committed(&store, &["a"]);
        let draft = draft_now(&store, "a", &turn(number, vec![card("X", &[], "x")], &[]));
        let word = reason(promote_draft(&store, &draft));
        assert_eq!(word, "turn_order", "{why}");
        assert_eq!(committed(&store, &["a"]), before, "{why}");
    };
    refused(2, "the first turn is left out");
    promote(&store, "a", &turn(1, vec![], &[]));
    refused(1, "a repetition");
    refused(3, "a gap");
    promote(&store, "a", &turn(2, vec![], &[]));
    refused(1, "an old turn");
    let standing = store.committed().unwrap().run(&run_id("a")).unwrap();
    assert_eq!(standing.unwrap().last_turn, Some(turn_id(2)));
}

/// Two runs count their own turns and share the one order of generations.
pub fn law_2_the_ledger_of_a_run_is_its_own<S: StateStore>(empty: impl Fn() -> S) {
    let store = empty();
    start(&store, &["a", "b", "c"]);
    let mut reached = Vec::new();
    for (generation, (run, number)) in (1..).zip([("a", 1), ("b", 1), ("b", 2), ("a", 2)]) {
        let name = format!("{run}{number}");
        let input = turn(number, vec![card(&name, &[], "x")], &[]);
        let standing = promote(&store, run, &input);
        assert_eq!(standing.generation, generation);
        reached.push((run, number, standing.state_digest));
    }
    let now = store.committed().unwrap();
    for (run, number, digest) in reached {
        let after = now.state_digest_after(&run_id(run), turn_id(number));
        assert_eq!(after.unwrap(), Some(digest), "{run} {number}");
    }
    for (run, last_turn) in [("a", Some(2)), ("b", Some(2)), ("c", None)] {
        let standing = now.run(&run_id(run)).unwrap().unwrap();
        assert_eq!(standing.last_turn, last_turn.map(turn_id), "{run}");
    }
    assert_eq!(
        now.state_digest_after(&run_id("c"), turn_id(1)).unwrap(),
        None
    );
    assert_eq!(
        now.state_digest_after(&run_id("a"), turn_id(3)).unwrap(),
        None
    );
}

/// Records come back as they were given, long ones and equal ones too; a turn that was not promoted has none.
pub fn turn_records_are_kept_byte_for_byte<S: StateStore>(empty: impl Fn() -> S) {
    let store = empty();
    start(&store, &["a", "b"]);
    let long = vec![b'x'; 1_500_000];
    let records: [(&str, u64, &[u8]); 4] = [
        ("a", 1, b"\xff\x00 no text"),
        ("a", 2, b""),
        ("b", 1, &long),
        ("b", 2, &long),
    ];
    for (run, number, record) in records {
        let mut draft = draft_now(&store, run, &turn(number, vec![], &[]));
        draft.record = record.to_vec();
        promote_draft(&store, &draft).unwrap();
    }
    let now = store.committed().unwrap();
    for (run, number, record) in records {
        let kept = now.turn_record(&run_id(run), turn_id(number)).unwrap();
        assert!(kept.as_deref() == Some(record), "{run} {number}");
    }
    assert_eq!(now.turn_record(&run_id("a"), turn_id(3)).unwrap(), None);
    assert_eq!(now.turn_record(&run_id("c"), turn_id(1)).unwrap(), None);
}

/// A run that was not started promotes nothing.
pub fn nothing_is_promoted_for_an_unknown_run<S: StateStore>(empty: impl Fn() -> S) {
    let store = empty();
    let draft = draft_now(&store, "a", &turn(1, vec![], &[]));
    assert_eq!(reason(promote_draft(&store, &draft)), "unknown_run");
    let standing = store.committed().unwrap().standing().unwrap();
    assert_eq!(standing.generation, 0);
}
