//! A whole run executed again, and two runs compared: what is the same, where it is not, and what cannot be told.

use insta::assert_snapshot;
use orket_board::Board;
use orket_cards::{TurnCommit, TurnRecord, TurnStore};
use orket_kernel::{Outcome, TurnId, TurnInput, execute_turn, plan_promotion};
use orket_model_double::Script;
use orket_testkit::{CliEnvironment, Output};
use serde_json::Value;

use crate::sample::{TURNS, sample, script, serve, show, worked};

/// Makes an environment in which the sample epic has been worked under a name.
fn worked_as(run: &str) -> CliEnvironment {
    let environment = sample();
    environment
        .run(&["run", "--epic", "first_light", "--run-id", run])
        .assert_code(0);
    environment
}

/// Compares a run of one project with a run of another.
fn compare(one: (&mut CliEnvironment, &str), two: (&CliEnvironment, &str)) -> Output {
    let other = two.0.project().canonicalize().unwrap();
    let other = other.to_str().unwrap();
    one.0.hide(other, "[other]");
    let output = one.0.run(&["compare", one.1, two.1, "--other", other]);
    Output {
        command: output.command.replace(other, "[other]"),
        ..output
    }
}

#[test]
fn a_run_is_executed_again() {
    let environment = worked();
    // Neither assets nor recordings nor products are needed, and none are made.
    for part in ["model", "cassettes", "verification", "agent_output"] {
        std::fs::remove_dir_all(environment.path(part)).unwrap();
    }
    assert_snapshot!(environment.run(&["replay", "first_light-1"]), @"
    $ orket replay first_light-1
      first_light-1:-:1:engine                       3bd8a0aedd8d2c80 same
      first_light-1:FL-1:2:architect                 4e5a8d047db837d3 same
      first_light-1:FL-1:3:code_reviewer             09a59a62c085a2c3 same
      first_light-1:FL-1:4:code_reviewer             620afdb932bbf55f same
      first_light-1:FL-1:5:integrity_guard           3d884d82d39a0c12 same
      first_light-1:FL-2:6:coder                     662a152a78743330 same
      first_light-1:FL-2:7:code_reviewer             3646b59cbe30caac same
      first_light-1:FL-2:8:code_reviewer             c67c76cf8f4cbbf6 same
      first_light-1:FL-2:9:integrity_guard           0c9a324331ca6de5 same
      first_light-1:FL-3:10:coder                    d9dbb4a6bdac0b7d same
      first_light-1:FL-3:11:coder                    4489aa6cab576b7d same
      first_light-1:FL-3:12:code_reviewer            da90925932fdc65f same
      first_light-1:FL-3:13:code_reviewer            7b91bf09d65814fd same
      first_light-1:FL-3:14:integrity_guard          d2eb4ab40a0b5016 same
      first_light-1:FL-4:15:architect                35d767d05a14442f same
      first_light-1:FL-4:16:code_reviewer            d5f9e1fdfbf10a09 same
      first_light-1:FL-4:17:code_reviewer            fac03d91da1cdf58 same
      first_light-1:FL-4:18:integrity_guard          6ce013ee04c5ebd7 same
      first_light-1:FL-4:19:architect                f274386ca3428356 same
      first_light-1:FL-4:20:code_reviewer            e6e4ca99f63bf48e same
      first_light-1:FL-4:21:code_reviewer            2b0b8a469fec2a91 same
      first_light-1:FL-4:22:integrity_guard          0c3e0acfe95e9203 same
    22 of 22 turn(s) of first_light-1 replay to the same structural digest
    [exit 0]
    ");
    assert!(!environment.path("agent_output").exists());
}

#[test]
fn the_replay_of_a_run_as_data() {
    let environment = worked();
    let output = environment.run(&["replay", "first_light-1", "--json"]);
    let replay: Value = serde_json::from_str(&output.assert_code(0).stdout).unwrap();
    assert_eq!(replay["run_id"], "first_light-1");
    assert_eq!(replay["same"], true);
    let shown = show(&environment, "first_light-1");
    let turns = replay["turns"].as_array().unwrap();
    assert_eq!(turns.len(), TURNS);
    for (turn, shown) in turns.iter().zip(shown["turns"].as_array().unwrap()) {
        assert_eq!(
            *turn,
            serde_json::json!({
                "name": shown["name"],
                "turn": shown["turn"],
                "recorded_digest": shown["result_digest"],
                "replayed_digest": shown["result_digest"],
                "same": true,
                "divergences": [],
                "fault": null,
            })
        );
    }
}

#[test]
fn runs_under_two_names_in_two_projects_are_equivalent() {
    let mut one = worked_as("one");
    let two = worked_as("another.name-2");
    assert_snapshot!(compare((&mut one, "one"), (&two, "another.name-2")), @"
    $ orket compare one another.name-2 --other [other]
    one: 22 turn(s), state fd880f758de12937096ee3ad9956ccbfb50da6f5ba081e1908b2ef96fe337647
    another.name-2: 22 turn(s), state fd880f758de12937096ee3ad9956ccbfb50da6f5ba081e1908b2ef96fe337647
    the runs are structurally equivalent
    [exit 0]
    ");
    assert_snapshot!(one.run(&["compare", "one", "one", "--json"]), @r#"
    $ orket compare one one --json
    {"divergences":[],"equivalent":true,"events":[],"first_divergence":null,"one":{"run_id":"one","state_digest":"fd880f758de12937096ee3ad9956ccbfb50da6f5ba081e1908b2ef96fe337647","turns":22},"two":{"run_id":"one","state_digest":"fd880f758de12937096ee3ad9956ccbfb50da6f5ba081e1908b2ef96fe337647","turns":22}}
    [exit 0]
    "#);
}

/// The comparison can fail: another remark is another turn and another state.
#[test]
fn another_answer_is_named_where_it_first_makes_a_difference() {
    let Script::Sequence(mut answers) = script() else {
        panic!("the script of the sample is a sequence");
    };
    answers[3].tool_calls[0].arguments["comment"] = "Another remark.".into();
    let mut environment = sample();
    // Not the sandbox is tested here; a machine without one runs this test too. All artefacts are pinned.
    environment.replace("model/venues/ollama.json", "\"partial\"", "\"none\"");
    let _double = serve(&mut environment, Script::Sequence(answers));
    environment
        .run(&["run", "--epic", "first_light", "--venue", "ollama"])
        .assert_code(0);
    let mut recorded = worked();
    let output = compare(
        (&mut recorded, "first_light-1"),
        (&environment, "first_light-1"),
    );
    assert_snapshot!(output, @r#"
    $ orket compare first_light-1 first_light-1 --other [other]
    first_light-1: 22 turn(s), state fd880f758de12937096ee3ad9956ccbfb50da6f5ba081e1908b2ef96fe337647
    first_light-1: 22 turn(s), state 035b311930c86dcf3e1b5dad6a2589fd5dad43f040b4a462363dd5eac0864731
      turn-0004 determinism /transition_evidence/inputs_digest
      turn-0004 determinism /transition_evidence/writes_digest
      turn-0005 determinism /transition_evidence/inputs_digest
      turn-0005 determinism /transition_evidence/reads_digest
      turn-0005 determinism /transition_evidence/writes_digest
      turn-0022 determinism /state_digest
    the runs differ in 6 place(s), first in turn-0004, in determinism at /transition_evidence/inputs_digest: "689379929dd965dd67ec8e6fd64e64e9b96641f5152d8d548774146534aacb17" in the first run, "dc889fa4c292b1b355cf3da9f8e38609528036db9c1c2e840a931bae7e6a3103" in the second
    [exit 1]
    "#);
    // It replays all the same: it is another run, not a damaged one.
    environment.run(&["replay", "first_light-1"]).assert_code(0);
}

#[test]
fn a_run_that_stopped_early_is_not_equivalent() {
    let mut whole = worked();
    let part = sample();
    part.run(&["run", "--card", "FL-1"]).assert_code(0);
    let run = "first_light-1";
    let output = compare((&mut whole, run), (&part, run));
    output.assert_code(1);
    assert!(
        output.stdout.ends_with(
            "the runs differ in 18 place(s), first in turn-0006, in determinism at /turn_id: \
             \"turn-0006\" in the first run, absent in the second\n"
        ),
        "{output}"
    );
}

/// Stores a run beside the worked one: without a turn, or with one whose record is a changed copy of the first turn's.
fn forge(environment: &CliEnvironment, run: &str, change: Option<fn(&mut TurnRecord)>) {
    let board = Board::open(&environment.path(".orket")).unwrap();
    let snapshot = board.snapshot().unwrap();
    let worked = "first_light-1".parse().unwrap();
    let mut envelope = snapshot.run(&worked).unwrap().unwrap().envelope;
    envelope.run_id = run.parse().unwrap();
    let lease = board.lease(&envelope.run_id).unwrap();
    let fence = lease.fence();
    let handle = board.start_run(&envelope, "first_light", fence).unwrap();
    let Some(change) = change else {
        return;
    };
    let turns = snapshot.turns(&worked).unwrap();
    let mut record = snapshot.turn_record(&turns[0].record_digest).unwrap();
    record.run_id = run.to_owned();
    change(&mut record);
    let nothing = TurnInput::empty(TurnId::FIRST);
    let execution = execute_turn(&envelope, &handle, &nothing, snapshot.state());
    let (plan, _) = plan_promotion(&execution.staged.unwrap(), snapshot.state()).unwrap();
    let commit = TurnCommit {
        base_generation: snapshot.generation(),
        fence,
        plan,
        record,
        evidence: Vec::new(),
        events: Vec::new(),
    };
    board.commit(&commit).unwrap();
}

#[test]
fn what_is_empty_or_missing_is_equal_to_nothing() {
    let environment = worked();
    forge(&environment, "empty", None);
    let nosuch = "there is no run nosuch; `orket show run` lists the runs";
    let empty = "the run empty has no promoted turn";
    for (arguments, expected) in [
        (&["replay", "nosuch"][..], nosuch),
        (&["compare", "nosuch", "nosuch"], nosuch),
        (&["compare", "first_light-1", "nosuch"], nosuch),
        (&["replay", "empty"], empty),
        (&["compare", "empty", "empty"], empty),
        (&["compare", "first_light-1", "empty"], empty),
    ] {
        let output = environment.run(arguments);
        assert_eq!(output.complaint(1), format!("orket: {expected}"));
    }
    let fresh = sample();
    for arguments in [&["replay", "nosuch"][..], &["compare", "nosuch", "nosuch"]] {
        assert_eq!(
            fresh.run(arguments).complaint(1),
            format!("orket: {nosuch}")
        );
    }
    assert!(!fresh.path(".orket").exists());
}

#[test]
fn a_turn_that_comes_out_otherwise_is_named_with_the_first_difference() {
    let environment = worked();
    forge(
        &environment,
        "forged",
        Some(|record| record.result.as_mut().unwrap().outcome = Outcome::Fail),
    );
    assert_snapshot!(environment.run(&["replay", "forged"]), @r#"
    $ orket replay forged
      forged:-:1:engine                              cf99ba435a706e97 diverges in determinism at /outcome: recorded "FAIL", replayed "PASS"
    0 of 1 turn(s) of forged replay to the same structural digest
    [exit 1]
    "#);
    assert_snapshot!(environment.run(&["replay", "forged", "--json"]), @r#"
    $ orket replay forged --json
    {"run_id":"forged","same":false,"turns":[{"divergences":[{"location":"/outcome","recorded":"\"FAIL\"","replayed":"\"PASS\"","stage":"determinism","turn":"turn-0001"}],"fault":null,"name":"forged:-:1:engine","recorded_digest":"cf99ba435a706e97287daa726aaf1fe616d7f85067716058c375e37615f234fb","replayed_digest":"3bd8a0aedd8d2c80ebdaef19259d5ee0a3688256e8713e3406285c3d3493fb14","same":false,"turn":"turn-0001"}]}
    [exit 1]
    "#);
}

#[test]
fn a_malformed_record_is_neither_the_same_nor_equal_to_itself() {
    let environment = worked();
    forge(
        &environment,
        "forged",
        Some(|record| record.run_id = "first_light-1".into()),
    );
    assert_snapshot!(environment.run(&["replay", "forged"]), @"
    $ orket replay forged
      forged:-:1:engine                              3bd8a0aedd8d2c80 not replayed: E_LSI_CORRUPT_RECORD: turn-0001 of the run forged: the record is of another turn
    0 of 1 turn(s) of forged replay to the same structural digest
    [exit 1]
    ");
    let output = environment.run(&["compare", "forged", "forged"]);
    assert_eq!(
        output.complaint(1),
        "orket: E_LSI_CORRUPT_RECORD: turn-0001 of the run forged: the record is of another turn"
    );
}

#[test]
fn a_failure_in_the_other_project_says_so() {
    let mut environment = worked();
    let fresh = sample();
    let output = compare(
        (&mut environment, "first_light-1"),
        (&fresh, "first_light-1"),
    );
    assert_eq!(
        output.complaint(1),
        "orket: --other [other]: there is no run first_light-1; `orket show run` lists the runs"
    );
    // One home for both would compare a run with itself.
    let home = environment.path(".orket");
    environment.set("ORKET_HOME", home.to_str().unwrap());
    let output = compare(
        (&mut environment, "first_light-1"),
        (&fresh, "first_light-1"),
    );
    assert_eq!(
        output.complaint(3),
        "orket: ORKET_HOME names one directory for both projects; --other needs two"
    );
    assert!(!fresh.path(".orket").exists());
}
