//! What a worked epic leaves: a program that works, turns that replay, refusals on record, artefacts for people.

use std::ffi::OsStr;

use orket_testkit::{CliEnvironment, Tree};
use serde_json::Value;

use crate::sample::{TURNS, show, worked};

const OBSERVABILITY: &str = "workspace/default/observability";

#[test]
fn the_produced_program_works() {
    let environment = worked();
    for (hour, phase) in [
        ("5", "first light\n"),
        ("12", "day\n"),
        ("20", "dusk\n"),
        ("0", "night\n"),
    ] {
        let command =
            environment.command_of(OsStr::new("sh"), &["agent_output/first_light.sh", hour]);
        let output = environment.run_command(command);
        output.assert_code(0);
        assert_eq!(output.stdout, phase);
    }
    // By its name too: the file is executable.
    let program = environment.path("agent_output/first_light.sh");
    let output = environment.run_command(environment.command_of(program.as_os_str(), &["5"]));
    output.assert_code(0);
    assert_eq!(output.stdout, "first light\n");
}

#[test]
fn every_turn_replays_to_the_same_structural_digest() {
    let environment = worked();
    let shown = show(&environment, "first_light-1");
    let turns = shown["turns"].as_array().unwrap();
    assert_eq!(turns.len(), TURNS);
    for turn in turns {
        let name = turn["name"].as_str().unwrap();
        let output = environment.run(&["replay-turn", name]);
        output.assert_code(0);
        assert!(
            output
                .stdout
                .ends_with("the structural digest is the same\n"),
            "{output}"
        );
        let replay = environment.run(&["replay-turn", name, "--json"]);
        let replay: Value = serde_json::from_str(&replay.assert_code(0).stdout).unwrap();
        assert_eq!(replay["same"], true);
        assert_eq!(replay["divergences"], serde_json::json!([]));
        assert_eq!(replay["replayed_digest"], turn["result_digest"], "{name}");
        assert_eq!(replay["recorded_digest"], turn["result_digest"], "{name}");
    }
}

#[test]
fn a_replay_needs_neither_assets_nor_recordings_nor_projections() {
    let environment = worked();
    let arguments = ["replay-turn", "first_light-1:FL-2:9"];
    let expected = environment.run(&arguments);
    expected.assert_code(0);
    for part in [
        "model",
        "cassettes",
        "verification",
        "agent_output",
        "workspace",
        ".orket/index",
    ] {
        std::fs::remove_dir_all(environment.path(part)).unwrap();
    }
    assert_eq!(
        environment.run(&arguments).to_string(),
        expected.to_string()
    );
}

/// Returns the record of an attempt; `turn` is `CARD/TURN_ROLE`.
fn record(environment: &CliEnvironment, turn: &str, attempt: u64) -> Value {
    let path = format!("{OBSERVABILITY}/first_light-1/{turn}/attempt-{attempt}/turn_record.json");
    serde_json::from_str(&environment.read(&path)).unwrap()
}

#[test]
fn a_write_outside_agent_output_is_refused_and_on_record() {
    let environment = worked();
    let attempt = record(&environment, "FL-2/006_coder", 1);
    assert_eq!(
        attempt["refusals"],
        serde_json::json!([
            "verification/phase.sh cannot be written: agents write below agent_output/ only"
        ])
    );
    assert_eq!(codes(&attempt), ["E_CAPABILITY_DENIED"]);
    assert_eq!(attempt["result"]["outcome"], "FAIL");
    // Nothing of the refused answer was done, its good calls included: it was tried again.
    assert_eq!(
        record(&environment, "FL-2/006_coder", 2)["refusals"],
        serde_json::json!([])
    );
    let fixture =
        std::fs::read(crate::sample::fixtures().join("first_light/verification/phase.sh"));
    assert_eq!(
        std::fs::read(environment.path("verification/phase.sh")).unwrap(),
        fixture.unwrap()
    );
}

#[test]
fn a_status_jump_is_refused_and_on_record() {
    let environment = worked();
    let attempt = record(&environment, "FL-3/011_coder", 1);
    assert_eq!(
        attempt["refusals"],
        serde_json::json!([
            "FL-4: a card cannot go from ready to done; from ready it can go to in_progress"
        ])
    );
    assert_eq!(codes(&attempt), ["E_CAPABILITY_DENIED"]);
    assert_eq!(attempt["result"]["outcome"], "FAIL");
    assert_eq!(
        record(&environment, "FL-3/011_coder", 2)["refusals"],
        serde_json::json!([])
    );
}

