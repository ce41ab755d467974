//! Law 1: a turn reads and proposes; it never changes what it reads.

use std::cell::Cell;

use orket_kernel::{Digest, EmptyView, Outcome, StateView, TurnId, TurnInput};
use proptest::prelude::*;

use crate::world::{card, config, execute, play, turn, turns};

proptest! {
    #![proptest_config(config(128))]

    #[test]
    fn law_1_a_turn_leaves_the_view_as_it_was_and_gives_the_same_again(texts in turns()) {
        play(&texts, |input, execution, shelf| {
            let before = shelf.clone();
            let again = execute(input, shelf);
            assert_eq!(*shelf, before);
            assert_eq!(again.result, execution.result);
            assert_eq!(again.staged, execution.staged);
            assert_eq!(again.reads, execution.reads);
        });
    }

    #[test]
    fn what_was_promoted_never_holds_a_link_to_nothing(texts in turns()) {
        let shelf = play(&texts, |_, _, _| {});
        for id in shelf.sources.keys() {
            prop_assert!(shelf.definitions.contains_key(id), "{} is referenced and undefined", id);
        }
        for record in shelf.triplets.values() {
            for digest in [record.body_digest, record.links_digest, record.manifest_digest] {
                let bytes = shelf.object(&digest).unwrap().unwrap();
                prop_assert_eq!(Digest::of_bytes(&bytes), digest);
            }
        }
    }

    #[test]
    fn a_turn_that_failed_writes_nothing_and_one_that_passed_has_no_failure(texts in turns()) {
        play(&texts, |_, execution, _| {
            let failed = execution.result.issues.iter().any(|issue| issue.is_failure());
            assert_eq!(execution.result.outcome == Outcome::Fail, failed);
            assert_eq!(execution.staged.is_none(), failed);
            let changes = execution.result.transition_evidence.get("changes").unwrap();
            assert!(!failed || changes.as_array().unwrap().is_empty());
        });
    }
}

#[test]
fn the_random_turns_pass_and_fail_in_good_number() {
    let (passed, failed) = (Cell::new(0), Cell::new(0));
    let mut runner = proptest::test_runner::TestRunner::new(config(64));
    runner
        .run(&turns(), |texts| {
            play(&texts, |_, execution, _| match execution.result.outcome {
                Outcome::Pass => passed.set(passed.get() + 1),
                Outcome::Fail => failed.set(failed.get() + 1),
            });
            Ok(())
        })
        .unwrap();
    let (passed, failed) = (passed.get(), failed.get());
    assert!(
        passed > 60 && failed > 60,
        "{passed} passed, {failed} failed"
    );
}

#[test]
fn a_turn_needs_nothing_but_a_shared_view() {
    // `EmptyView` is `Copy` and has no interior: a function that is given it by reference has nowhere to write.
    fn is_plain<T: StateView + Copy + Sync>(_: &T) {}
    is_plain(&EmptyView);
    let execution = execute(&turn(1, vec![card("A", &[], "t")], &[]), &EmptyView);
    assert_eq!(execution.result.outcome, Outcome::Pass);
    assert_eq!(execution.staged.unwrap().triplets.len(), 1);
    assert!(
        execute(&TurnInput::empty(TurnId::FIRST), &EmptyView)
            .staged
            .unwrap()
            .is_empty()
    );
}
