//! The state digest.

use std::collections::BTreeMap;

use orket_kernel::{CommittedView, Digest, StateStore, StateView, Stem, canonical, state};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;

use super::machine::config;
use super::world::{card, promote, start, turn};

/// Computes the state digest of what a view shows, from nothing.
fn from_nothing(view: &impl StateView) -> Digest {
    let stems: Vec<Stem> = view.stems("").unwrap();
    let mut triplets = Vec::new();
    let mut refs = Vec::new();
    for stem in &stems {
        let record = view.triplet(stem).unwrap().unwrap();
        let body = view.object(&record.body_digest).unwrap().unwrap();
        let body = canonical::parse(&body).unwrap();
        let id = body.get("id").and_then(|id| id.as_str()).unwrap();
        let sources = view.sources(id).unwrap();
        refs.extend(state::ref_entry(
            id,
            Some(stem),
            &state::source_root(&sources),
        ));
        triplets.push(state::triplet_entry(&record));
    }
    state::digest(&state::root(&mut triplets), &state::root(&mut refs))
}

/// A store that holds nothing has the digest that the kernel's documentation prints.
pub fn the_state_digest_of_nothing_is_the_published_one<S: StateStore>(empty: impl Fn() -> S) {
    let published = "db26d02da7e29169d36edbd14f2a7f65b5833ca47a7e1d798f2f74d010d59619";
    let standing = empty().committed().unwrap().standing().unwrap();
    assert_eq!(standing.state_digest.to_hex(), published);
    assert_eq!(standing.generation, 0);
}

/// What a promotion returns, what the store stands at and what is computed from nothing are one digest; it moves with
/// the state, also when the state is larger than a bucket of the tree.
pub fn the_state_digest_follows_from_the_state<S: StateStore>(empty: impl Fn() -> S) {
    let store = empty();
    start(&store, &["a"]);
    let names: Vec<String> = (0..60).map(|number| format!("c{number:02}")).collect();
    let mut seen = Vec::new();
    for (number, names) in (1..).zip(names.chunks(12)) {
        let cards = names.iter().map(|name| match seen.is_empty() {
            true => card(name, &[], ""),
            false => card(name, &["c00", "c01"], ""),
        });
        let standing = promote(&store, "a", &turn(number, cards.collect(), &[]));
        let now = store.committed().unwrap();
        assert_eq!(now.standing().unwrap(), standing);
        assert_eq!(from_nothing(&now), standing.state_digest, "{number}");
        assert!(!seen.contains(&standing.state_digest));
        seen.push(standing.state_digest);
    }
    for (number, names) in (6..).zip(names.rchunks(12).take(4)) {
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let standing = promote(&store, "a", &turn(number, vec![], &names));
        let expected = seen[usize::try_from(10 - number).unwrap() - 1];
        assert_eq!(standing.state_digest, expected, "{number}");
        assert_eq!(from_nothing(&store.committed().unwrap()), expected);
    }
}

/// The content of a card: a title, and the numbers of cards that come before it.
type Contents = BTreeMap<u8, (u8, Vec<u8>)>;

fn contents() -> impl Strategy<Value = (Contents, Vec<bool>, Vec<u8>)> {
    let content = (0_u8..3, prop::collection::vec(any::<u8>(), 0..3));
    let contents = prop::collection::btree_map(0_u8..40, content, 0..30);
    let groups = prop::collection::vec(any::<bool>(), 40);
    (contents, groups, prop::collection::vec(40_u8..60, 0..4))
}

/// One turn or many, one run or two, with or without detours that were taken back: the same content has the same digest.
pub fn the_same_content_by_another_history_has_the_same_digest<S: StateStore>(
    empty: impl Fn() -> S,
) {
    let mut runner = TestRunner::new(config(12));
    let check = |(contents, breaks, detours): (Contents, Vec<bool>, Vec<u8>)| {
        let names: Vec<u8> = contents.keys().copied().collect();
        let cards: Vec<_> = contents
            .iter()
            .map(|(name, (title, needs))| {
                let earlier: Vec<u8> = names.iter().copied().filter(|it| it < name).collect();
                let mut needs: Vec<String> = needs
                    .iter()
                    .filter_map(|it| earlier.get(usize::from(*it) % earlier.len().max(1)))
                    .map(ToString::to_string)
                    .collect();
                needs.sort();
                needs.dedup();
                let needs: Vec<&str> = needs.iter().map(String::as_str).collect();
                card(&name.to_string(), &needs, &title.to_string())
            })
            .collect();
        let at_once = empty();
        start(&at_once, &["a"]);
        let expected = promote(&at_once, "a", &turn(1, cards.clone(), &[]));

        let step_by_step = empty();
        start(&step_by_step, &["b", "c"]);
        let detours: std::collections::BTreeSet<String> =
            detours.iter().map(ToString::to_string).collect();
        let strangers = detours.iter().map(|name| card(name, &[], "detour"));
        promote(&step_by_step, "b", &turn(1, strangers.collect(), &[]));
        let (mut number, mut group) = (1, Vec::new());
        for (place, one) in cards.iter().enumerate() {
            let mut draft = one.clone();
            draft.body = card(one.stem.name(), &[], "another title").body;
            group.push(draft);
            if breaks[place] {
                promote(
                    &step_by_step,
                    "c",
                    &turn(number, std::mem::take(&mut group), &[]),
                );
                number += 1;
            }
        }
        promote(&step_by_step, "c", &turn(number, group, &[]));
        let detours: Vec<&str> = detours.iter().map(String::as_str).collect();
        promote(&step_by_step, "b", &turn(2, vec![], &detours));
        let reached = promote(&step_by_step, "b", &turn(3, cards, &[]));
        prop_assert_eq!(reached.state_digest, expected.state_digest);
        Ok(())
    };
    let result = runner.run(&contents(), check);
    assert!(result.is_ok(), "{}", result.unwrap_err());
}
