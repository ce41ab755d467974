//! The same epic through other venues and under other names is worth the same.

use orket_model_double::Script;
use orket_testkit::CliEnvironment;

use crate::sample::{Facts, TURNS, assert_same, exchanges, facts, sample, script, serve, worked};

const OLLAMA: [&str; 5] = ["run", "--epic", "first_light", "--venue", "ollama"];

/// Returns the facts of the recorded run.
fn recorded() -> Facts {
    facts(&worked(), "first_light-1")
}

/// Returns a project for the venue of a real model, which demands a sandbox. Where the machine has none, the protocol
/// can be tested all the same: the artefacts are pinned.
fn ready_for_a_server() -> CliEnvironment {
    let environment = sample();
    if tier().starts_with("none") {
        eprintln!("this machine has no sandbox: the venue ollama is changed to accept that");
        environment.replace("model/venues/ollama.json", "\"partial\"", "\"none\"");
    }
    environment
}

/// Returns how much of a sandbox this machine has, as the first event of a run tells.
fn tier() -> String {
    let output = sample().run(&["run", "--epic", "first_light", "--json"]);
    output.assert_code(0);
    let first = output.stdout.lines().next().unwrap();
    let first: serde_json::Value = serde_json::from_str(first).unwrap();
    first["data"]["sandbox_tier"].as_str().unwrap().to_owned()
}

#[test]
fn a_server_that_speaks_the_protocol_gives_the_digests_of_the_recordings() {
    let recorded = recorded();
    assert_eq!(recorded.turns.len(), TURNS);
    let mut environment = ready_for_a_server();
    let double = serve(&mut environment, script());
    environment.run(&OLLAMA).assert_code(0);
    assert_same(&recorded, &facts(&environment, "first_light-1"));
    // The client streamed over real HTTP, and asked for each answer once.
    let requests = double.requests();
    let chats: Vec<_> = requests
        .iter()
        .filter(|request| request.path == "/api/chat")
        .collect();
    assert_eq!(chats.len(), 24);
    assert!(
        chats
            .iter()
            .all(|chat| chat.json.as_ref().unwrap()["stream"] == true)
    );
}

#[test]
fn the_recordings_served_over_http_by_their_requests_give_the_same() {
    let recorded = recorded();
    let mut environment = ready_for_a_server();
    let _double = serve(&mut environment, Script::Exchanges(exchanges()));
    environment.run(&OLLAMA).assert_code(0);
    assert_same(&recorded, &facts(&environment, "first_light-1"));
}

#[test]
fn the_name_of_a_run_changes_nothing_of_its_worth() {
    let [one, two] = ["one", "another.name-2"].map(|run| {
        let environment = sample();
        environment
            .run(&["run", "--epic", "first_light", "--run-id", run])
            .assert_code(0);
        let facts = facts(&environment, run);
        assert_eq!(facts.turns.len(), TURNS);
        for part in ["objects/", "triplets/", "refs/by_id/"] {
            assert!(
                facts.view.files().iter().any(|file| file.starts_with(part)),
                "{part}"
            );
        }
        facts
    });
    assert_same(&one, &two);
}

#[test]
fn a_rock_works_its_epics() {
    let environment = sample();
    environment
        .run(&["run", "--rock", "morning", "--run-id", "dawn"])
        .assert_code(0);
    assert_same(&recorded(), &facts(&environment, "dawn.first_light"));
}

/// The comparison can fail: another remark is another turn and another state.
#[test]
fn another_answer_gives_other_digests_from_there_on() {
    let recorded = recorded();
    let Script::Sequence(mut answers) = script() else {
        panic!("the script of the sample is a sequence");
    };
    let comment = &mut answers[3].tool_calls[0].arguments["comment"];
    assert!(comment.is_string());
    *comment = "Another remark.".into();
    let mut environment = ready_for_a_server();
    let _double = serve(&mut environment, Script::Sequence(answers));
    environment.run(&OLLAMA).assert_code(0);
    let found = facts(&environment, "first_light-1");
    assert_eq!(recorded.turns[..3], found.turns[..3]);
    assert!(
        recorded.turns[3..]
            .iter()
            .zip(&found.turns[3..])
            .all(|(one, two)| one != two)
    );
    assert_ne!(recorded.state_digest, found.state_digest);
    assert_ne!(recorded.view, found.view);
    // What became of the work is the same all the same.
    assert_eq!(recorded.output, found.output);
}
