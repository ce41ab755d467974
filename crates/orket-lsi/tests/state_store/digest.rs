//! The nodes that the index keeps reach the root that the kernel computes from nothing.

use std::collections::{BTreeMap, BTreeSet};

use orket_kernel::canonical;
use orket_kernel::{Kernel, StateView, Stem, TurnInput, state};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;

use crate::housed::{Housed, envelope, turn};

/// What becomes of a card: a title and the card that it needs, or nothing.
type RandomChange = Option<(u8, Option<u8>)>;

fn random_turn() -> impl Strategy<Value = BTreeMap<u8, RandomChange>> {
    let put = (0_u8..3, prop::option::of(0_u8..80));
    prop::collection::btree_map(0_u8..80, prop::option::weighted(0.75, put), 0..40)
}

fn config() -> ProptestConfig {
    ProptestConfig {
        cases: 12,
        failure_persistence: None,
        rng_seed: RngSeed::Fixed(0x0_0e7),
        ..ProptestConfig::default()
    }
}

/// Makes of a random change one that passes: what is needed is there, what is needed by others is not deleted.
fn input(
    number: u64,
    changes: &BTreeMap<u8, RandomChange>,
    cards: &mut BTreeMap<u8, Option<u8>>,
) -> TurnInput {
    let mut after = cards.clone();
    for (name, change) in changes {
        if let Some((_, needed)) = change {
            after.insert(*name, *needed);
        }
    }
    let names: BTreeSet<u8> = after.keys().copied().collect();
    for (name, needed) in &mut after {
        *needed = needed.filter(|it| names.contains(it) && it != name);
    }
    let needed: BTreeSet<u8> = after.values().flatten().copied().collect();
    let mut deleted = Vec::new();
    for (name, change) in changes {
        if change.is_none() && cards.contains_key(name) && !needed.contains(name) {
            after.remove(name);
            deleted.push(Stem::parse(&format!("card/{name}")).unwrap());
        }
    }
    let texts: Vec<(String, String, Option<String>)> = changes
        .iter()
        .filter_map(|(name, change)| {
            let needed = after.get(name)?.map(|needed| needed.to_string());
            Some((name.to_string(), change.as_ref()?.0.to_string(), needed))
        })
        .collect();
    let texts: Vec<(&str, &str, Option<&str>)> = texts
        .iter()
        .map(|(name, title, needed)| (name.as_str(), title.as_str(), needed.as_deref()))
        .collect();
    *cards = after;
    TurnInput {
        deletions: deleted,
        ..turn(number, &texts)
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn incremental_roots_are_those_from_nothing(turns in prop::collection::vec(random_turn(), 1..6)) {
        let kernel = Kernel::new(Housed::empty());
        let mut run = kernel.start_run(&envelope("a")).unwrap();
        let mut cards = BTreeMap::new();
        for (number, changes) in (1..).zip(&turns) {
            let input = input(number, changes, &mut cards);
            let execution = run.execute_turn(&input).unwrap();
            prop_assert!(execution.staged.is_some(), "{:?}", execution.result.issues);
            run.commit_turn(input.turn_id).unwrap();
            let snapshot = kernel.store().store.snapshot().unwrap();
            let mut triplets = Vec::new();
            let mut refs = Vec::new();
            let stems = snapshot.stems("").unwrap();
            prop_assert_eq!(stems.len(), cards.len());
            for stem in stems {
                let record = snapshot.triplet(&stem).unwrap().unwrap();
                let body = snapshot.object(&record.body_digest).unwrap().unwrap();
                let body = canonical::parse(&body).unwrap();
                let id = body.get("id").and_then(|id| id.as_str()).unwrap();
                let sources = snapshot.sources(id).unwrap();
                triplets.push(state::triplet_entry(&record));
                refs.extend(state::ref_entry(id, Some(&stem), &state::source_root(&sources)));
            }
            let head = snapshot.head();
            prop_assert_eq!(head.triplet_root, state::root(&mut triplets));
            prop_assert_eq!(head.ref_root, state::root(&mut refs));
            let digest = state::digest(&head.triplet_root, &head.ref_root);
            prop_assert_eq!(head.state_digest, digest);
        }
    }
}
