//! The laws of the index: order of turns, record shapes, pruning, collisions, deletion, the state digest.

use orket_kernel::canonical::{self, Value};
use orket_kernel::{Code, Digest, LSI_VERSION, StateView, TripletRecord, TurnId};
use orket_lsi::{Head, StoreError};
use proptest::prelude::*;

use crate::fixture::{Fixture, TurnText, run_id, stem, turn};

fn out_of_order(error: &StoreError) -> (u64, u64) {
    assert_eq!(error.code(), Some(Code::LsiPromotionFailed));
    match error {
        StoreError::OutOfOrder {
            expected, found, ..
        } => (expected.number(), found.number()),
        other => panic!("{other}"),
    }
}

#[test]
fn law_2_turns_of_a_run_are_promoted_strictly_in_order() {
    let fixture = Fixture::new();
    assert_eq!(
        out_of_order(&fixture.promote(&turn("a", 2)).unwrap_err()),
        (1, 2)
    );
    fixture.promote(&turn("a", 1)).unwrap();
    assert_eq!(
        out_of_order(&fixture.promote(&turn("a", 1)).unwrap_err()),
        (2, 1),
        "a repetition"
    );
    assert_eq!(
        out_of_order(&fixture.promote(&turn("a", 3)).unwrap_err()),
        (2, 3),
        "a gap"
    );
    fixture.promote(&turn("a", 2)).unwrap();
    let snapshot = fixture.store.snapshot().unwrap();
    assert_eq!(snapshot.ledger(&run_id("a")).unwrap(), TurnId::new(2));
    assert_eq!(snapshot.ledger(&run_id("b")).unwrap(), None);
}

#[test]
fn law_2_runs_are_independent_and_share_one_order() {
    let fixture = Fixture::new();
    for (run, number) in [("a", 1), ("b", 1), ("b", 2), ("a", 2)] {
        fixture
            .promote(&turn(run, number).put(&format!("note/{run}{number}"), "x", &[]))
            .unwrap();
    }
    let snapshot = fixture.store.snapshot().unwrap();
    let order: Vec<String> = (1..=4)
        .map(|generation| snapshot.promotion_at(generation).unwrap().unwrap())
        .map(|row| format!("{} {}", row.run_id, row.turn_id))
        .collect();
    assert_eq!(
        order,
        ["a turn-0001", "b turn-0001", "b turn-0002", "a turn-0002"]
    );
    let of_b: Vec<u64> = snapshot
        .promotions(&run_id("b"))
        .unwrap()
        .iter()
        .map(|row| row.generation)
        .collect();
    assert_eq!(of_b, [2, 3]);
    fixture.check_whole();
}

#[test]
fn a_run_that_was_not_started_promotes_nothing() {
    let fixture = Fixture::new();
    let error = fixture.promote(&turn("stranger", 1)).unwrap_err();
    assert!(matches!(error, StoreError::UnknownRun { .. }), "{error}");
}

#[test]
fn law_5_records_have_exactly_the_named_fields() {
    let fixture = Fixture::new();
    fixture
        .promote(
            &turn("a", 1)
                .put("note/x", "x", &[])
                .put("note/y", "y", &["x"]),
        )
        .unwrap();
    let snapshot = fixture.store.snapshot().unwrap();
    let fields =
        |value: &Value| -> Vec<String> { value.as_object().unwrap().keys().cloned().collect() };
    let record = snapshot.triplet(&stem("note/y")).unwrap().unwrap();
    assert_eq!(
        fields(&canonical::to_value(&record).unwrap()),
        [
            "body_digest",
            "links_digest",
            "lsi_version",
            "manifest_digest",
            "stem",
            "updated_at_turn"
        ]
    );
    assert_eq!(record.lsi_version, LSI_VERSION);
    assert_eq!(record.updated_at_turn, TurnId::FIRST);
    let sources = snapshot.sources("x").unwrap();
    assert_eq!(
        fields(&canonical::to_value(&sources[0]).unwrap()),
        ["artifact_digest", "location", "relationship", "stem"]
    );
    assert_eq!(sources[0].artifact_digest, record.links_digest);
    for digest in [
        record.body_digest,
        record.links_digest,
        record.manifest_digest,
    ] {
        assert!(snapshot.object(&digest).unwrap().is_some());
    }
}

