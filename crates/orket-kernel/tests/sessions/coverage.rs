//! The sessions leave nothing out: no operation, no code, no stage.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use orket_kernel::canonical::{self, Value};
use orket_kernel::wire::Operation;
use orket_kernel::{Code, Stage};

use crate::session::{directory, load};

/// Collects the texts under `key`, at any depth.
fn collect(value: &Value, key: &str, texts: &mut BTreeSet<String>) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                match member.as_str() {
                    Some(text) if name == key => {
                        texts.insert(text.to_owned());
                    }
                    _ => collect(member, key, texts),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, key, texts)),
        _ => {}
    }
}

fn turns() -> impl Iterator<Item = Value> {
    let turns = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/turns");
    fs::read_dir(turns).unwrap().filter_map(|entry| {
        let bytes = fs::read(entry.unwrap().path().join("expect.json")).ok()?;
        Some(canonical::parse(&bytes).unwrap())
    })
}

#[test]
fn every_operation_passes_fails_and_is_asked_wrongly_somewhere() {
    let mut exits: BTreeMap<String, BTreeSet<u64>> = BTreeMap::new();
    for step in load().iter().flat_map(|session| &session.steps) {
        let of_operation = exits.entry(step.operation.clone()).or_default();
        of_operation.insert(step.exit);
    }
    for operation in Operation::ALL {
        let found = exits.remove(operation.as_str()).unwrap_or_default();
        // Writing an event asks nothing of the law: what can be read can be written.
        let expected: &[u64] = match operation {
            Operation::EmitEvent => &[0, 2],
            _ => &[0, 1, 2],
        };
        assert!(found.iter().eq(expected), "{operation} ends with {found:?}");
    }
    assert!(exits.is_empty(), "there is no operation {exits:?}");
}

#[test]
fn every_registered_code_is_expected_somewhere_in_sessions_or_turns() {
    let mut codes = BTreeSet::new();
    for step in load().iter().flat_map(|session| &session.steps) {
        collect(&step.answer, "code", &mut codes);
    }
    for expected in turns() {
        collect(&expected, "code", &mut codes);
    }
    let registered: BTreeSet<String> = Code::ALL.iter().map(ToString::to_string).collect();
    assert_eq!(codes, registered);
}

#[test]
fn every_stage_fails_a_turn_of_a_session_or_of_the_turns() {
    let mut stages = BTreeSet::new();
    for expected in turns() {
        collect(&expected, "stage", &mut stages);
    }
    let all: BTreeSet<String> = Stage::ALL.iter().map(ToString::to_string).collect();
    assert_eq!(stages, all);
}

#[test]
fn every_session_says_what_it_shows_in_a_sentence_of_its_own() {
    let sessions = load();
    let names: BTreeSet<&str> = sessions.iter().map(|it| it.name.as_str()).collect();
    assert_eq!(names.len(), sessions.len(), "two sessions have one name");
    for session in &sessions {
        assert!(session.name.ends_with('.'), "{}", session.slug);
        assert!(!session.steps.is_empty(), "{}", session.slug);
    }
    assert!(directory().join("README.md").is_file());
}
