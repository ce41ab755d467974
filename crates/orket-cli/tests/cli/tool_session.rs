//! Tools: which there are, what each takes, and calling one by hand.

use insta::assert_snapshot;
use orket_testkit::CliEnvironment;
use serde_json::{Value, json};

use crate::sample::{sample, worked};

fn acting() -> CliEnvironment {
    let mut environment = worked();
    environment.set("ORKET_AUTHOR", "ada");
    environment
}

fn answer(environment: &CliEnvironment, arguments: &[&str], code: i32) -> Value {
    let output = environment.run(&[arguments, &["--json"]].concat());
    serde_json::from_str(&output.assert_code(code).stdout).unwrap()
}

#[test]
fn a_role_has_the_tools_that_its_band_lists() {
    let environment = sample();
    assert_snapshot!(environment.run(&["tool", "list", "--role", "code_reviewer"]), @r"
    $ orket tool list --role code_reviewer
    add_issue_comment    comment        Leave a remark on your card for the roles that come after you. (workshop)
    list_directory       read           List a directory of the project, sorted. Directories end in a slash. (workshop)
    read_file            read           Read a text file of the project. Files that you or others produced lie below agent_output/. (workshop)
    update_issue_status  change_status  Move your card to another status. (workshop)
    [exit 0]
    ");
    let all = answer(&environment, &["tool", "list"], 0);
    let names: Vec<&str> = all
        .as_array()
        .unwrap()
        .iter()
        .map(|tool| tool["name"].as_str().unwrap())
        .collect();
    assert!(names.is_sorted(), "{names:?}");
    for name in [
        "read_file",
        "write_file",
        "edit_file",
        "list_directory",
        "search_files",
        "update_issue_status",
        "add_issue_comment",
        "get_issue_context",
        "create_issue",
    ] {
        assert!(names.contains(&name), "{name}");
        let shown = answer(&environment, &["tool", "show", name], 0);
        assert_eq!(shown["name"], name);
        assert_eq!(shown["schema"]["type"], "object");
        let output = environment.run(&["tool", "show", name]);
        let example = format!("orket tool call {name} --role ROLE --card ID --args '");
        assert!(output.assert_code(0).stdout.contains(&example));
    }
    // Looking changes nothing.
    assert!(!environment.path(".orket").exists());
}

#[test]
fn a_tool_is_shown_with_its_limits_and_an_example() {
    let environment = sample();
    assert_snapshot!(environment.run(&["tool", "show", "list_directory"]), @r#"
    $ orket tool show list_directory
    list_directory (action read)
    List a directory of the project, sorted. Directories end in a slash.

    arguments
      path         text of at most 1024 bytes: The path, relative to the project; agent_output if left out

    limits
      1000 entries: the entries; of more, the first are shown and the result says so

    schema
    {
      "additionalProperties": false,
      "properties": {
        "path": {"description":"The path, relative to the project; agent_output if left out","type":"string"}
      },
      "required": [],
      "type": "object"
    }

    example
      orket tool call list_directory --role ROLE --card ID --args '{"path":"agent_output"}'
    [exit 0]
    "#);
}

#[test]
fn a_call_by_hand_reads_and_is_a_turn_that_replays() {
    let environment = acting();
    let arguments = [
        "tool",
        "call",
        "list_directory",
        "--role",
        "coder",
        "--args",
        r#"{"path":"agent_output/lib"}"#,
    ];
    assert_snapshot!(environment.run(&arguments), @r#"
    $ orket tool call list_directory --role coder --args {"path":"agent_output/lib"}
    {
      "entries": [
        "phase.sh"
      ]
    }
    -- standard error --
    operator-1:-:1 committed by ada
    [exit 0]
    "#);
    let told = answer(&environment, &arguments, 0);
    assert_eq!(told["result"], json!({ "entries": ["phase.sh"] }));
    assert_eq!(told["turn"], "operator-2:-:1");
    assert_eq!(told["author"], "ada");
    assert_eq!(told["outcome"], "promoted");
    assert_eq!(told["decisions"][0]["verdict"], "granted");
    environment
        .run(&["replay-turn", "operator-2:-:1"])
        .assert_code(0);
    environment.run(&["verify"]).assert_code(0);
}

#[test]
fn a_refused_call_ends_with_4_and_leaves_its_record() {
    let environment = acting();
    let before = environment.run(&["show", "state", "--json"]);
    let write = r#"{"path":"agent_output/lib/phase.sh","content":"exit 0\n"}"#;
    let call = |role: &'static str, card: &'static str| {
        [
            "tool",
            "call",
            "write_file",
            "--role",
            role,
            "--card",
            card,
            "--args",
            write,
        ]
    };
    let output = environment.run(&call("coder", "FL-2"));
    assert_eq!(
        output.complaint(4),
        "orket: the role coder does not act on FL-2, which is done; the refused attempt is kept as the run operator-1"
    );
    let output = environment.run(&call("code_reviewer", "FL-2"));
    assert_eq!(
        output.complaint(4),
        "orket: the role code_reviewer may not use write_file in the step review: no rule of the policy lists it; the refused attempt is kept as the run operator-2"
    );
    let told = answer(&environment, &call("code_reviewer", "FL-2"), 4);
    assert_eq!(told["outcome"], "refused");
    assert_eq!(told["run_id"], "operator-3");
    assert_eq!(told["decisions"][0]["verdict"], "denied");
    assert_eq!(told["result"], Value::Null);
    let kept = environment.run(&["show", "run", "operator-3", "--json"]);
    let kept: Value = serde_json::from_str(&kept.assert_code(0).stdout).unwrap();
    assert_eq!(kept["refused_attempts"], 1);
    assert_eq!(kept["state"], "failed");
    let after = environment.run(&["show", "state", "--json"]);
    assert_eq!(before.stdout, after.stdout, "the state did not move");
}

#[test]
fn what_is_not_there_is_named_before_anything_is_kept() {
    let environment = sample();
    let call = |name: &'static str, role: &'static str, args: &'static str| {
        vec!["tool", "call", name, "--role", role, "--args", args]
    };
    for (arguments, code, expected) in [
        (
            vec!["tool", "show", "reed_file"],
            2,
            "orket: there is no tool \"reed_file\"; did you mean read_file? There are add_issue_comment, ",
        ),
        (
            vec!["tool", "list", "--role", "codr"],
            2,
            "orket: there is no role \"codr\"; did you mean coder? There are architect, ",
        ),
        (
            call("teleport", "coder", "{}"),
            2,
            "orket: there is no tool \"teleport\"; there are add_issue_comment, ",
        ),
        (
            call("read_file", "nobody", "{}"),
            2,
            "orket: there is no role \"nobody\"; there are architect, ",
        ),
        (
            call("read_file", "coder", "{"),
            2,
            "orket: --args is no JSON: ",
        ),
        (
            [call("read_file", "coder", "{}"), vec!["--epic", "dusk"]].concat(),
            3,
            "orket: there is no epic \"dusk\" in model/epics/",
        ),
        (
            [call("read_file", "coder", "{}"), vec!["--card", "FL-1"]].concat(),
            3,
            "orket: there is no card FL-1 on the board; ",
        ),
    ] {
        let output = environment.run(&arguments);
        let complaint = output.complaint(code);
        assert!(complaint.starts_with(expected), "{complaint}");
    }
    assert!(!environment.path(".orket").exists());
    let band = environment.read("model/bands/workshop.json");
    let mistyped = band.replace("\"write_file\"", "\"writefile\"");
    environment.write("model/bands/workshop.json", &mistyped);
    let output = environment.run(&["tool", "list", "--role", "coder"]);
    let complaint = output.complaint(3);
    assert!(
        complaint.contains("there is no tool \"writefile\"; did you mean \"write_file\"?"),
        "{complaint}"
    );
}
