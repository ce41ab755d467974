//! Every retained generation can be read as it was.

use std::collections::{BTreeMap, BTreeSet};

use orket_kernel::{StateView, Stem, TurnId, canonical};
use orket_lsi::{Past, StoreError};
use proptest::prelude::*;

use crate::fixture::{Fixture, TurnText, move_horizon, run_id, stem, turn};

/// Stems with the text of their body and the ids they reference.
pub(crate) type Model = BTreeMap<String, (String, Vec<String>)>;

/// What a turn does to some stems: a text and references, or a deletion.
pub(crate) type Changes = BTreeMap<u8, Option<(u8, BTreeSet<u8>)>>;

pub(crate) fn changes() -> impl Strategy<Value = Changes> {
    let put = (0_u8..3, proptest::collection::btree_set(0_u8..12, 0..3));
    proptest::collection::btree_map(0_u8..12, proptest::option::weighted(0.7, put), 0..8)
}

/// Applies what is lawful of `changes`: nothing is deleted that is not there, and nothing dangles afterwards.
pub(crate) fn next(model: &Model, number: u64, changes: &Changes) -> Option<(TurnText, Model)> {
    let mut after = model.clone();
    let mut text = turn("a", number);
    for (name, change) in changes {
        let name = name.to_string();
        match change {
            Some((body, references)) => {
                let references: Vec<String> = references.iter().map(u8::to_string).collect();
                let named: Vec<&str> = references.iter().map(String::as_str).collect();
                text = text.put(&format!("note/{name}"), &body.to_string(), &named);
                after.insert(name, (body.to_string(), references));
            }
            None => {
                after.remove(&name)?;
                text = text.delete(&format!("note/{name}"));
            }
        }
    }
    let dangles = after
        .values()
        .any(|(_, references)| references.iter().any(|id| !after.contains_key(id)));
    (!dangles).then_some((text, after))
}

pub(crate) fn check(past: &Past<'_>, model: &Model) {
    let stems: Vec<Stem> = model
        .keys()
        .map(|name| stem(&format!("note/{name}")))
        .collect::<BTreeSet<_>>()
        .into_iter()
        .collect();
    assert_eq!(past.stems("").unwrap(), stems);
    assert_eq!(past.stems("other/").unwrap(), Vec::<Stem>::new());
    for number in 0..12 {
        let name = number.to_string();
        let own = stem(&format!("note/{name}"));
        let held = model.get(&name);
        let record = past.triplet(&own).unwrap();
        let text = record.map(|record| {
            let body = past.object(&record.body_digest).unwrap().unwrap();
            let body = canonical::parse(&body).unwrap();
            body.get("text")
                .and_then(|text| text.as_str())
                .unwrap()
                .to_owned()
        });
        assert_eq!(text.as_ref(), held.map(|(text, _)| text));
        assert_eq!(past.definition(&name).unwrap(), held.map(|_| own));
        let sources: Vec<String> = past
            .sources(&name)
            .unwrap()
            .into_iter()
            .map(|source| format!("{}{}", source.stem, source.location))
            .collect();
        let mut expected: Vec<String> = Vec::new();
        for (referrer, (_, references)) in model {
            let at = references.iter().position(|id| *id == name);
            expected.extend(at.map(|at| format!("note/{referrer}/links/about/{at}")));
        }
        expected.sort();
        assert_eq!(sources, expected, "sources of {name}");
    }
    past.check().unwrap();
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn every_generation_reads_as_the_model_had_it(turns in proptest::collection::vec(changes(), 1..8)) {
        let fixture = Fixture::new();
        let mut models = vec![Model::new()];
        for changes in &turns {
            let before = models.last().unwrap();
            let Some((text, after)) = next(before, models.len() as u64, changes) else {
                continue;
            };
            fixture.promote(&text).unwrap();
            models.push(after);
        }
        let snapshot = fixture.store.snapshot().unwrap();
        for (generation, model) in models.iter().enumerate() {
            check(&snapshot.at(generation as u64).unwrap(), model);
        }
        for (from, one) in models.iter().enumerate() {
            for (to, two) in models.iter().enumerate() {
                let [past, later] = [from, to].map(|at| snapshot.at(at as u64).unwrap());
                let found: BTreeSet<String> = snapshot
                    .difference(&past, &later)
                    .unwrap()
                    .into_iter()
                    .map(|difference| difference.stem.name().to_owned())
                    .collect();
                let names: BTreeSet<&String> = one.keys().chain(two.keys()).collect();
                let expected: BTreeSet<String> = names
                    .into_iter()
                    .filter(|name| one.get(*name) != two.get(*name))
                    .cloned()
                    .collect();
                prop_assert_eq!(found, expected, "from {} to {}", from, to);
            }
        }
    }
}

#[test]
fn what_is_not_there_or_not_retained_is_a_typed_error() {
    let fixture = Fixture::new();
    for number in 1..=3 {
        let text = number.to_string();
        fixture
            .promote(&turn("a", number).put("note/x", &text, &[]))
            .unwrap();
    }
    let snapshot = fixture.store.snapshot().unwrap();
    assert_eq!(snapshot.horizon().unwrap(), 0);
    let at_turn = |number| snapshot.at_turn(&run_id("a"), TurnId::new(number).unwrap());
    assert_eq!(at_turn(2).unwrap().head().generation, 2);
    assert!(matches!(
        at_turn(9),
        Err(StoreError::NotPromoted { turn_id, .. }) if turn_id.number() == 9
    ));
    assert!(matches!(
        snapshot.at(4),
        Err(StoreError::NoGeneration {
            generation: 4,
            newest: 3
        })
    ));
    fixture.tamper(&move_horizon(2));
    let snapshot = fixture.store.snapshot().unwrap();
    snapshot.at(2).unwrap().check().unwrap();
    assert!(matches!(
        snapshot.at(1),
        Err(StoreError::NotRetained {
            generation: 1,
            horizon: 2
        })
    ));
}

#[test]
fn a_view_from_below_the_horizon_is_written_anew() {
    let fixture = Fixture::new();
    for number in 1..=3 {
        let text = number.to_string();
        fixture
            .promote(&turn("a", number).put("note/x", &text, &[]))
            .unwrap();
        if number == 1 {
            fixture.store.project_view().unwrap();
        }
    }
    // What retention does: history and changes go up to the horizon.
    fixture.tamper(&move_horizon(3));
    fixture.tamper("DELETE FROM changes WHERE generation <= 3");
    fixture.store.project_view().unwrap();
    let view = fixture.home().join("index/committed");
    let forward = crate::fixture::tree(&view);
    std::fs::remove_file(view.join("VIEW")).unwrap();
    fixture.store.project_view().unwrap();
    assert!(forward == crate::fixture::tree(&view));
}