#[test]
fn promotion_prunes_the_refs_of_the_promoted_stem_only() {
    let fixture = Fixture::new();
    let first = turn("a", 1).put("note/p", "p", &[]).put("note/q", "q", &[]);
    fixture
        .promote(
            &first
                .put("note/x", "x", &["p", "q"])
                .put("note/y", "y", &["p"]),
        )
        .unwrap();
    fixture
        .promote(&turn("a", 2).put("note/x", "x", &["q"]))
        .unwrap();
    let snapshot = fixture.store.snapshot().unwrap();
    let stems = |id: &str| -> Vec<String> {
        snapshot
            .sources(id)
            .unwrap()
            .iter()
            .map(|source| source.stem.to_string())
            .collect()
    };
    assert_eq!(stems("p"), ["note/y"]);
    assert_eq!(stems("q"), ["note/x"]);
    fixture.check_whole();
}

#[test]
fn collisions_are_kept_and_sorted() {
    let fixture = Fixture::new();
    let first = turn("a", 1).put("note/p", "p", &[]);
    fixture
        .promote(
            &first
                .put("note/z", "z", &["p"])
                .put("note/b", "b", &["p", "p"]),
        )
        .unwrap();
    let sources = fixture.store.snapshot().unwrap().sources("p").unwrap();
    let places: Vec<String> = sources
        .iter()
        .map(|source| format!("{} {}", source.stem, source.location))
        .collect();
    assert_eq!(
        places,
        [
            "note/b /links/about/0",
            "note/b /links/about/1",
            "note/z /links/about/0"
        ]
    );
}

#[test]
fn law_6_deletion_prunes_refs_and_keeps_objects() {
    let fixture = Fixture::new();
    fixture
        .promote(
            &turn("a", 1)
                .put("note/p", "p", &[])
                .put("note/x", "x", &["p"]),
        )
        .unwrap();
    let record = fixture
        .store
        .snapshot()
        .unwrap()
        .triplet(&stem("note/x"))
        .unwrap()
        .unwrap();
    fixture.promote(&turn("a", 2).delete("note/x")).unwrap();
    let snapshot = fixture.store.snapshot().unwrap();
    assert_eq!(snapshot.triplet(&stem("note/x")).unwrap(), None);
    assert_eq!(snapshot.definition("x").unwrap(), None);
    assert!(snapshot.sources("p").unwrap().is_empty());
    assert!(snapshot.object(&record.body_digest).unwrap().is_some());
    fixture.check_whole();
}

#[test]
fn a_noop_promotion_leaves_the_state_digest() {
    let fixture = Fixture::new();
    assert_eq!(fixture.store.head().unwrap(), Head::empty());
    let first = fixture
        .promote(&turn("a", 1).put("note/x", "x", &[]))
        .unwrap();
    let empty = fixture.promote(&turn("a", 2)).unwrap();
    let same = fixture
        .promote(&turn("a", 3).put("note/x", "x", &[]))
        .unwrap();
    assert_eq!((empty.generation, same.generation), (2, 3));
    assert_eq!(empty.state_digest, first.state_digest);
    assert_eq!(same.state_digest, first.state_digest);
}

#[test]
fn two_runs_that_did_the_same_reach_the_same_digest() {
    let one = Fixture::new();
    one.promote(
        &turn("a", 1)
            .put("note/x", "x", &[])
            .put("note/y", "y", &["x"]),
    )
    .unwrap();
    let other = Fixture::new();
    other
        .promote(
            &turn("b", 1)
                .put("note/x", "old", &[])
                .put("note/z", "z", &["x"]),
        )
        .unwrap();
    other.promote(&turn("a", 1).delete("note/z")).unwrap();
    other
        .promote(
            &turn("b", 2)
                .put("note/x", "x", &[])
                .put("note/y", "y", &["x"]),
        )
        .unwrap();
    let (one, other) = (one.store.head().unwrap(), other.store.head().unwrap());
    assert_eq!(one.state_digest, other.state_digest);
    assert_ne!(one.chain_digest, other.chain_digest);
}

