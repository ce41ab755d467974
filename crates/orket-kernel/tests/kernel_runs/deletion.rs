//! Law 6 through whole runs.

use orket_kernel::{Code, Outcome, StateStore, StateView};

use crate::world::{MemoryKernel, card, cards, play, start, stem, turn, turn_id};

#[test]
fn law_6_deletion_is_staged_and_promoted_like_any_change() {
    let kernel = MemoryKernel::default();
    let mut run = start(&kernel, "a");
    play(
        &mut run,
        &turn(
            1,
            vec![card("X", None, "x"), card("Y", Some("X"), "y")],
            &[],
        ),
    );
    let body = {
        let now = kernel.store().committed().unwrap();
        now.triplet(&stem("X")).unwrap().unwrap().body_digest
    };
    let refused = run
        .stage_deletions(turn_id(2), vec![stem("X")])
        .unwrap()
        .result;
    assert_eq!(refused.outcome, Outcome::Fail);
    assert_eq!(refused.issues[0].code, Code::LsiOrphanReference);
    let unknown = run
        .stage_deletions(turn_id(2), vec![stem("nowhere")])
        .unwrap()
        .result;
    assert_eq!(unknown.outcome, Outcome::Fail);
    run.stage_deletions(turn_id(2), vec![stem("X"), stem("Y")])
        .unwrap();
    assert_eq!(cards(&kernel), ["X", "Y"], "it is only staged");
    run.commit_turn(turn_id(2)).unwrap();
    assert_eq!(cards(&kernel), Vec::<String>::new());
    let now = kernel.store().committed().unwrap();
    assert!(
        now.object(&body).unwrap().is_some(),
        "promotion removes no object"
    );
}
