//! Two commands at once: one writer per run, and one unfinished run per epic.

use std::time::Duration;

use orket_testkit::{CliEnvironment, Link, wait_until};

use crate::sample::{assert_same, facts, sample, script, serve, worked};

const OLLAMA: [&str; 5] = ["run", "--epic", "first_light", "--venue", "ollama"];

#[test]
fn a_second_command_on_a_run_is_refused_and_the_first_goes_on() {
    let mut environment = ready();
    let double = serve(&mut environment, script());
    let link = Link::start(double.url(), Duration::ZERO);
    environment.set("ORKET_OLLAMA_URL", link.url());
    link.hold();
    let first = environment.start(&OLLAMA);
    wait_until("the first command asks the model", || {
        !double.requests().is_empty()
    });
    let second = environment.run(&OLLAMA);
    assert_eq!(
        second.complaint(6),
        "orket: the run first_light-1 is busy: another orket works on it; wait for it to end, or end it"
    );
    let named = ["run", "--epic", "first_light", "--run-id", "first_light-1"];
    assert_eq!(environment.run(&named).complaint(6), second.complaint(6));
    let other = environment.run(&["run", "--epic", "first_light", "--run-id", "second"]);
    assert_eq!(
        other.complaint(6),
        "orket: the epic first_light has the unfinished run first_light-1; continue it with --run-id first_light-1"
    );
    // Reading is not refused.
    environment.run(&["board"]).assert_code(0);
    environment
        .run(&["show", "run", "first_light-1"])
        .assert_code(0);
    link.release();
    first.wait().assert_code(0);
    assert_same(
        &facts(&worked(), "first_light-1"),
        &facts(&environment, "first_light-1"),
    );
    // Nothing was asked twice.
    let chats = double
        .requests()
        .into_iter()
        .filter(|request| request.path == "/api/chat");
    assert_eq!(chats.count(), 24);
}

#[test]
fn a_run_that_was_killed_is_free_for_the_next_command() {
    let mut environment = ready();
    let double = serve(&mut environment, script());
    let link = Link::start(double.url(), Duration::ZERO);
    environment.set("ORKET_OLLAMA_URL", link.url());
    link.hold();
    let first = environment.start(&OLLAMA);
    wait_until("the first command asks the model", || {
        !double.requests().is_empty()
    });
    drop(first);
    let _fresh = serve(&mut environment, script());
    environment.run(&OLLAMA).assert_code(0);
    assert_same(
        &facts(&worked(), "first_light-1"),
        &facts(&environment, "first_light-1"),
    );
}

#[test]
fn an_unfinished_run_is_continued_by_its_name_and_by_none() {
    let environment = sample();
    let named = ["run", "--card", "FL-1", "--run-id", "one"];
    environment.run(&named).assert_code(0);
    let other = environment.run(&["run", "--epic", "first_light", "--run-id", "two"]);
    assert_eq!(
        other.complaint(6),
        "orket: the epic first_light has the unfinished run one; continue it with --run-id one"
    );
    environment
        .run(&["run", "--epic", "first_light"])
        .assert_code(0);
    assert_same(
        &facts(&worked(), "first_light-1"),
        &facts(&environment, "one"),
    );
    // Named again it has nothing left to do, and says how it ended.
    let log = environment.read("workspace/default/orket.log");
    let ended = environment.run(&["run", "--epic", "first_light", "--run-id", "one"]);
    ended.assert_code(0);
    assert!(
        ended
            .stdout
            .starts_with("epic first_light: done (run one)\n"),
        "{ended}"
    );
    assert_eq!(environment.read("workspace/default/orket.log"), log);
}

fn ready() -> CliEnvironment {
    let environment = sample();
    // What is tested here is not the sandbox.
    environment.replace("model/venues/ollama.json", "\"partial\"", "\"none\"");
    environment
}
