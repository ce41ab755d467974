//! Spec-002 §5 and §6: the Pruning Law and the Collision Law, as a plan.

use orket_kernel::canonical::Value;
use orket_kernel::{Code, KernelIssue, PromotionPlan, Stem, plan_promotion};
use proptest::prelude::*;

use crate::shelf::Shelf;
use crate::world::{card, config, execute, play, turn, turns};

fn plan(
    shelf: &Shelf,
    number: u64,
    cards: &[(&str, &[&str])],
    deletions: &[&str],
) -> (PromotionPlan, Vec<KernelIssue>) {
    let cards = cards
        .iter()
        .map(|(name, needs)| card(name, needs, "t"))
        .collect();
    let execution = execute(&turn(number, cards, deletions), shelf);
    let told = execution.result.events.join("\n");
    plan_promotion(&execution.staged.expect(&told), shelf).unwrap()
}

fn shelf(turns: &[&[(&str, &[&str])]]) -> Shelf {
    let mut shelf = Shelf::default();
    for (number, cards) in (1..).zip(turns) {
        let (plan, _) = plan(&shelf, number, cards, &[]);
        shelf.apply(&plan);
    }
    shelf
}

fn stems(stems: &[Stem]) -> Vec<&str> {
    stems.iter().map(Stem::as_str).collect()
}

/// The stems that `I_REF_MULTISOURCE` names, by id.
fn collisions(issues: &[KernelIssue]) -> Vec<(String, Vec<String>)> {
    let own = issues
        .iter()
        .filter(|issue| issue.code == Code::RefMultisource);
    own.map(|issue| {
        assert!(!issue.is_failure());
        let stems = issue
            .details
            .get("stems")
            .and_then(Value::as_array)
            .unwrap();
        let stems = stems.iter().map(|stem| stem.as_str().unwrap().to_owned());
        (
            issue
                .details
                .get("id")
                .unwrap()
                .as_str()
                .unwrap()
                .to_owned(),
            stems.collect(),
        )
    })
    .collect()
}

#[test]
fn promotion_prunes_the_references_of_promoted_stems_only() {
    let before = shelf(&[&[("A", &[]), ("B", &[]), ("C", &["A", "B"]), ("D", &["A"])]]);
    let (plan, _) = plan(&before, 2, &[("C", &["B"])], &[]);
    assert_eq!(stems(&plan.prune), ["card/C"]);
    let targets: Vec<&str> = plan.insert.iter().map(|(id, _)| id.as_str()).collect();
    assert_eq!(targets, ["card/B"]);
    let mut after = before.clone();
    after.apply(&plan);
    let of = |id: &str| -> Vec<String> {
        let sources = after.sources.get(id).into_iter().flatten();
        sources.map(|source| source.stem.to_string()).collect()
    };
    assert_eq!(of("card/A"), ["card/D"]);
    assert_eq!(of("card/B"), ["card/C"]);
}

#[test]
fn a_deleted_stem_is_pruned_and_an_unchanged_one_is_left_alone() {
    let before = shelf(&[&[("A", &[]), ("B", &["A"]), ("C", &["A"])]]);
    let (plan, issues) = plan(&before, 2, &[("B", &["A"])], &["C"]);
    assert_eq!(stems(&plan.prune), ["card/C"]);
    assert_eq!(stems(&plan.delete), ["card/C"]);
    assert!(plan.put.is_empty() && plan.insert.is_empty());
    assert!(!plan.is_noop());
    let codes: Vec<Code> = issues.iter().map(|issue| issue.code).collect();
    assert_eq!(codes, [Code::PromotionPass]);
}

#[test]
fn a_collision_is_reported_with_all_stems_and_does_not_fail() {
    let empty = Shelf::default();
    let (_, issues) = plan(&empty, 1, &[("A", &[]), ("B", &["A"]), ("C", &["A"])], &[]);
    let all = [(
        "card/A".to_owned(),
        vec!["card/B".to_owned(), "card/C".to_owned()],
    )];
    assert_eq!(collisions(&issues), all, "within one turn");
    let before = shelf(&[&[("A", &[]), ("B", &["A"])]]);
    let (_, issues) = plan(&before, 2, &[("C", &["A"])], &[]);
    assert_eq!(collisions(&issues), all, "with what is committed");
}

#[test]
fn one_stem_that_references_again_or_twice_is_no_collision() {
    let before = shelf(&[&[("A", &[]), ("Z", &[]), ("B", &["A"])]]);
    let (_, issues) = plan(&before, 2, &[("B", &["A", "Z"])], &[]);
    assert!(collisions(&issues).is_empty());
    // The other referrer goes in the same promotion.
    let before = shelf(&[&[("A", &[]), ("B", &["A"])]]);
    let (_, issues) = plan(&before, 2, &[("C", &["A"])], &["B"]);
    assert!(collisions(&issues).is_empty());
}

proptest! {
    #![proptest_config(config(128))]

    #[test]
    fn a_plan_says_exactly_what_changes(texts in turns()) {
        play(&texts, |_, execution, shelf| {
            let Some(staged) = &execution.staged else { return };
            let (plan, issues) = plan_promotion(staged, shelf).unwrap();
            let put: Vec<Stem> = plan.put.iter().map(|(record, _)| record.stem.clone()).collect();
            let mut touched = [put.clone(), plan.delete.clone()].concat();
            touched.sort();
            assert_eq!(plan.prune, touched);
            assert!(plan.insert.windows(2).all(|pair| pair[0] < pair[1]));
            assert!(plan.insert.iter().all(|(_, source)| put.contains(&source.stem)));
            for (record, _) in &plan.put {
                for digest in [record.body_digest, record.links_digest, record.manifest_digest] {
                    assert!(plan.objects.contains_key(&digest));
                }
            }
            // What the evidence of the turn lists is what the plan changes.
            let changes = execution.result.transition_evidence.get("changes").unwrap();
            let listed: Vec<&str> = changes.as_array().unwrap().iter()
                .map(|change| change.get("stem").unwrap().as_str().unwrap())
                .collect();
            assert_eq!(listed, stems(&touched));
            // The Collision Law, computed a second time from the state that comes out.
            let mut after = shelf.clone();
            after.apply(&plan);
            for (id, stems) in collisions(&issues) {
                let mut sources: Vec<String> = after.sources[&id].iter().map(|s| s.stem.to_string()).collect();
                sources.dedup();
                assert_eq!(stems, sources);
            }
            for (id, _) in &plan.insert {
                let mut sources: Vec<&Stem> = after.sources[id].iter().map(|s| &s.stem).collect();
                sources.dedup();
                let told = collisions(&issues).iter().any(|(of, _)| of == id);
                assert_eq!(told, sources.len() > 1, "{id}");
            }
        });
    }
}
