//! The staging area.

use std::fs;

use orket_kernel::{Code, TurnId};
use orket_lsi::{StoreError, token};

use crate::fixture::{Fixture, run_id, tree, turn};

fn turn_id(number: u64) -> TurnId {
    TurnId::new(number).unwrap()
}

#[test]
fn a_staged_turn_reads_back_as_it_was() {
    let fixture = Fixture::new();
    let staging = fixture.store.staging();
    let staged = turn("a", 1)
        .put("note/p", "p", &[])
        .put("note/X", "x", &["p", "p"])
        .delete("note/q")
        .staged();
    assert_eq!(
        staging.staged_turn(&staged.run_id, staged.turn_id).unwrap(),
        None
    );
    staging.stage_turn(&staged).unwrap();
    assert_eq!(
        staging.staged_turn(&staged.run_id, staged.turn_id).unwrap(),
        Some(staged.clone())
    );
    let other = turn("a", 1).put("note/p", "other", &[]).staged();
    staging.stage_turn(&other).unwrap();
    assert_eq!(
        staging.staged_turn(&staged.run_id, staged.turn_id).unwrap(),
        Some(other)
    );
    assert_eq!(fixture.store.head().unwrap().generation, 0);
}

#[test]
fn it_lies_in_the_layout_of_the_committed_index() {
    let fixture = Fixture::new();
    let staged = turn("A-1", 12)
        .put("note/p", "p", &["p"])
        .delete("note/q")
        .staged();
    fixture.store.staging().stage_turn(&staged).unwrap();
    let files = tree(
        &fixture
            .home()
            .join("index/staging")
            .join(token("A-1"))
            .join("turn-0012"),
    );
    let mut kinds: Vec<String> = files
        .keys()
        .map(|path| {
            path.components()
                .next()
                .unwrap()
                .as_os_str()
                .to_string_lossy()
                .into_owned()
        })
        .collect();
    kinds.dedup();
    assert_eq!(kinds, ["deletions.json", "objects", "refs", "triplets"]);
    assert_eq!(
        files[std::path::Path::new("deletions.json")],
        br#"{"lsi_version":"lsi/v1","stems":["note/q"]}"#
    );
}

#[test]
fn evidence_lies_beside_and_outlives_restaging() {
    let fixture = Fixture::new();
    let staging = fixture.store.staging();
    let run = run_id("a");
    let name = "attempt-1/exchange-1.json";
    assert_eq!(staging.read(&run, turn_id(1), name).unwrap(), None);
    staging.write(&run, turn_id(1), name, b"one").unwrap();
    staging.write(&run, turn_id(1), name, b"two").unwrap();
    staging
        .stage_turn(&turn("a", 1).put("note/p", "p", &[]).staged())
        .unwrap();
    assert_eq!(
        staging.read(&run, turn_id(1), name).unwrap().unwrap(),
        b"two"
    );
    assert_eq!(staging.read(&run, turn_id(2), name).unwrap(), None);
}

#[test]
fn turns_are_listed_and_discarded() {
    let fixture = Fixture::new();
    let staging = fixture.store.staging();
    let run = run_id("a");
    for number in [10, 2, 12345] {
        staging.write(&run, turn_id(number), "note", b"x").unwrap();
    }
    fs::create_dir(fixture.home().join("index/staging/a/stranger")).unwrap();
    fs::create_dir(fixture.home().join("index/staging/a/7")).unwrap();
    assert_eq!(
        staging.turns(&run).unwrap(),
        [turn_id(2), turn_id(10), turn_id(12345)]
    );
    staging.discard(&run, turn_id(10)).unwrap();
    staging.discard(&run, turn_id(11)).unwrap();
    assert_eq!(staging.turns(&run).unwrap(), [turn_id(2), turn_id(12345)]);
    assert!(staging.turns(&run_id("b")).unwrap().is_empty());
}

#[test]
fn paths_cannot_leave_the_turn() {
    let fixture = Fixture::new();
    let staging = fixture.store.staging();
    for path in [
        "",
        ".",
        "..",
        "/x",
        "x/",
        "a//b",
        "a/../b",
        "../x",
        "a\\b",
        "a\0",
        "é",
        ".hidden",
        "-x",
        "deletions.json",
        "objects/x",
        "triplets",
        "refs/x",
    ] {
        let error = staging
            .write(&run_id("a"), turn_id(1), path, b"x")
            .unwrap_err();
        assert!(
            matches!(error, StoreError::InvalidPath { .. }),
            "{path:?}: {error}"
        );
    }
    assert!(!fixture.home().join("index").exists());
}

#[test]
fn a_turn_that_is_not_whole_does_not_count_and_a_damaged_one_is_told() {
    let fixture = Fixture::new();
    let staging = fixture.store.staging();
    let staged = turn("a", 1)
        .put("note/p", "p", &[])
        .put("note/x", "x", &["p"])
        .staged();
    staging.stage_turn(&staged).unwrap();
    let directory = fixture.home().join("index/staging/a/turn-0001");
    for (name, bytes) in tree(&directory) {
        let path = directory.join(&name);
        fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
        let error = staging
            .staged_turn(&staged.run_id, staged.turn_id)
            .unwrap_err();
        assert_eq!(
            error.code(),
            Some(Code::LsiCorruptRecord),
            "{}: {error}",
            name.display()
        );
        fs::write(&path, &bytes).unwrap();
    }
    fs::remove_file(directory.join("deletions.json")).unwrap();
    assert_eq!(
        staging.staged_turn(&staged.run_id, staged.turn_id).unwrap(),
        None
    );
}
