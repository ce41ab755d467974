//! What is promoted is promoted whole.

use orket_kernel::{Finish, StagingArea, StateStore};

use crate::world::{
    MemoryKernel, card, cards, play, promotion_failed, refusal, run_id, standing, start, turn,
};

#[test]
fn invariant_no_partial_promotion_of_several_turns() {
    // Whichever of three turns cannot be promoted, none is.
    for spoiled in ["P", "Q", "R"] {
        let kernel = MemoryKernel::default();
        let base = ["P", "Q", "R"].map(|name| card(name, None, "0"));
        play(&mut start(&kernel, "base"), &turn(1, base.to_vec(), &[]));
        let mut run = start(&kernel, "a");
        for (number, name) in (1..).zip(["P", "Q", "R"]) {
            run.execute_turn(&turn(number, vec![card(name, None, "of a")], &[]))
                .unwrap();
        }
        play(
            &mut start(&kernel, "b"),
            &turn(1, vec![card(spoiled, None, "of b")], &[]),
        );
        let before = standing(&kernel);
        let handle = run.handle().clone();
        assert_eq!(
            refusal(run.finish(Finish::Commit)),
            promotion_failed("stale"),
            "{spoiled}"
        );
        assert_eq!(standing(&kernel), before, "{spoiled}");
        let staged = kernel.store().staging().staged(&run_id("a")).unwrap();
        assert_eq!(staged.len(), 3, "{spoiled}");
        // The run is open, and can be given up.
        let summary = kernel
            .run(&handle)
            .unwrap()
            .finish(Finish::Discard)
            .unwrap();
        assert_eq!(summary.discarded.len(), 3);
        assert_eq!(standing(&kernel), before);
    }
}

#[test]
fn several_turns_are_promoted_by_one_finish() {
    let kernel = MemoryKernel::default();
    let mut run = start(&kernel, "a");
    run.execute_turn(&turn(1, vec![card("P", None, "")], &[]))
        .unwrap();
    run.execute_turn(&turn(2, vec![card("Q", Some("P"), "")], &[]))
        .unwrap();
    run.execute_turn(&turn(3, vec![card("Q", None, "")], &["P"]))
        .unwrap();
    let summary = run.finish(Finish::Commit).unwrap();
    assert_eq!(summary.promoted.len(), 3);
    assert_eq!(
        summary.promoted[2].state_digest,
        standing(&kernel).state_digest
    );
    assert_eq!(cards(&kernel), ["Q"]);
}
