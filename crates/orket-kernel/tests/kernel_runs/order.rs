//! Law 2: turns of a run are executed and promoted in order and once; runs meet only where one read what the other changed.

use orket_kernel::{Code, Finish, Outcome, StateStore, StoreTransaction, TurnId};

use crate::world::{
    MemoryKernel, card, cards, envelope, play, promotion_failed, reason, refusal, standing, start,
    turn, turn_id,
};

#[test]
fn law_2_turns_are_promoted_in_order_and_once() {
    let kernel = MemoryKernel::default();
    let mut run = start(&kernel, "a");
    for number in 1..=3 {
        let name = number.to_string();
        run.execute_turn(&turn(number, vec![card(&name, None, "")], &[]))
            .unwrap();
    }
    for number in [2, 3] {
        let refused = refusal(run.commit_turn(turn_id(number)));
        assert_eq!(refused, promotion_failed("turn_order"), "{number}");
    }
    for number in 1..=3 {
        run.commit_turn(turn_id(number)).unwrap();
        let again = refusal(run.commit_turn(turn_id(number)));
        assert_eq!(again, promotion_failed("not_staged"), "{number}");
    }
    assert_eq!(
        refusal(run.commit_turn(turn_id(4))),
        promotion_failed("not_staged")
    );
    assert_eq!(standing(&kernel).generation, 3);
}

#[test]
fn invariant_run_and_turn_order_is_strictly_sequential() {
    let kernel = MemoryKernel::default();
    let mut run = start(&kernel, "a");
    let mut execute = |number: u64| {
        let result = run.execute_turn(&turn(number, vec![], &[])).unwrap().result;
        match result.outcome {
            Outcome::Pass => None,
            Outcome::Fail => Some((result.issues[0].code, reason(&result.issues[0]).to_owned())),
        }
    };
    let out_of_order = Some((Code::BaseShapeInvalid, "turn_order".to_owned()));
    assert_eq!(execute(2), out_of_order, "the first is left out");
    assert_eq!(execute(u64::MAX), out_of_order);
    assert_eq!(execute(1), None);
    assert_eq!(execute(3), out_of_order, "a gap");
    assert_eq!(execute(1), None, "the newest staged one again");
    assert_eq!(execute(2), None);
    assert_eq!(execute(1), out_of_order, "another one is staged after it");
    run.commit_turn(TurnId::FIRST).unwrap();
    let mut execute = |number: u64| run.execute_turn(&turn(number, vec![], &[])).unwrap().result;
    assert_eq!(execute(1).outcome, Outcome::Fail, "it is promoted");
    assert_eq!(execute(3).outcome, Outcome::Pass);
    assert_eq!(
        execute(2).outcome,
        Outcome::Fail,
        "another one is staged after it"
    );
}

#[test]
fn law_2_of_two_runs_on_one_base_the_second_is_refused_if_the_first_changed_what_it_read() {
    // Over X and Y <- Z: what the first promotes, what the second had executed, and whether the second still may.
    let x = |title| vec![card("X", None, title)];
    for (name, first, second, passes) in [
        ("the same card", x("1"), turn(1, x("2"), &[]), false),
        (
            "a card that it deletes",
            vec![card("Z", None, "2")],
            turn(1, vec![], &["Z"]),
            false,
        ),
        (
            "who needs a card that it deletes",
            vec![card("W", Some("X"), "")],
            turn(1, vec![], &["X"]),
            false,
        ),
        (
            "nothing that it read",
            x("1"),
            turn(1, vec![card("W", Some("Y"), "")], &[]),
            true,
        ),
        (
            "the content of a card that it only needs",
            x("1"),
            turn(1, vec![card("W", Some("X"), "")], &[]),
            true,
        ),
        ("nothing", vec![], turn(1, x("2"), &[]), true),
        ("to what it was already", x("0"), turn(1, x("2"), &[]), true),
    ] {
        let kernel = MemoryKernel::default();
        let base = vec![
            card("X", None, "0"),
            card("Y", None, "0"),
            card("Z", Some("Y"), "0"),
        ];
        play(&mut start(&kernel, "base"), &turn(1, base, &[]));
        let (mut a, mut b) = (start(&kernel, "a"), start(&kernel, "b"));
        let execution = b.execute_turn(&second).unwrap();
        assert!(execution.staged.is_some(), "{name}");
        play(&mut a, &turn(1, first, &[]));
        let before = standing(&kernel);
        if passes {
            b.commit_turn(turn_id(1))
                .unwrap_or_else(|error| panic!("{name}: {error}"));
            continue;
        }
        assert_eq!(
            refusal(b.commit_turn(turn_id(1))),
            promotion_failed("stale"),
            "{name}"
        );
        assert_eq!(standing(&kernel), before, "{name}");
        // It is executed again over the state as it is now.
        let again = b.execute_turn(&second).unwrap();
        if again.staged.is_some() {
            b.commit_turn(turn_id(1)).unwrap();
        }
    }
}

#[test]
fn a_run_that_is_finished_is_closed() {
    for finish in [Finish::Commit, Finish::Discard] {
        let kernel = MemoryKernel::default();
        let mut run = start(&kernel, "a");
        play(&mut run, &turn(1, vec![card("X", None, "")], &[]));
        let handle = run.handle().clone();
        run.finish(finish).unwrap();
        let mut run = kernel.run(&handle).unwrap();
        let result = run.execute_turn(&turn(2, vec![], &[])).unwrap().result;
        assert_eq!(reason(&result.issues[0]), "run_finished");
        assert_eq!(
            refusal(run.commit_turn(turn_id(2))),
            promotion_failed("run_finished")
        );
        assert_eq!(
            refusal(run.finish(Finish::Leave)),
            promotion_failed("run_finished")
        );
        assert_eq!(cards(&kernel), ["X"]);
    }
}

#[test]
fn one_of_two_writers_waits() {
    let kernel = MemoryKernel::default();
    let mut run = start(&kernel, "a");
    run.execute_turn(&turn(1, vec![], &[])).unwrap();
    let mut other = kernel.store().begin().unwrap();
    other.start_run(&envelope("b")).unwrap();
    assert!(matches!(
        run.commit_turn(turn_id(1)),
        Err(orket_kernel::KernelError::Store(
            orket_kernel::StoreFailure::Busy { .. }
        ))
    ));
    other.commit().unwrap();
    run.commit_turn(turn_id(1)).unwrap();
}