#[test]
fn the_state_digest_of_a_small_state_is_pinned() {
    let fixture = Fixture::new();
    assert_eq!(
        Head::empty().state_digest,
        Digest::of_bytes(
            format!("[\"{0}\",\"{0}\"]", Digest::of_bytes(br#"{"entries":[]}"#)).as_bytes()
        )
    );
    let promoted = fixture
        .promote(
            &turn("a", 1)
                .put("note/x", "x", &[])
                .put("note/y", "y", &["x"]),
        )
        .unwrap();
    assert_eq!(promoted.state_digest.to_hex(), STATE_DIGEST);
}

/// Computed by a program that shares no code with this one, from the definitions in docs/kernel/lsi-tables.md.
const STATE_DIGEST: &str = "6224b40423aee262f1470daa64a811c8551f6a610eeb40a412659c09ba505e0b";

#[test]
fn a_stale_plan_is_a_conflict_and_changes_nothing() {
    let fixture = Fixture::new();
    fixture
        .promote(&turn("a", 1).put("note/p", "p", &[]))
        .unwrap();
    let stale = [
        (
            turn("b", 1).put("note/x", "x", &["p"]),
            "note/x references p, which nothing would define",
        ),
        (
            turn("b", 1).delete("note/p"),
            "note/p, which it deletes, is not there",
        ),
        (
            turn("b", 1).put("other/q", "q", &[]),
            "note/q defines q, which other/q also defines",
        ),
    ]
    .map(|(turn, reason)| (fixture.plan(&turn), reason));
    let referred = fixture.plan(&turn("b", 1).delete("note/q"));
    fixture
        .promote(&turn("a", 2).delete("note/p").put("note/q", "q", &[]))
        .unwrap();
    let head = fixture.store.head().unwrap();
    for (plan, expected) in &stale {
        match fixture.promote_plan(plan).unwrap_err() {
            StoreError::Conflict { reason, .. } => assert_eq!(&reason, expected),
            other => panic!("{other}"),
        }
    }
    assert_eq!(fixture.store.head().unwrap(), head);
    fixture
        .promote(&turn("a", 3).put("note/r", "r", &["q"]))
        .unwrap();
    let error = fixture.promote_plan(&referred).unwrap_err();
    assert_eq!(error.code(), Some(Code::LsiPromotionFailed));
    assert!(
        error
            .to_string()
            .ends_with("note/r references q, which nothing would define"),
        "{error}"
    );
    fixture.check_whole();
}

#[test]
fn an_id_moves_from_one_stem_to_another_in_one_turn() {
    let fixture = Fixture::new();
    fixture
        .promote(
            &turn("a", 1)
                .put("note/p", "p", &[])
                .put("note/x", "x", &["p"]),
        )
        .unwrap();
    fixture
        .promote(&turn("a", 2).delete("note/p").put("moved/p", "p", &[]))
        .unwrap();
    let snapshot = fixture.store.snapshot().unwrap();
    assert_eq!(snapshot.definition("p").unwrap(), Some(stem("moved/p")));
    fixture.check_whole();
}

#[test]
fn a_plan_that_contradicts_itself_is_refused() {
    let fixture = Fixture::new();
    let whole = fixture.plan(
        &turn("a", 1)
            .put("note/x", "x", &[])
            .put("note/y", "y", &["x"]),
    );
    let mut unpruned = whole.clone();
    unpruned.prune.pop();
    let mut false_object = whole.clone();
    *false_object.objects.values_mut().next().unwrap() = b"other".to_vec().into();
    let mut missing_object = whole.clone();
    missing_object.objects.pop_first();
    let mut foreign_reference = whole.clone();
    foreign_reference.insert[0].1.stem = stem("note/z");
    let mut twice = whole.clone();
    twice.put.push(twice.put[0].clone());
    for plan in [
        unpruned,
        false_object,
        missing_object,
        foreign_reference,
        twice,
    ] {
        let error = fixture.promote_plan(&plan).unwrap_err();
        assert!(matches!(error, StoreError::InvalidPlan { .. }), "{error}");
    }
    assert_eq!(fixture.store.head().unwrap().generation, 0);
    fixture.promote_plan(&whole).unwrap();
}

#[test]
fn stems_are_listed_by_prefix() {
    let fixture = Fixture::new();
    let first = turn("a", 1).put("note/b", "b", &[]).put("note/a", "a", &[]);
    fixture
        .promote(&first.put("notes/c", "c", &[]).put("note/é", "e", &[]))
        .unwrap();
    let snapshot = fixture.store.snapshot().unwrap();
    let listed = |prefix: &str| -> Vec<String> {
        snapshot
            .stems(prefix)
            .unwrap()
            .iter()
            .map(ToString::to_string)
            .collect()
    };
    assert_eq!(listed("note/"), ["note/a", "note/b", "note/é"]);
    assert_eq!(listed("").len(), 4);
    assert!(listed("note/%").is_empty());
}

#[test]
fn long_objects_lie_beside_the_database() {
    let fixture = Fixture::new();
    let text = "x".repeat(1024 * 1024 + 1);
    fixture
        .promote(&turn("a", 1).put("note/long", &text, &[]))
        .unwrap();
    let snapshot = fixture.store.snapshot().unwrap();
    let TripletRecord { body_digest, .. } = snapshot.triplet(&stem("note/long")).unwrap().unwrap();
    let name = body_digest.to_hex();
    let blob = fixture
        .home()
        .join("durable/blobs")
        .join(&name[..2])
        .join(&name);
    assert_eq!(
        std::fs::read(&blob).unwrap(),
        snapshot.object(&body_digest).unwrap().unwrap()
    );
    std::fs::write(&blob, "x").unwrap();
    assert!(snapshot.object(&body_digest).is_err());
    std::fs::remove_file(&blob).unwrap();
    assert!(snapshot.object(&body_digest).is_err());
}

/// What becomes of a stem: a body and the ids it references, or nothing.
type RandomChange = (u8, Option<(u8, Vec<u8>)>);

/// Names few enough that random turns meet again and again.
fn random_turn() -> impl Strategy<Value = Vec<RandomChange>> {
    let put = (0_u8..3, proptest::collection::vec(0_u8..24, 0..3));
    proptest::collection::vec((0_u8..24, proptest::option::weighted(0.7, put)), 0..20)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn every_history_keeps_rows_nodes_and_chain_together(turns in proptest::collection::vec(random_turn(), 1..6)) {
        let fixture = Fixture::new();
        let mut number = 1;
        for changes in turns {
            let mut text: TurnText = turn("a", number);
            for (name, put) in changes.into_iter().collect::<std::collections::BTreeMap<_, _>>() {
                let name = format!("note/{name}");
                text = match put {
                    Some((body, references)) => {
                        let references: Vec<String> = references.iter().map(u8::to_string).collect();
                        let references: Vec<&str> = references.iter().map(String::as_str).collect();
                        text.put(&name, &body.to_string(), &references)
                    }
                    None => text.delete(&name),
                };
            }
            let before = fixture.store.head().unwrap();
            match fixture.promote(&text) {
                Ok(promoted) => {
                    prop_assert_eq!(promoted.generation, number);
                    number += 1;
                }
                // Random turns name what is not there; the store must refuse them whole.
                Err(StoreError::Conflict { .. }) => prop_assert_eq!(fixture.store.head().unwrap(), before),
                Err(other) => panic!("{other}"),
            }
            fixture.check_whole();
        }
    }
}
