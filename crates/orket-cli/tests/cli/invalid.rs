//! What a person wrote is not valid: one line that names the place, the documented exit code, nothing made.

use orket_testkit::{CliEnvironment, Output, Tree};

use crate::sample::{program, sample};

const EPIC: &str = "model/epics/first_light.json";

const RUN: &[&str] = &["run", "--epic", "first_light"];

/// Runs a command that must fail in a project that was changed first; checks that it leaves the project as it is.
fn fail(change: impl FnOnce(&CliEnvironment), arguments: &[&str]) -> Output {
    let environment = sample();
    change(&environment);
    let before = Tree::read(environment.project());
    let output = environment.run(arguments);
    let none: [String; 0] = [];
    assert_eq!(
        before.differences(&Tree::read(environment.project())),
        none,
        "{output}"
    );
    output
}

#[track_caller]
fn check(change: impl FnOnce(&CliEnvironment), arguments: &[&str], code: i32, expected: &str) {
    let output = fail(change, arguments);
    assert_eq!(output.complaint(code), format!("orket: {expected}"));
}

#[test]
fn an_epic_that_is_not_there() {
    check(
        |_| {},
        &["run", "--epic", "nosuch"],
        3,
        "there is no epic \"nosuch\" in model/epics/; there are: first_light",
    );
}

#[test]
fn other_assets_that_are_not_there() {
    check(
        |_| {},
        &["run", "--rock", "nosuch"],
        3,
        "there is no rock \"nosuch\" in model/rocks/; there are: morning",
    );
    check(
        |_| {},
        &["run", "--card", "FL-9"],
        3,
        "there is no card \"FL-9\"; `orket board` lists the cards, and model/epics/ defines them",
    );
    check(
        |_| {},
        &["run", "--epic", "first_light", "--venue", "nosuch"],
        3,
        "there is no venue \"nosuch\" in model/venues/; there are: ollama, recorded",
    );
}

#[test]
fn a_card_that_depends_on_no_card() {
    check(
        |project| {
            project.replace(
                EPIC,
                r#""depends_on": ["FL-2"]"#,
                r#""depends_on": ["FL-9"]"#,
            )
        },
        RUN,
        3,
        "model/epics/first_light.json: the card FL-3 depends on FL-9, which does not exist; define it or take it out of depends_on",
    );
}

#[test]
fn cards_that_wait_for_each_other() {
    check(
        |project| {
            project.replace(
                EPIC,
                r#""depends_on": ["FL-1"]"#,
                r#""depends_on": ["FL-3"]"#,
            )
        },
        RUN,
        3,
        "model/epics/first_light.json: the cards FL-2 -> FL-3 -> FL-2 wait for each other; take one of these out of depends_on",
    );
}

#[test]
fn an_asset_that_is_not_json() {
    check(
        |project| project.replace(EPIC, "\"flow\": \"standard\",", "\"flow\": \"standard\",,"),
        RUN,
        3,
        "model/epics/first_light.json:4: ',' stands where a key should come, at pointer \"\", byte 135",
    );
}

#[test]
fn a_field_that_is_misspelt() {
    check(
        |project| project.replace(EPIC, "\"flow\": \"standard\",", "\"flwo\": \"standard\","),
        RUN,
        3,
        "model/epics/first_light.json: unknown field `flwo`, expected one of `name`, `description`, `flow`, `cards`, \
         `pins`, `created_cards`, at pointer \"/flwo\"",
    );
}

#[test]
fn a_tool_that_there_is_not() {
    check(
        |project| {
            project.replace(
                "model/bands/workshop.json",
                "send it back with in_progress and a comment that says what to change.\",\n      \"tools\": [",
                "send it back.\",\n      \"tools\": [\"format_disk\", ",
            );
        },
        RUN,
        3,
        "model/bands/workshop.json: /roles/code_reviewer/tools/0: there is no tool \"format_disk\"; there are \
         add_issue_comment, create_issue, edit_file, get_issue_context, list_directory, read_file, run_command, \
         search_files, update_issue_status, write_file",
    );
}

