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
      first_light-1:FL-4:15:architect                build   dc8d011e3a087f68
      first_light-1:FL-4:16:code_reviewer            review  71cb863dd8fc3325
      first_light-1:FL-4:17:code_reviewer            review  faf247d49b983074
      first_light-1:FL-4:18:integrity_guard          guard   262281f96b01ebd4
      first_light-1:FL-4:19:architect                build   61458e7a6b098612
      first_light-1:FL-4:20:code_reviewer            review  43f0ca17ea1b1727
      first_light-1:FL-4:21:code_reviewer            review  f4f6b805a82cead7
      first_light-1:FL-4:22:integrity_guard          guard   da8185e27a8a158d
    [exit 0]
    ");
    assert_snapshot!(environment.run(&["show", "run", "first_light-1"]), @r"
    $ orket show run first_light-1
    run first_light-1 (passed), epic first_light, venue recorded
      first_light-1:-:1:engine                       load    3bd8a0aedd8d2c80
      first_light-1:FL-1:2:architect                 build   07b8d50ce7de6f60
      first_light-1:FL-1:3:code_reviewer             review  7c0423fffe1e69f0
      first_light-1:FL-1:4:code_reviewer             review  885f7a8b20af2009
      first_light-1:FL-1:5:integrity_guard           guard   98e822e05fe42ae3
      turn-0006 attempt 1 refused: verification/phase.sh cannot be written: agents write below agent_output/ only
      first_light-1:FL-2:6:coder                     build   70f00d2e734b2e38
      first_light-1:FL-2:7:code_reviewer             review  aca96479f010e4f2
      first_light-1:FL-2:8:code_reviewer             review  67a3c99b4206ae9e
      first_light-1:FL-2:9:integrity_guard           guard   cc57b3131634afeb
      first_light-1:FL-3:10:coder                    build   d5bf2094ec0f3eca
      turn-0011 attempt 1 refused: FL-4: a card cannot go from ready to done; from ready it can go to in_progress, canceled, archived
      first_light-1:FL-3:11:coder                    build   c7f10de8c50a3917
      first_light-1:FL-3:12:code_reviewer            review  a64c59b2ede1595f
      first_light-1:FL-3:13:code_reviewer            review  b926bab561bbed89
      first_light-1:FL-3:14:integrity_guard          guard   465965ed061c96bd
      first_light-1:FL-4:15:architect                build   dc8d011e3a087f68
      first_light-1:FL-4:16:code_reviewer            review  71cb863dd8fc3325
      first_light-1:FL-4:17:code_reviewer            review  faf247d49b983074
      first_light-1:FL-4:18:integrity_guard          guard   262281f96b01ebd4
      first_light-1:FL-4:19:architect                build   61458e7a6b098612
      first_light-1:FL-4:20:code_reviewer            review  43f0ca17ea1b1727
      first_light-1:FL-4:21:code_reviewer            review  f4f6b805a82cead7
      first_light-1:FL-4:22:integrity_guard          guard   da8185e27a8a158d
    state da19c79db2ecdad7f24efe86efb4c40aa38d1977eaa46cbf55e49e6b41493e19
    [exit 0]
    ");
    assert_snapshot!(environment.run(&["show", "turn", "first_light-1:FL-2:9"]), @r#"
    $ orket show turn first_light-1:FL-2:9
    first_light-1:FL-2:9:integrity_guard
    step          guard, attempt 1
    result        cc57b3131634afebcb077299b06f9f7a8c32b995ad644c37fb5fde2034e4cf8f
    state after   7a618048646a9f485a4a2d31cbfaf2549b0b4e120bf28913f6d39d1f9358c0f8
    record        [digest of the record]
    tokens        771 in, 24 out, 1 exchange(s) with the model
    sandbox       [tier]

    The checks ran and passed.

    update_issue_status {"status":"done"}
      -> {"status":"done"}

    PASS {"changes":[{"change":"changed","stem":"card/FL-2"},{"change":"added","stem":"evidence/FL-2"}],"inputs_digest":"636c8f550c3f321ed3b01b0b56d7dfaf98058c4de091c8813c5adfac5670b3cd","reads_digest":"9fb6f0023746bbedad651f66b98b7f702206673f32ec210d4bde3edbf4f358ce","writes_digest":"e67c84f037f6694c1a2426e323ae52d36b6a6fad12a81a34cefb85b956ec1580"}
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
    recorded  c7f10de8c50a3917c5441666cfbaa3d3b0f3b5b31ed0c9fe5017117d963d5919
    replayed  c7f10de8c50a3917c5441666cfbaa3d3b0f3b5b31ed0c9fe5017117d963d5919
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
