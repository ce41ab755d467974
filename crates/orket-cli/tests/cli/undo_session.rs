//! Undo, redo, taking over and the operation log, as a person types them.

use std::fs;
use std::time::{Duration, Instant};

use orket_testkit::{CliEnvironment, Ending, SplitMix64, Tree};
use serde_json::Value;

use crate::sample::{facts, sample, worked};

const BACK: [&str; 2] = ["undo", "first_light-1:7"];

fn json(environment: &CliEnvironment, arguments: &[&str]) -> Value {
    let output = environment.run(arguments);
    output.assert_code(0);
    serde_json::from_str(&output.stdout).unwrap()
}

fn state(environment: &CliEnvironment, at: &str) -> String {
    let shown = json(environment, &["show", "state", "--at", at, "--json"]);
    shown["state_digest"].as_str().unwrap().to_owned()
}

fn verify(environment: &CliEnvironment) {
    environment.run(&["verify"]).assert_code(0);
}

fn output(environment: &CliEnvironment) -> Tree {
    Tree::read(&environment.path("agent_output"))
}

#[test]
fn a_person_goes_back_comes_forward_and_sees_who_did_what() {
    let mut environment = worked();
    environment.set("ORKET_AUTHOR", "Ada Lovelace");
    let whole = output(&environment);
    let last = state(&environment, "now");
    let told = environment.run(&["undo", "first_light-1:7", "--dry-run"]);
    told.assert_code(0);
    assert_eq!(
        told.stdout,
        "would undo what first_light-1 did after first_light-1:7\n  \
         removed  agent_output/README.md\n  \
         removed  agent_output/first_light.sh\n  \
         restored card FL-2\n  \
         restored card FL-3\n  \
         restored card FL-4\n  \
         removed  evidence FL-2\n  \
         removed  evidence FL-3\n  \
         removed  evidence FL-4\n"
    );
    assert_eq!(state(&environment, "now"), last);
    environment.run(&BACK).assert_code(0);
    assert_eq!(
        state(&environment, "now"),
        state(&environment, "first_light-1:7")
    );
    assert_eq!(
        output(&environment).paths(),
        ["docs", "docs/design.md", "lib", "lib/phase.sh"]
    );
    verify(&environment);
    // What was asked for is so already.
    let again = environment.run(&BACK);
    again.assert_code(0);
    assert_eq!(
        again.stderr,
        "there is nothing to undo: all that first_light-1:7 left is as it was right after it\n"
    );
    environment.run(&["redo"]).assert_code(0);
    assert_eq!(state(&environment, "now"), last);
    assert_eq!(output(&environment), whole);
    assert_eq!(
        environment.run(&["redo"]).complaint(1),
        "orket: there is nothing to redo: no undo stands"
    );
    verify(&environment);
    let log = environment.run(&["op", "log", "--limit", "3"]);
    log.assert_code(0);
    let short = |at: &str| state(&environment, at)[..16].to_owned();
    let (seventh, guard, before) = (
        short("first_light-1:7"),
        short("first_light-1:22"),
        short("first_light-1:21"),
    );
    assert_eq!(
        log.stdout,
        format!(
            "@24 operator-2:1 redo of operator-1:1: Ada Lovelace, agent_output/README.md, \
             agent_output/first_light.sh, card FL-2 and 5 more\n    state {seventh} -> {guard}\n\
             @23 operator-1:1 undo of first_light-1:7: Ada Lovelace, agent_output/README.md, \
             agent_output/first_light.sh, card FL-2 and 5 more\n    state {guard} -> {seventh}\n\
             @22 first_light-1:22 turn: integrity_guard on FL-4, card FL-4, evidence FL-4\n    \
             state {before} -> {guard}\n"
        )
    );
    let log = json(&environment, &["op", "log", "--limit", "1000", "--json"]);
    let log = log.as_array().unwrap();
    assert_eq!(log.len(), 24);
    assert_eq!(log[0]["author"], "Ada Lovelace");
    assert_eq!(log[1]["about"], "first_light-1:7");
    assert_eq!(log[1]["changed"], 8);
    assert_eq!(log[23]["kind"], "engine");
    for (newer, older) in log.iter().zip(&log[1..]) {
        assert_eq!(newer["digest_before"], older["digest_after"]);
    }
    for run in ["operator-1", "operator-2", "first_light-1"] {
        environment.run(&["replay", run]).assert_code(0);
    }
}

