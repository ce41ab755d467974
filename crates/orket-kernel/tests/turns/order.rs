//! Kernel decision 4: the order of issues is total and does not depend on the order of what was given.

use std::cmp::Ordering;

use orket_kernel::canonical::Value;
use orket_kernel::{Code, GateRefusal, KernelIssue, Pointer, Stage, TurnInput, object};
use proptest::prelude::*;
use proptest::sample::{Index, select};

use crate::shelf::Shelf;
use crate::world::{config, execute, play, turns};

fn issue() -> impl Strategy<Value = KernelIssue> {
    let stage = select(Stage::ALL.to_vec());
    let code = select(Code::ALL.to_vec());
    let location = select(vec!["", "/a", "/a/0", "/a/10", "/a/2", "/b"]);
    let detail = select(vec!["", "x", "é", "\u{10000}", "\u{ffff}"]);
    (stage, code, location, detail).prop_map(|(stage, code, location, detail)| {
        let place = Pointer::parse(location).unwrap();
        KernelIssue::new(stage, code, place, "", object! { "reason" => detail })
    })
}

proptest! {
    #![proptest_config(config(256))]

    #[test]
    fn decision_4_the_order_is_total(mut issues in prop::collection::vec(issue(), 3..12), turn in any::<Index>()) {
        for one in &issues {
            for two in &issues {
                prop_assert_eq!(one.order(two), two.order(one).reverse());
                prop_assert_eq!(one.order(two) == Ordering::Equal, one == two);
                if one.stage < two.stage {
                    prop_assert_eq!(one.order(two), Ordering::Less);
                }
            }
        }
        let mut other = issues.clone();
        let by = turn.index(other.len());
        other.rotate_left(by);
        other.reverse();
        issues.sort_by(KernelIssue::order);
        other.sort_by(KernelIssue::order);
        prop_assert_eq!(&issues, &other);
        prop_assert!(issues.windows(3).all(|three| three[0].order(&three[2]) != Ordering::Greater));
    }

    #[test]
    fn invariant_deterministic_sorting_of_issues(
        (issues, shuffled) in prop::collection::vec(issue(), 0..10)
            .prop_flat_map(|issues| (Just(issues.clone()), Just(issues).prop_shuffle())),
    ) {
        for one in &issues {
            for two in &issues {
                for three in &issues {
                    let goes_up = one.order(two).is_le() && two.order(three).is_le();
                    prop_assert!(!goes_up || one.order(three).is_le(), "not transitive");
                }
            }
        }
        let sorted = |mut issues: Vec<KernelIssue>| {
            issues.sort_by(KernelIssue::order);
            issues
        };
        prop_assert_eq!(sorted(issues), sorted(shuffled));
    }

    #[test]
    fn issues_of_a_result_stand_in_order_without_repetition(texts in turns()) {
        play(&texts, |_, execution, _| {
            let issues = &execution.result.issues;
            assert!(issues.windows(2).all(|pair| pair[0].order(&pair[1]) == Ordering::Less));
        });
    }

    #[test]
    fn refusals_are_told_in_one_order_however_they_came(
        refusals in prop::collection::btree_set((0_u64..3, select(vec!["a", "b", "c"])), 0..6),
        by in any::<Index>(),
    ) {
        let input = |order: &[(u64, &str)]| TurnInput {
            refusals: order.iter().map(|(call, reason)| GateRefusal {
                call: Some(*call),
                reason: (*reason).into(),
                message: format!("{call} {reason}"),
            }).collect(),
            ..TurnInput::empty(orket_kernel::TurnId::FIRST)
        };
        let sorted: Vec<(u64, &str)> = refusals.into_iter().collect();
        let mut mixed = sorted.clone();
        if !mixed.is_empty() {
            let by = by.index(mixed.len());
            mixed.rotate_left(by);
            mixed.reverse();
        }
        let one = execute(&input(&sorted), &Shelf::default()).result;
        let two = execute(&input(&mixed), &Shelf::default()).result;
        prop_assert_eq!(&one.issues, &two.issues);
        prop_assert_eq!(&one.events, &two.events);
        let reasons: Vec<&str> = one.issues.iter().filter_map(|issue| issue.details.get("reason")).filter_map(Value::as_str).collect();
        let expected: Vec<&str> = sorted.iter().map(|(_, reason)| *reason).collect();
        prop_assert_eq!(reasons, expected);
    }

    /// Triplets in another order give the same issues, each at the new place of its triplet.
    #[test]
    fn issues_follow_their_triplets(texts in turns(), by in any::<Index>()) {
        play(&texts, |input, execution, shelf| {
            let length = input.triplets.len();
            let stems: std::collections::BTreeSet<_> = input.triplets.iter().map(|t| &t.stem).collect();
            // Of a stem staged twice, the second is named: there the place is part of the finding.
            if length < 2 || stems.len() < length {
                return;
            }
            let by = by.index(length);
            let mut turned = input.clone();
            turned.triplets.rotate_left(by);
            let place = |issue: &KernelIssue, shift: usize| {
                let text = issue.location.as_str();
                let Some(rest) = text.strip_prefix("/triplets/") else {
                    return text.to_owned();
                };
                let (index, rest) = rest.split_once('/').unwrap();
                let index: usize = index.parse().unwrap();
                format!("/triplets/{}/{rest}", (index + shift) % length)
            };
            let told = |issues: &[KernelIssue], shift: usize| {
                let mut told: Vec<String> = issues
                    .iter()
                    .map(|issue| format!("{} {} {}", issue.code, place(issue, shift), issue.details))
                    .collect();
                told.sort();
                told
            };
            let other = execute(&turned, shelf).result;
            assert_eq!(told(&other.issues, by), told(&execution.result.issues, 0));
        });
    }
}
