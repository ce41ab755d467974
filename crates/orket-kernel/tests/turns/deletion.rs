//! Law 6: deletion is staged; absence is never deletion.

use orket_kernel::{Code, Stem, TurnId, TurnInput, plan_promotion};
use proptest::prelude::*;

use crate::shelf::Shelf;
use crate::world::{card, config, execute, play, turn, turns};

fn promoted(inputs: &[TurnInput]) -> Shelf {
    let mut shelf = Shelf::default();
    for input in inputs {
        let staged = execute(input, &shelf).staged.unwrap();
        shelf.apply(&plan_promotion(&staged, &shelf).unwrap().0);
    }
    shelf
}

/// The earlier system took "nothing is staged" for "delete everything" and reported success.
#[test]
fn law_6_an_empty_turn_promotes_as_a_noop_and_leaves_everything() {
    let shelf = promoted(&[turn(
        1,
        vec![card("A", &[], "t"), card("B", &["A"], "t")],
        &[],
    )]);
    let staged = execute(&TurnInput::empty(TurnId::new(2).unwrap()), &shelf)
        .staged
        .unwrap();
    let (plan, issues) = plan_promotion(&staged, &shelf).unwrap();
    assert!(plan.is_noop());
    assert!(plan.prune.is_empty() && plan.insert.is_empty() && plan.objects.is_empty());
    let codes: Vec<Code> = issues.iter().map(|issue| issue.code).collect();
    assert_eq!(codes, [Code::NoopPromotion]);
    let mut after = shelf.clone();
    after.apply(&plan);
    assert_eq!(after, shelf);
}

#[test]
fn law_6_staging_what_is_already_there_is_a_noop_too() {
    let same = || vec![card("A", &[], "t"), card("B", &["A"], "t")];
    let shelf = promoted(&[turn(1, same(), &[])]);
    for input in [turn(2, same(), &[]), turn(2, same(), &["A", "B"])] {
        let execution = execute(&input, &shelf);
        let changes = execution.result.transition_evidence.get("changes").unwrap();
        assert_eq!(changes.as_array().unwrap().len(), 0);
        let (plan, issues) = plan_promotion(&execution.staged.unwrap(), &shelf).unwrap();
        assert!(plan.is_noop());
        assert_eq!(issues[0].code, Code::NoopPromotion);
    }
}

#[test]
fn law_6_a_deletion_takes_the_stem_and_its_references_and_keeps_the_objects() {
    let shelf = promoted(&[turn(
        1,
        vec![card("A", &[], "t"), card("B", &["A"], "t")],
        &[],
    )]);
    let after = promoted(&[
        turn(1, vec![card("A", &[], "t"), card("B", &["A"], "t")], &[]),
        turn(2, Vec::new(), &["B"]),
    ]);
    let stems: Vec<&str> = after.triplets.keys().map(Stem::as_str).collect();
    assert_eq!(stems, ["card/A"]);
    assert!(after.sources.is_empty());
    assert_eq!(after.objects, shelf.objects);
}

proptest! {
    #![proptest_config(config(128))]

    #[test]
    fn law_6_after_any_turns_an_empty_turn_leaves_everything(texts in turns()) {
        let shelf = play(&texts, |_, _, _| {});
        let execution = execute(&TurnInput::empty(TurnId::new(99).unwrap()), &shelf);
        prop_assert_eq!(execution.result.issues.len(), 0);
        let (plan, _) = plan_promotion(&execution.staged.unwrap(), &shelf).unwrap();
        let mut after = shelf.clone();
        after.apply(&plan);
        prop_assert_eq!(after, shelf);
    }

    #[test]
    fn law_6_a_plan_deletes_only_what_the_turn_named(texts in turns()) {
        play(&texts, |input, execution, shelf| {
            let Some(staged) = &execution.staged else { return };
            let (plan, _) = plan_promotion(staged, shelf).unwrap();
            for stem in &plan.delete {
                assert!(input.deletions.contains(stem));
                assert!(!input.triplets.iter().any(|triplet| triplet.stem == *stem));
            }
            let mut after = shelf.clone();
            after.apply(&plan);
            let touched = |stem: &Stem| {
                input.deletions.contains(stem)
                    || input.triplets.iter().any(|triplet| triplet.stem == *stem)
            };
            for (stem, record) in &shelf.triplets {
                assert!(touched(stem) || after.triplets.get(stem) == Some(record));
            }
            for digest in shelf.objects.keys() {
                assert!(after.objects.contains_key(digest));
            }
        });
    }
}