#[test]
fn prose_without_a_call_is_corrected_within_the_attempt() {
    let environment = worked();
    let attempt = record(&environment, "FL-1/002_architect", 1);
    assert_eq!(attempt["refusals"], serde_json::json!([]));
    assert_eq!(attempt["exchanges"].as_array().unwrap().len(), 2);
    let path = format!("{OBSERVABILITY}/first_light-1/FL-1/002_architect/attempt-1/");
    let first: Value =
        serde_json::from_str(&environment.read(&format!("{path}answer-1.json"))).unwrap();
    assert!(
        first["content"]
            .as_str()
            .unwrap()
            .contains("Shall I write this down?"),
        "{first}"
    );
    assert_eq!(first["tool_calls"], serde_json::json!([]));
    // The corrective says to the model what was wrong with its answer.
    let second = environment.read(&format!("{path}request-2.json"));
    assert!(second.contains("the answer holds no tool call"), "{second}");
}

/// The codes of the issues of a record, sorted, each once.
fn codes(record: &Value) -> Vec<String> {
    let issues = record["result"]["issues"].as_array().unwrap();
    let codes: std::collections::BTreeSet<&str> = issues
        .iter()
        .map(|issue| issue["code"].as_str().unwrap())
        .collect();
    codes.into_iter().map(str::to_owned).collect()
}

#[test]
fn what_was_said_lies_where_it_is_promised() {
    let environment = worked();
    let tree = Tree::read(&environment.path(&format!("{OBSERVABILITY}/first_light-1")));
    let shown = show(&environment, "first_light-1");
    let mut expected = Vec::new();
    for turn in shown["turns"].as_array().unwrap() {
        let fact = |key: &str| turn[key].as_str().unwrap();
        let index: u64 = fact("turn").trim_start_matches("turn-").parse().unwrap();
        let directory = format!("{}/{index:03}_{}", fact("issue_id"), fact("role"));
        let checkpoint: Value =
            serde_json::from_slice(tree.bytes(&format!("{directory}/checkpoint.json")).unwrap())
                .unwrap();
        assert_eq!(checkpoint["promoted"], true, "{directory}");
        assert_eq!(checkpoint["turn_index"], index);
        assert_eq!(checkpoint["issue_id"], turn["issue_id"]);
        assert_eq!(checkpoint["attempt"], turn["attempt"]);
        assert_eq!(checkpoint["result_digest"], turn["result_digest"]);
        expected.push(format!("{directory}/checkpoint.json"));
        for attempt in 1..=turn["attempt"].as_u64().unwrap() {
            let place = format!("{directory}/attempt-{attempt}");
            let record: Value =
                serde_json::from_slice(tree.bytes(&format!("{place}/turn_record.json")).unwrap())
                    .unwrap();
            assert_eq!(record["attempt"], attempt);
            expected.push(format!("{place}/turn_record.json"));
            for exchange in 1..=record["exchanges"].as_array().unwrap().len() {
                expected.push(format!("{place}/request-{exchange}.json"));
                expected.push(format!("{place}/answer-{exchange}.json"));
            }
        }
    }
    expected.sort();
    let mut found = tree.files();
    found.sort_unstable();
    assert_eq!(found, expected);
}

#[test]
fn every_line_of_the_event_stream_belongs_to_a_run_and_is_numbered() {
    let environment = worked();
    let lines = environment.read("workspace/default/orket.log");
    assert!(lines.ends_with('\n'));
    for (line, seq) in lines.lines().zip(1..) {
        let line: Value = serde_json::from_str(line).unwrap();
        assert_eq!(line["run_id"], "first_light-1");
        assert_eq!(line["seq"], seq);
    }
    // Each of 22 turns and 2 refused attempts tells what became of it and that its step ended; then the run ends.
    assert_eq!(lines.lines().count(), 2 * (TURNS + 2) + 1);
}

/// A bug: opening the project wrote the newest refused attempt over the checkpoint of the turn that was promoted after it.
#[test]
fn opening_the_project_again_changes_no_artefact() {
    let environment = worked();
    let before = Tree::read(&environment.path("workspace"));
    environment
        .run(&["run", "--epic", "first_light"])
        .assert_code(0);
    let none: [String; 0] = [];
    assert_eq!(
        before.differences(&Tree::read(&environment.path("workspace"))),
        none
    );
}
