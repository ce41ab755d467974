//! Law 1: what executes a turn changes staging and nothing else.

use orket_kernel::{Finish, Outcome, StagingArea, StateStore};

use crate::world::{MemoryKernel, card, cards, play, run_id, standing, start, stem, turn, turn_id};

#[test]
fn law_1_executing_and_deleting_change_nothing_committed() {
    let kernel = MemoryKernel::default();
    let mut run = start(&kernel, "a");
    play(&mut run, &turn(1, vec![card("X", None, "x")], &[]));
    let before = standing(&kernel);
    run.execute_turn(&turn(
        2,
        vec![card("X", None, "new"), card("Y", Some("X"), "")],
        &[],
    ))
    .unwrap();
    run.stage_deletions(turn_id(3), vec![stem("Y")]).unwrap();
    let summary = run.finish(Finish::Leave).unwrap();
    assert_eq!(summary.staged, [turn_id(2), turn_id(3)]);
    assert_eq!(standing(&kernel), before);
    assert_eq!(cards(&kernel), ["X"]);
}

#[test]
fn law_1_a_turn_that_fails_stages_nothing() {
    let kernel = MemoryKernel::default();
    let mut run = start(&kernel, "a");
    let execution = run
        .execute_turn(&turn(1, vec![card("X", Some("nowhere"), "")], &[]))
        .unwrap();
    assert_eq!(execution.result.outcome, Outcome::Fail);
    let staged = kernel.store().staging().staged(&run_id("a")).unwrap();
    assert!(staged.is_empty());
    let summary = run.finish(Finish::Commit).unwrap();
    assert!(summary.promoted.is_empty());
    assert_eq!(standing(&kernel).generation, 0);
}