#[test]
fn without_an_argument_each_undo_takes_one_turn_further_back() {
    let environment = worked();
    // Turn 20 changed nothing, so it is passed over.
    for turn in [21, 20, 18] {
        let report = json(&environment, &["undo", "--json"]);
        assert_eq!(
            report["digest_after"],
            state(&environment, &format!("first_light-1:{turn}"))
        );
        assert_eq!(report["subject"], "first_light-1");
    }
    let report = json(&environment, &["redo", "--json"]);
    assert_eq!(
        report["digest_after"],
        state(&environment, "first_light-1:20")
    );
    verify(&environment);
}

#[test]
fn the_epic_goes_on_from_what_was_put_back() {
    let environment = worked();
    let whole = output(&environment);
    environment
        .run(&["undo", "first_light-1:14"])
        .assert_code(0);
    environment
        .run(&["run", "--epic", "first_light"])
        .assert_code(0);
    assert_eq!(output(&environment), whole);
    verify(&environment);
}

#[test]
fn an_edit_is_named_taken_over_and_taken_back() {
    let environment = worked();
    let whole = output(&environment);
    environment.write("agent_output/README.md", "mine\n");
    fs::remove_file(environment.path("agent_output/first_light.sh")).unwrap();
    environment.write("agent_output/notes/mine.txt", "mine\n");
    assert_eq!(
        environment.run(&["undo"]).complaint(7),
        "orket: agent_output/README.md was changed by someone else; take it over with `orket adopt`, or move it away to keep it \
         (Orket then restores its own version), and run again"
    );
    // Evidence of the card rests on the script, so it cannot be taken away from under it.
    let refused = environment.run(&["adopt"]);
    assert!(
        refused.complaint(1).contains("E_LSI_ORPHAN_REFERENCE"),
        "{refused}"
    );
    let edited = ["adopt", "agent_output/README.md", "agent_output/notes"];
    let taken = environment.run(&edited);
    taken.assert_code(0);
    assert!(
        taken.stdout.starts_with(
            "  taken    agent_output/README.md\n  taken    agent_output/notes/mine.txt\nturn operator-2:1, "
        ),
        "{taken}"
    );
    assert_eq!(
        environment.run(&BACK).complaint(1),
        "orket: artifact/README.md was changed since by operator-2:1, card/FL-4 was changed since by operator-2:1; nothing \
         was changed: another run has worked on it; undo that first, or set it right by hand"
    );
    assert_eq!(environment.read("agent_output/README.md"), "mine\n");
    environment.run(&["undo"]).assert_code(0);
    assert_eq!(output(&environment), whole);
    environment.run(&["adopt"]).assert_code(0);
    verify(&environment);
}

#[test]
fn what_cannot_be_put_back_is_refused_with_a_reason() {
    let environment = worked();
    for (arguments, code, told) in [
        (
            ["undo", "first_light-1:99"],
            1,
            "orket: first_light-1:99 is no promoted turn; `orket op log` lists them",
        ),
        (
            ["undo", "nobody:1"],
            1,
            "orket: nobody:1 is no promoted turn; `orket op log` lists them",
        ),
    ] {
        assert_eq!(environment.run(&arguments).complaint(code), told);
    }
    environment.run(&["undo", "first_light-1"]).assert_code(2);
    let config = environment.read("orket.toml");
    environment.write(
        "orket.toml",
        &format!("{config}\n[retention]\ngenerations = 3\n"),
    );
    environment.run(&["gc", "--apply"]).assert_code(0);
    let not_retained = environment.run(&BACK);
    assert_eq!(
        not_retained.complaint(1),
        "orket: generation 7 is not retained; the oldest that is kept is 20; a backup from before `orket gc` may still have it"
    );
    let log = json(&environment, &["op", "log", "--json", "--limit", "5"]);
    assert_eq!(log[1]["stems"].as_array().unwrap().len(), 1);
    assert_eq!(log[2]["stems"], Value::Null);
    environment
        .run(&["undo", "first_light-1:21"])
        .assert_code(0);
    verify(&environment);
    let nothing = sample();
    for command in [&["undo"][..], &["redo"], &["op", "log"]] {
        nothing.run(command).assert_code(1);
    }
}

