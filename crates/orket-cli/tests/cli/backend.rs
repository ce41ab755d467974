//! The model backend fails: exit code 5, one line, and the run goes on when it works again.

use std::net::TcpListener;

use orket_model_double::{Model, ModelDouble, Settings};
use orket_testkit::CliEnvironment;

use crate::sample::{assert_same, facts, sample, script, serve, worked};

const OLLAMA: [&str; 5] = ["run", "--epic", "first_light", "--venue", "ollama"];

fn ready_for_a_server() -> CliEnvironment {
    let environment = sample();
    // What is tested here is not the sandbox.
    environment.replace("model/venues/ollama.json", "\"partial\"", "\"none\"");
    environment
}

/// Lets the same command work once more, with a good server, and checks that nothing was lost.
fn goes_on(mut environment: CliEnvironment) {
    let _double = serve(&mut environment, script());
    environment.run(&OLLAMA).assert_code(0);
    assert_same(
        &facts(&worked(), "first_light-1"),
        &facts(&environment, "first_light-1"),
    );
}

#[test]
fn a_server_that_is_not_there() {
    let mut environment = ready_for_a_server();
    // A port that was free a moment ago.
    let address = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    environment.set("ORKET_OLLAMA_URL", &format!("http://{address}"));
    let output = environment.run(&OLLAMA);
    let complaint = output.complaint(5);
    // What the system says stands between.
    for part in [
        &format!("orket: venue ollama: no model server answers at http://{address}: "),
        "start it (`ollama serve`), set ORKET_OLLAMA_URL, or use --venue recorded; then run the same command again",
    ] {
        assert!(complaint.contains(part), "{part} is missing: {complaint}");
    }
    assert!(!environment.path("agent_output").exists());
    goes_on(environment);
}

/// As the hint says: the venue may change between two sessions of a run.
#[test]
fn a_run_whose_server_is_gone_goes_on_with_recordings() {
    let environment = {
        let mut environment = ready_for_a_server();
        environment.set("ORKET_OLLAMA_URL", "http://127.0.0.1:1");
        environment
    };
    environment.run(&OLLAMA).complaint(5);
    let output = environment.run(&["run", "--epic", "first_light", "--venue", "recorded"]);
    output.assert_code(0);
    let first = output.stderr.lines().next().unwrap();
    assert!(
        first.starts_with("run first_light-1: epic first_light, venue recorded, "),
        "{first}"
    );
    assert_same(
        &facts(&worked(), "first_light-1"),
        &facts(&environment, "first_light-1"),
    );
}

#[test]
fn a_server_without_the_model() {
    let mut environment = ready_for_a_server();
    let settings = Settings {
        models: vec![Model::named("another:1b")],
        ..Settings::default()
    };
    let double = ModelDouble::start_with(script(), settings).unwrap();
    environment.set("ORKET_OLLAMA_URL", double.url());
    let output = environment.run(&OLLAMA);
    let complaint = output.complaint(5);
    for part in ["orket: venue ollama: ", "qwen2.5-coder:7b", "(`ollama pull"] {
        assert!(complaint.contains(part), "{part} is missing: {complaint}");
    }
    goes_on(environment);
}

#[test]
fn an_address_that_is_none() {
    let mut environment = ready_for_a_server();
    environment.set("ORKET_OLLAMA_URL", "localhost");
    let output = environment.run(&OLLAMA);
    assert!(
        output
            .complaint(3)
            .contains("\"localhost\" is not of the form http://HOST:PORT"),
        "{output}"
    );
    assert!(!environment.path(".orket").exists());
}

#[test]
fn a_changed_prompt_has_no_recording_and_the_first_difference_is_named() {
    let environment = sample();
    environment.replace(
        "model/bands/workshop.json",
        "You are a coder. You write small programs",
        "You are a coder. You write tiny programs",
    );
    let output = environment.run(&["run", "--epic", "first_light"]);
    let complaint = output.complaint(5);
    for part in [
        "orket: venue recorded: no recorded answer for the request ",
        "at \"/messages/0/content\" the recording ",
        // The nearest recording is one of the same role, and the excerpts show where the two part.
        "You write small programs",
        "You write tiny programs",
    ] {
        assert!(complaint.contains(part), "{part} is missing: {complaint}");
    }
    // The card before was worked, and stays worked.
    let board = environment.run(&["board"]);
    assert!(
        board.stdout.contains("epic first_light (1 of 4 done)"),
        "{board}"
    );
    assert_eq!(
        environment
            .read("agent_output/docs/design.md")
            .lines()
            .next(),
        Some("# first_light.sh")
    );
}

#[test]
fn a_recording_that_is_not_what_it_says() {
    let environment = sample();
    environment.write("cassettes/broken.json", "{}");
    let output = environment.run(&["run", "--epic", "first_light"]);
    let complaint = output.complaint(5);
    assert!(
        complaint.contains("cassettes/broken.json cannot be used: it has no version"),
        "{complaint}"
    );
    assert!(!environment.path(".orket").exists());
}
