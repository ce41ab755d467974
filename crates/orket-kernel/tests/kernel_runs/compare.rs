//! Comparing runs fails closed.

use orket_kernel::{Outcome, StateStore, StoreTransaction};

use crate::world::{MemoryKernel, card, envelope, play, reason, run_id, start, turn};

/// A kernel with the runs `one` and `same`, which did the same at different times, and some that differ or have nothing.
fn kernel() -> MemoryKernel {
    let kernel = MemoryKernel::default();
    for (name, title, turns) in [
        ("one", "x", 2),
        ("same", "x", 2),
        ("other", "y", 2),
        ("short", "x", 1),
    ] {
        let mut run = start(&kernel, name);
        play(&mut run, &turn(1, vec![card("X", None, title)], &[]));
        if turns == 2 {
            play(&mut run, &turn(2, vec![], &["X"]));
        } else {
            let mut clearing = start(&kernel, "clearing");
            play(&mut clearing, &turn(1, vec![], &["X"]));
        }
    }
    start(&kernel, "empty");
    start(&kernel, "garbage");
    let mut transaction = kernel.store().begin().unwrap();
    let plan = {
        let state = transaction.state().unwrap();
        let envelope = envelope("garbage");
        let input = turn(1, vec![], &[]);
        let handle = envelope.handle().unwrap();
        let execution = orket_kernel::execute_turn(&envelope, &handle, &input, &state);
        orket_kernel::plan_promotion(&execution.staged.unwrap(), &state)
            .unwrap()
            .0
    };
    transaction.promote(&plan, b"{}").unwrap();
    transaction.commit().unwrap();
    kernel
}

#[test]
fn comparing_passes_for_runs_that_did_the_same_and_fails_closed_for_all_others() {
    let kernel = kernel();
    for (one, two, expected) in [
        ("one", "one", "PASS"),
        ("one", "same", "PASS"),
        ("one", "other", "FAIL"),
        ("one", "short", "FAIL"),
        ("one", "empty", "FAIL malformed_run"),
        ("empty", "empty", "FAIL malformed_run"),
        ("one", "nobody", "FAIL unknown_run"),
        ("nobody", "nobody", "FAIL unknown_run"),
        ("garbage", "garbage", "FAIL trace"),
        ("one", "garbage", "FAIL trace"),
    ] {
        for (one, two) in [(one, two), (two, one)] {
            let report = kernel.compare_runs(&run_id(one), &run_id(two)).unwrap();
            let mut words = vec![report.outcome.to_string()];
            let reasons = report.issues.iter().map(|issue| reason(issue).to_owned());
            words.extend(reasons.filter(|reason| !reason.is_empty()));
            assert_eq!(words.join(" "), expected, "{one} {two}");
            assert_eq!(report.outcome == Outcome::Pass, report.issues.is_empty());
            let is_compared = report.turns_compared > 0;
            assert_eq!(is_compared, words.len() == 1, "{one} {two}");
        }
    }
}