/// Everything that an interrupted undo must leave as one that was never interrupted leaves it.
struct Left {
    facts: (String, Vec<String>, String),
    trees: [(&'static str, Tree); 3],
}

impl Left {
    fn behind(environment: &CliEnvironment) -> Left {
        let log = environment.read("workspace/default/orket.log");
        let read = |place| (place, Tree::read(&environment.path(place)));
        Left {
            facts: (
                state(environment, "now"),
                facts(environment, "operator-1").turns,
                log,
            ),
            trees: ["agent_output", "workspace", ".orket/index"].map(read),
        }
    }

    fn differences(&self, other: &Left) -> Vec<String> {
        let mut differences = Vec::new();
        if self.facts != other.facts {
            differences.push(format!("{:?}\n{:?}", self.facts, other.facts));
        }
        for ((place, one), (_, two)) in self.trees.iter().zip(&other.trees) {
            let found = one.differences(two).into_iter();
            differences.extend(found.map(|it| format!("{place}: {it}")));
        }
        differences
    }
}

#[test]
fn a_killed_undo_comes_out_right_when_it_is_asked_for_again() {
    let whole = worked();
    let begin = Instant::now();
    whole.run(&BACK).assert_code(0);
    let duration = begin.elapsed();
    let expected = Left::behind(&whole);
    let is_full = std::env::var("ORKET_FULL").is_ok_and(|value| value == "1");
    let count = if is_full { 60 } else { 6 };
    let mut chance = SplitMix64::new(20_261_121);
    let mut failures = Vec::new();
    let mut kills = 0;
    for number in 0..count {
        let environment = worked();
        let started = environment.start(&BACK);
        // Some die at a moment by the clock, some right when a thing appears or goes.
        let ending = match number % 3 {
            0 => started.kill_after(duration.mul_f64(chance.next_fraction())),
            1 => started.kill_when(|| !environment.path("agent_output/README.md").exists()),
            _ => started.kill_when(|| {
                let made = "workspace/default/observability/operator-1";
                environment.path(made).exists()
            }),
        };
        kills += usize::from(matches!(ending, Ending::Killed(_)));
        environment.run(&BACK).assert_code(0);
        let differences = expected.differences(&Left::behind(&environment));
        failures.extend(differences.iter().map(|it| format!("kill {number}: {it}")));
        verify(&environment);
    }
    eprintln!("{kills} kills of {count} within {duration:?}");
    assert_eq!(failures, Vec::<String>::new());
    assert!(kills > 0 || duration < Duration::from_millis(5));
}

#[test]
fn a_tool_that_was_called_by_hand_is_taken_back_like_any_turn() {
    let mut environment = worked();
    environment.set("ORKET_AUTHOR", "ada");
    // Before FL-2 was worked on.
    environment.run(&["undo", "first_light-1:5"]).assert_code(0);
    let whole = output(&environment);
    let arguments = r#"{"path":"agent_output/by/hand.txt","content":"mine"}"#;
    environment
        .run(&[
            "tool",
            "call",
            "write_file",
            "--role",
            "coder",
            "--card",
            "FL-2",
            "--args",
            arguments,
        ])
        .assert_code(0);
    assert_eq!(environment.read("agent_output/by/hand.txt"), "mine");
    let log = environment.run(&["op", "log", "--limit", "1"]);
    assert!(
        log.stdout
            .starts_with("@24 operator-2:1 tool: ada as coder on FL-2, agent_output/by/hand.txt"),
        "{log}"
    );
    environment.run(&["undo"]).assert_code(0);
    assert_eq!(output(&environment), whole);
    environment.run(&["redo"]).assert_code(0);
    assert_eq!(environment.read("agent_output/by/hand.txt"), "mine");
    verify(&environment);
}
