//! Looking at what happened: cards, runs, turns, and a turn executed again.

use insta::assert_snapshot;

use crate::sample::{sample, show, worked};

#[test]
fn a_card_a_run_and_a_turn_are_shown_whole() {
    let mut environment = worked();
    // The record holds the tier of the sandbox.
    let turn = &show(&environment, "first_light-1")["turns"][8];
    environment.hide(
        turn["record_digest"].as_str().unwrap(),
        "[digest of the record]",
    );
    assert_snapshot!(environment.run(&["show", "card", "FL-4"]), @r"
    $ orket show card FL-4
    FL-4 Write the guide
    epic         first_light
    status       done
    seat         architect
    priority     1
    depends on   FL-1, FL-3
    authors      architect
    verification passed (guide.sh)
    evidence     evidence/FL-4 holds
    promises     agent_output/README.md

    Write README.md for people who use the program: what it does, how to call it, and examples. Each example is a line that begins with '$ ', followed by the line that the program prints.

    integrity_guard: The example for 21 is wrong: the program prints night. Put the example right.

    turns
      first_light-1:FL-4:15:architect                build   35d767d05a14442f
      first_light-1:FL-4:16:code_reviewer            review  d5f9e1fdfbf10a09
      first_light-1:FL-4:17:code_reviewer            review  fac03d91da1cdf58
      first_light-1:FL-4:18:integrity_guard          guard   6ce013ee04c5ebd7
      first_light-1:FL-4:19:architect                build   f274386ca3428356
      first_light-1:FL-4:20:code_reviewer            review  e6e4ca99f63bf48e
      first_light-1:FL-4:21:code_reviewer            review  2b0b8a469fec2a91
      first_light-1:FL-4:22:integrity_guard          guard   0c3e0acfe95e9203
    [exit 0]
    ");
    assert_snapshot!(environment.run(&["show", "run", "first_light-1"]), @"
    $ orket show run first_light-1
    run first_light-1 (passed), epic first_light, begun with the venue recorded
      first_light-1:-:1:engine                       load    3bd8a0aedd8d2c80
      first_light-1:FL-1:2:architect                 build   4e5a8d047db837d3
      first_light-1:FL-1:3:code_reviewer             review  09a59a62c085a2c3
      first_light-1:FL-1:4:code_reviewer             review  620afdb932bbf55f
      first_light-1:FL-1:5:integrity_guard           guard   3d884d82d39a0c12
      turn-0006 FL-2 attempt 1 refused: verification/phase.sh cannot be written: agents write below agent_output/ only
      first_light-1:FL-2:6:coder                     build   662a152a78743330
      first_light-1:FL-2:7:code_reviewer             review  3646b59cbe30caac
      first_light-1:FL-2:8:code_reviewer             review  c67c76cf8f4cbbf6
      first_light-1:FL-2:9:integrity_guard           guard   0c9a324331ca6de5
      first_light-1:FL-3:10:coder                    build   d9dbb4a6bdac0b7d
      turn-0011 FL-3 attempt 1 refused: FL-4: a card cannot go from ready to done; from ready it can go to in_progress
      first_light-1:FL-3:11:coder                    build   4489aa6cab576b7d
      first_light-1:FL-3:12:code_reviewer            review  da90925932fdc65f
      first_light-1:FL-3:13:code_reviewer            review  7b91bf09d65814fd
      first_light-1:FL-3:14:integrity_guard          guard   d2eb4ab40a0b5016
      first_light-1:FL-4:15:architect                build   35d767d05a14442f
      first_light-1:FL-4:16:code_reviewer            review  d5f9e1fdfbf10a09
      first_light-1:FL-4:17:code_reviewer            review  fac03d91da1cdf58
      first_light-1:FL-4:18:integrity_guard          guard   6ce013ee04c5ebd7
      first_light-1:FL-4:19:architect                build   f274386ca3428356
      first_light-1:FL-4:20:code_reviewer            review  e6e4ca99f63bf48e
      first_light-1:FL-4:21:code_reviewer            review  2b0b8a469fec2a91
      first_light-1:FL-4:22:integrity_guard          guard   0c3e0acfe95e9203
    tokens architect        qwen2.5-coder:7b  4 answers, 3456 in, 707 out
    tokens code_reviewer    qwen2.5-coder:7b  10 answers, 8767 in, 342 out
    tokens coder            qwen2.5-coder:7b  5 answers, 4716 in, 1014 out
    tokens integrity_guard  qwen2.5-coder:7b  5 answers, 4030 in, 181 out
    tokens in all: 20969 in, 2244 out
    state after turn-0022: fd880f758de12937096ee3ad9956ccbfb50da6f5ba081e1908b2ef96fe337647
    [exit 0]
    ");
    assert_snapshot!(environment.run(&["show", "turn", "first_light-1:FL-2:9"]), @r#"
    $ orket show turn first_light-1:FL-2:9
    first_light-1:FL-2:9:integrity_guard
    step          guard, attempt 1
    result        0c9a324331ca6de594705b5b3811d1462c97daf475781757d554f5ec21990182
    state after   e35ebc01b85c1e19b18444375fe465a445adfc67cbb0c4c4e92304a749c1eb3a
    record        [digest of the record]
    tokens        771 in, 24 out, 1 exchange(s) with the model
    venue         recorded
    sandbox       [tier]

    The checks ran and passed.

    update_issue_status {"status":"done"}
      -> {"status":"done"}

    PASS {"changes":[{"change":"changed","stem":"card/FL-2"},{"change":"added","stem":"evidence/FL-2"}],"inputs_digest":"2a22b18d6e5d9e6db39f00661922416625253b4c59fe953b7640cb1227ab512a","reads_digest":"8aee5bc1bc72a232a51163b1453643d3311d3a311151e6367fddcf1e269db069","writes_digest":"e67c84f037f6694c1a2426e323ae52d36b6a6fad12a81a34cefb85b956ec1580"}
    [exit 0]
    "#);
}

#[test]
fn a_turn_is_executed_again() {
    let environment = worked();
    assert_snapshot!(environment.run(&["replay-turn", "first_light-1:FL-3:11"]), @r"
    $ orket replay-turn first_light-1:FL-3:11
    turn-0011 of first_light-1: FL-3, coder in build, attempt 2
      write_file agent_output/first_light.sh
      update_issue_status code_review
    recorded  4489aa6cab576b7da7ca8477e20386d56a5233130e2f50fda12b7a330dde2261
    replayed  4489aa6cab576b7da7ca8477e20386d56a5233130e2f50fda12b7a330dde2261
    the structural digest is the same
    [exit 0]
    ");
    // The three spellings of a turn, and the role that may be left out.
    let expected = environment.run(&["replay-turn", "first_light-1:FL-3:11"]);
    for name in [
        "first_light-1:FL-3:011",
        "first_light-1:FL-3:turn-0011:coder",
    ] {
        assert_eq!(
            environment.run(&["replay-turn", name]).stdout,
            expected.stdout
        );
    }
}

#[test]
fn what_is_not_there_is_named() {
    let environment = worked();
    for (arguments, code, expected) in [
        (
            ["show", "card", "FL-9"],
            1,
            "there is no card FL-9 on the board; `orket board` lists the cards",
        ),
        (
            ["show", "run", "second"],
            1,
            "there is no run second; `orket show run` lists the runs",
        ),
        (
            ["show", "turn", "first_light-1:FL-1:99"],
            1,
            "the run first_light-1 has no promoted turn-0099; `orket show run first_light-1` lists its turns",
        ),
        (
            ["show", "turn", "first_light-1:FL-2:2"],
            2,
            "turn-0002 of the run first_light-1 is first_light-1:FL-1:2:architect",
        ),
    ] {
        let output = environment.run(&arguments);
        assert_eq!(output.complaint(code), format!("orket: {expected}"));
    }
    let output = environment.run(&["replay-turn", "first_light-1:FL-2:2"]);
    assert_eq!(
        output.complaint(2),
        "orket: turn-0002 of the run first_light-1 is first_light-1:FL-1:2:architect"
    );
}

#[test]
fn before_the_first_run_there_is_nothing_to_show_and_nothing_is_made() {
    let environment = sample();
    let output = environment.run(&["show", "run"]);
    assert_eq!(
        output.complaint(1),
        "orket: nothing has run in this project yet; `orket run --epic NAME` begins"
    );
    environment.run(&["board"]).assert_code(0);
    assert!(!environment.path(".orket").exists());
}
