//! Kernel decision 12: the structural digest says what happened, not who asked and not in which words.

use std::collections::BTreeSet;

use orket_kernel::canonical::{self, Value};
use orket_kernel::{
    Code, EmptyView, Level, Outcome, Pointer, Stage, TurnId, TurnResult, compare_results,
    execute_turn, object,
};

use crate::world::{card, envelope, execute, turn};

fn result() -> TurnResult {
    let mut input = turn(4, vec![card("A", &["Y", "Z"], "t")], &[]);
    input.triplets[0].manifest = object! {};
    let result = execute(&input, &EmptyView).result;
    assert_eq!(result.issues.len(), 3);
    result
}

type Flip = (&'static str, fn(&mut TurnResult));

#[test]
fn the_structural_digest_leaves_out_run_message_and_events_alone() {
    let narrative: [Flip; 4] = [
        ("run_id", |it| it.run_id = "another".into()),
        ("message", |it| {
            it.issues[1].message = "in other words".into()
        }),
        ("events", |it| it.events[0].push('!')),
        ("events", |it| it.events.clear()),
    ];
    let original = result();
    for (field, flip) in narrative {
        let mut flipped = original.clone();
        flip(&mut flipped);
        assert_ne!(flipped, original, "{field} was not flipped");
        assert_eq!(
            flipped.structural_digest(),
            original.structural_digest(),
            "{field}"
        );
        assert!(compare_results(&original, &flipped).is_empty(), "{field}");
    }
}

fn evidence(result: &mut TurnResult, key: &str, value: Option<Value>) {
    let mut members = result.transition_evidence.as_object().unwrap().clone();
    match value {
        Some(value) => members.insert(key.into(), value),
        None => members.remove(key),
    };
    result.transition_evidence = Value::Object(members);
}

#[test]
fn the_structural_digest_changes_with_every_other_field() {
    let structural: [Flip; 18] = [
        ("contract_version", |it| {
            it.contract_version = "kernel_api/v2".into()
        }),
        ("turn_id", |it| it.turn_id = TurnId::new(5).unwrap()),
        ("outcome", |it| it.outcome = Outcome::Pass),
        ("stage", |it| it.stage = Stage::Policy),
        ("issues/level", |it| it.issues[0].level = Level::Info),
        ("issues/stage", |it| it.issues[0].stage = Stage::RelVocab),
        ("issues/code", |it| {
            it.issues[0].code = Code::DtoLinksInvalid
        }),
        ("issues/location", |it| {
            it.issues[0].location = Pointer::root()
        }),
        ("issues/details", |it| it.issues[0].details = object! {}),
        ("issues, one fewer", |it| it.issues.truncate(2)),
        ("issues, one more", |it| {
            it.issues.push(it.issues[0].clone())
        }),
        ("issues, other order", |it| it.issues.swap(0, 1)),
        ("evidence/inputs_digest", |it| {
            evidence(it, "inputs_digest", Some("0".into()))
        }),
        ("evidence/reads_digest", |it| {
            evidence(it, "reads_digest", Some("0".into()))
        }),
        ("evidence/writes_digest", |it| {
            evidence(it, "writes_digest", None)
        }),
        ("evidence/changes", |it| {
            evidence(
                it,
                "changes",
                Some(vec![object! { "stem" => "card/A" }].into()),
            )
        }),
        ("evidence, one more", |it| {
            evidence(it, "time", Some("2026".into()))
        }),
        ("evidence", |it| it.transition_evidence = Value::Null),
    ];
    let original = result();
    let mut digests = BTreeSet::from([original.structural_digest()]);
    for (field, flip) in structural {
        let mut flipped = original.clone();
        flip(&mut flipped);
        assert!(
            digests.insert(flipped.structural_digest()),
            "{field} is not covered"
        );
        let divergences = compare_results(&original, &flipped);
        assert!(
            !divergences.is_empty(),
            "{field}: the comparison sees nothing"
        );
        assert!(divergences.iter().all(|it| it.turn_id == original.turn_id));
    }
}

#[test]
fn the_fields_are_nulled_and_not_removed() {
    let original = result();
    let mut value = canonical::to_value(&original).unwrap();
    let Value::Object(members) = &mut value else {
        panic!()
    };
    members.insert("run_id".into(), Value::Null);
    members.insert("events".into(), Value::Null);
    let Some(Value::Array(issues)) = members.get_mut("issues") else {
        panic!()
    };
    for issue in issues {
        let Value::Object(issue) = issue else {
            panic!()
        };
        issue.insert("message".into(), Value::Null);
    }
    assert_eq!(canonical::digest(&value), original.structural_digest());
}

#[test]
fn another_run_that_does_the_same_has_the_same_structural_digest() {
    let input = turn(1, vec![card("A", &[], "t")], &[]);
    let of_run = |run: &str| {
        let envelope = envelope(run);
        execute_turn(&envelope, &envelope.handle().unwrap(), &input, &EmptyView).result
    };
    let (one, two) = (of_run("one"), of_run("two"));
    assert_ne!(one.run_id, two.run_id);
    assert_eq!(one.structural_digest(), two.structural_digest());
}
