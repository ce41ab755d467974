//! The sample project, and what is compared between runs of it.

use std::path::{Path, PathBuf};

use orket_model_double::{Exchange, ModelDouble, Script};
use orket_testkit::{CliEnvironment, Tree};
use serde_json::Value;

/// How many turns the sample epic takes, the loading of its cards included.
pub(crate) const TURNS: usize = 22;

/// Below the project, where the browsable view lies.
pub(crate) const VIEW: &str = ".orket/index/committed";

pub(crate) fn program() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_orket"))
}

pub(crate) fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures")
}

/// Makes an environment with a fresh copy of the sample project.
pub(crate) fn sample() -> CliEnvironment {
    CliEnvironment::with_project(program(), &fixtures().join("first_light"))
}

/// Makes an environment in which the sample epic has been worked.
pub(crate) fn worked() -> CliEnvironment {
    let environment = sample();
    environment
        .run(&["run", "--epic", "first_light"])
        .assert_code(0);
    environment
}

/// Reads the answers that a model gives to the sample epic.
pub(crate) fn script() -> Script {
    let bytes = std::fs::read(fixtures().join("scripts/first_light.json")).unwrap();
    Script::from_json(&bytes).unwrap()
}

/// Starts a model server and tells the project where it is.
pub(crate) fn serve(environment: &mut CliEnvironment, script: Script) -> ModelDouble {
    let double = ModelDouble::start(script).unwrap();
    environment.set("ORKET_OLLAMA_URL", double.url());
    double
}

/// What must be the same after runs that are worth the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Facts {
    /// Card, turn, role, step and attempt of each turn, its structural digest and the state digest after it.
    pub(crate) turns: Vec<String>,
    pub(crate) state_digest: String,
    pub(crate) output: Tree,
    pub(crate) view: Tree,
}

/// Reads the facts of a run; `run` is its id.
pub(crate) fn facts(environment: &CliEnvironment, run: &str) -> Facts {
    let shown = show(environment, run);
    let turns = shown["turns"].as_array().unwrap().iter().map(|turn| {
        let fact = |key: &str| match &turn[key] {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        let keys = [
            "issue_id",
            "turn",
            "role",
            "step",
            "attempt",
            "result_digest",
            "state_digest",
        ];
        keys.map(fact).join(" ")
    });
    Facts {
        turns: turns.collect(),
        state_digest: shown["state_digest"].as_str().unwrap().to_owned(),
        output: Tree::read(&environment.path("agent_output")),
        view: Tree::read(&environment.path(VIEW)),
    }
}

/// Fails with what differs, and not with two whole indexes.
#[track_caller]
pub(crate) fn assert_same(expected: &Facts, found: &Facts) {
    assert_eq!(expected.turns, found.turns);
    assert_eq!(expected.state_digest, found.state_digest);
    let none: [String; 0] = [];
    assert_eq!(expected.output.differences(&found.output), none);
    assert_eq!(expected.view.differences(&found.view), none);
    assert_eq!(expected, found);
}

/// Returns what `orket show run --json` prints.
pub(crate) fn show(environment: &CliEnvironment, run: &str) -> Value {
    let output = environment.run(&["show", "run", run, "--json"]);
    output.assert_code(0);
    serde_json::from_str(&output.stdout).unwrap()
}

/// Returns the lines of the event stream that belong to a run.
pub(crate) fn log(environment: &CliEnvironment, run: &str) -> Vec<Value> {
    let text = environment.read("workspace/default/orket.log");
    assert!(text.ends_with('\n'), "the log ends in half a line: {text}");
    let lines = text.lines().map(|line| -> Value {
        serde_json::from_str(line).unwrap_or_else(|error| panic!("{error} in the line {line}"))
    });
    lines.filter(|line| line["run_id"] == run).collect()
}

/// Reads the recordings as exchanges that a server answers by their requests.
pub(crate) fn exchanges() -> Vec<Exchange> {
    let directory = fixtures().join("first_light/cassettes");
    let exchanges = directory.read_dir().unwrap().map(|entry| {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap();
        let mut cassette: Value = serde_json::from_slice(&bytes).unwrap();
        let lines = cassette["response"]["lines"].take();
        Exchange {
            request: cassette["request"].take(),
            status: u16::try_from(cassette["response"]["status"].as_u64().unwrap()).unwrap(),
            lines: serde_json::from_value(lines).unwrap(),
        }
    });
    exchanges.collect()
}
