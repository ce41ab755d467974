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
    promises     agent_output/README.md

    Write README.md for people who use the program: what it does, how to call it, and examples. Each example is a line that begins with '$ ', followed by the line that the program prints.

    integrity_guard: The example for 21 is wrong: the program prints night. Put the example right.

    turns
      first_light-1:FL-4:15:architect                build   0c5621c6c1307dfe
      first_light-1:FL-4:16:code_reviewer            review  acbdb79d15002950
      first_light-1:FL-4:17:code_reviewer            review  d5cbe25c34d283a6
      first_light-1:FL-4:18:integrity_guard          guard   20d5923222323c1c
      first_light-1:FL-4:19:architect                build   8ed9ae8f58f9a98d
      first_light-1:FL-4:20:code_reviewer            review  91e34ba2ea46a9d9
      first_light-1:FL-4:21:code_reviewer            review  175d4c92979e10b9
      first_light-1:FL-4:22:integrity_guard          guard   75a4cff09988022e
    [exit 0]
    ");
    assert_snapshot!(environment.run(&["show", "run", "first_light-1"]), @"
    $ orket show run first_light-1
    run first_light-1 (passed), epic first_light, begun with the venue recorded
      first_light-1:-:1:engine                       load    3bd8a0aedd8d2c80
      first_light-1:FL-1:2:architect                 build   c31981685d2f747a
      first_light-1:FL-1:3:code_reviewer             review  bea4f7176c21b35e
      first_light-1:FL-1:4:code_reviewer             review  3ce015c027c0c133
      first_light-1:FL-1:5:integrity_guard           guard   b052abb50e53f29d
      turn-0006 FL-2 attempt 1 refused: verification/phase.sh cannot be written: agents write below agent_output/ only
      first_light-1:FL-2:6:coder                     build   bea8dfb7915b195d
      first_light-1:FL-2:7:code_reviewer             review  c64957dddc52f43f
      first_light-1:FL-2:8:code_reviewer             review  80ca96b79ac29e50
      first_light-1:FL-2:9:integrity_guard           guard   1ac116b73d5c0003
      first_light-1:FL-3:10:coder                    build   f9014bac41d1a5dd
      turn-0011 FL-3 attempt 1 refused: FL-4: a card cannot go from ready to done; from ready it can go to in_progress
      first_light-1:FL-3:11:coder                    build   ff4bb8f10121a502
      first_light-1:FL-3:12:code_reviewer            review  e791317f631ae270
      first_light-1:FL-3:13:code_reviewer            review  5f8a2fa532ba6518
      first_light-1:FL-3:14:integrity_guard          guard   4a095ad91a81bd8c
      first_light-1:FL-4:15:architect                build   0c5621c6c1307dfe
      first_light-1:FL-4:16:code_reviewer            review  acbdb79d15002950
      first_light-1:FL-4:17:code_reviewer            review  d5cbe25c34d283a6
      first_light-1:FL-4:18:integrity_guard          guard   20d5923222323c1c
      first_light-1:FL-4:19:architect                build   8ed9ae8f58f9a98d
      first_light-1:FL-4:20:code_reviewer            review  91e34ba2ea46a9d9
      first_light-1:FL-4:21:code_reviewer            review  175d4c92979e10b9
      first_light-1:FL-4:22:integrity_guard          guard   75a4cff09988022e
    state after turn-0022: da19c79db2ecdad7f24efe86efb4c40aa38d1977eaa46cbf55e49e6b41493e19
    [exit 0]
    ");
    assert_snapshot!(environment.run(&["show", "turn", "first_light-1:FL-2:9"]), @r#"
    $ orket show turn first_light-1:FL-2:9
    first_light-1:FL-2:9:integrity_guard
    step          guard, attempt 1
    result        1ac116b73d5c00031ec163d885573966e08e3483a9b7f4099e2b9113c283018d
    state after   7a618048646a9f485a4a2d31cbfaf2549b0b4e120bf28913f6d39d1f9358c0f8
    record        [digest of the record]
    tokens        771 in, 24 out, 1 exchange(s) with the model
    venue         recorded
    sandbox       [tier]

    The checks ran and passed.

    update_issue_status {"status":"done"}
      -> {"status":"done"}

    PASS {"changes":[{"change":"changed","stem":"card/FL-2"},{"change":"added","stem":"evidence/FL-2"}],"inputs_digest":"636c8f550c3f321ed3b01b0b56d7dfaf98058c4de091c8813c5adfac5670b3cd","reads_digest":"8aee5bc1bc72a232a51163b1453643d3311d3a311151e6367fddcf1e269db069","writes_digest":"e67c84f037f6694c1a2426e323ae52d36b6a6fad12a81a34cefb85b956ec1580"}
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
    recorded  ff4bb8f10121a502d498e1567946aee2de9881463e33ca14f9131e9ec337d6bf
    replayed  ff4bb8f10121a502d498e1567946aee2de9881463e33ca14f9131e9ec337d6bf
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