#[test]
fn a_setting_that_there_is_not() {
    for arguments in [RUN, &["board"]] {
        check(
            |project| project.write(".env", "# mine\nORKET_HOEM=x\n"),
            arguments,
            3,
            ".env:2: there is no setting \"ORKET_HOEM\"; there are ORKET_HOME, ORKET_OLLAMA_URL, ORKET_AUTHOR, ORKET_CLOCK, NO_COLOR",
        );
    }
    check(
        |project| project.write(".env", "ORKET_HOME\n"),
        RUN,
        3,
        ".env:1: a line has the form NAME=value",
    );
}

#[test]
fn a_configuration_that_cannot_be_read() {
    for (text, expected) in [
        (
            "[policy]\nread_scope = [\"moon\"]\n",
            "orket.toml: line 2: unknown variant `moon`, expected one of `workspace`, `reference`, `domain`",
        ),
        (
            "[policy]\nwrite_scope = [\"workspace\", \"domain\"]\n",
            "orket.toml: line 2: agents cannot be let write the work domain, only \"workspace\"",
        ),
        (
            "[policy]\nwrite_scope = [\"reference\"]\n",
            "orket.toml: line 2: reference spaces are never writable",
        ),
        (
            "[policy]\nexecute_scope = []\n",
            "orket.toml: line 2: unknown field `execute_scope`, expected `read_scope` or `write_scope`",
        ),
        (
            "[spaces.reference]\nC = \"docs\"\n",
            "orket.toml: a reference space cannot be named \"C\": 2 to 32 of a-z, 0-9, _ and -, beginning with a letter, \
             and not launch",
        ),
        (
            "[spaces.reference]\ndocs = \"nosuch\"\n",
            "the reference space docs: [project]/nosuch cannot be opened: No such file or directory (os error 2)",
        ),
        (
            "[spaces.reference]\ndocs = \"workspace/..\"\n",
            "the reference space docs cannot be [project]: it holds the project or its database; name a directory beside \
             or below them",
        ),
    ] {
        check(
            |project| {
                project.write("orket.toml", text);
                project.write("workspace/x", "");
            },
            RUN,
            3,
            expected,
        );
    }
}

#[test]
fn a_home_where_agents_would_write() {
    check(
        |project| project.write(".env", "ORKET_HOME=agent_output/state\n"),
        RUN,
        3,
        "ORKET_HOME cannot be [project]/agent_output/state: agents write below agent_output/; name a directory elsewhere",
    );
}

#[test]
fn a_directory_that_is_no_project() {
    let environment = CliEnvironment::empty(program());
    for arguments in [RUN, &["board"], &["show", "run"]] {
        let output = environment.run(arguments);
        assert_eq!(
            output.complaint(3),
            "orket: no orket.toml in [project] or above it; go to a project, name one with --project DIR, or make one \
             with `orket init`"
        );
    }
    let output = environment.run(&["board", "--project", "nosuch"]);
    assert_eq!(
        output.complaint(3),
        "orket: nosuch is not a project: it holds no orket.toml; `orket init --project nosuch` makes one"
    );
    assert!(Tree::read(environment.project()).paths().is_empty());
}

/// The words of the argument parser: the first line names the mistake, and then comes how it is done.
#[test]
fn a_wrong_command_line() {
    for (arguments, expected) in [
        (
            &["run"][..],
            "the following required arguments were not provided:",
        ),
        (
            &["run", "--epik", "first_light"],
            "unexpected argument '--epik' found",
        ),
        (
            &["run", "--epic", "a", "--card", "b"],
            "the argument '--epic <NAME>' cannot be used with '--card <ID>'",
        ),
        (&["work"], "unrecognized subcommand 'work'"),
        (
            &["show", "turn", "FL-1"],
            "invalid value 'FL-1' for '<RUN:ISSUE:TURN[:ROLE]>': a turn is named RUN:ISSUE:TURN or RUN:ISSUE:TURN:ROLE",
        ),
        (
            &["run", "--epic", "first_light", "--run-id", "../x"],
            "invalid value '../x' for '--run-id <ID>': the run id \"../x\" is not valid: it may hold only letters, digits, \
             '.', '_' and '-'",
        ),
    ] {
        let output = fail(|_| {}, arguments);
        output.assert_code(2);
        assert_eq!(output.stdout, "");
        assert_eq!(
            output.stderr.lines().next(),
            Some(format!("error: {expected}").as_str()),
            "{output}"
        );
    }
}
