//! `orket doctor`: what is well, what is worth knowing and what is wrong. What this machine can do differs, so it is not pinned.

use std::collections::BTreeMap;

use orket_testkit::CliEnvironment;
use serde_json::Value;

use crate::sample::{sample, worked};

/// Standing and text by subject, and the exit code.
fn findings(environment: &CliEnvironment) -> (BTreeMap<String, (String, String)>, i32) {
    let output = environment.run(&["doctor", "--json"]);
    let found: Vec<Value> = serde_json::from_str(&output.stdout).unwrap();
    let by_subject = found.iter().map(|finding| {
        let text = |key: &str| finding[key].as_str().unwrap().to_owned();
        assert_eq!(
            text("standing") == "ok",
            text("remedy").is_empty(),
            "whatever is not well comes with a remedy: {finding}"
        );
        (text("subject"), (text("standing"), text("found")))
    });
    (by_subject.collect(), output.code.unwrap())
}

#[test]
fn a_project_that_was_worked_is_well() {
    let environment = worked();
    let (found, code) = findings(&environment);
    assert_eq!(code, 0, "{found:?}");
    for subject in ["project", "database", "permissions", "disk", "clock"] {
        assert_eq!(found[subject].0, "ok", "{subject}: {found:?}");
    }
    assert!(found["database"].1.contains("all whole"), "{found:?}");
    // No server runs here, which is worth knowing and no fault.
    let (standing, told) = &found["venue ollama"];
    assert_eq!(standing, "warning");
    assert!(
        told.contains("[E_MODEL_UNREACHABLE]") || told.contains("stronger sandbox"),
        "{told}"
    );
    assert!(
        found.contains_key("sandbox") && found.contains_key("venue recorded"),
        "{found:?}"
    );
    let shown = environment.run(&["doctor"]).stdout;
    assert!(shown.starts_with("ok       project"), "{shown}");
}

#[test]
fn a_damaged_database_is_a_fault_with_what_to_do() {
    let environment = worked();
    let database = environment.path(".orket/durable/db/orket_persistence.db");
    let connection = rusqlite::Connection::open(&database).unwrap();
    let sql = "UPDATE promotions SET digest = zeroblob(32) WHERE generation = 3";
    assert_eq!(connection.execute(sql, []).unwrap(), 1);
    drop(connection);
    let (found, code) = findings(&environment);
    assert_eq!(code, 1);
    assert_eq!(found["database"].0, "fault", "{found:?}");
}

#[test]
fn settings_that_are_not_valid_are_a_fault_and_the_sandbox_is_shown_all_the_same() {
    let environment = sample();
    environment.write("orket.toml", "[retention]\ngenerationz = 3\n");
    let (found, code) = findings(&environment);
    assert_eq!(code, 1);
    let (standing, told) = &found["project"];
    assert_eq!(standing, "fault");
    assert!(told.contains("generationz"), "{told}");
    assert!(found.contains_key("sandbox"));
}
