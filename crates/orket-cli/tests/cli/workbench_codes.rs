//! Every code of the workbench comes out of a command line, with its exit code, and changes nothing.

use std::collections::BTreeSet;
use std::fs;

use orket_testkit::{CliEnvironment, Tree};
use orket_workbench::Code;
use serde_json::Value;

use crate::sample::program;

/// What only a failing disk, a race, a terminal or a machine without a sandbox gives, and the test that does.
const ELSEWHERE: &[(Code, &str)] = &[
    (
        Code::ChangedSincePlan,
        "transaction.rs::what_changed_since_the_plan_is_refused_and_nothing_is_touched",
    ),
    (
        Code::ConfirmationDeclined,
        "workbench_session.rs::a_person_at_a_terminal_is_asked",
    ),
    (
        Code::OutcomeUnknown,
        "torture.rs::an_operation_that_fails_leaves_the_tree_as_it_was_at_once",
    ),
    (
        Code::RestoreFailed,
        "transaction.rs::what_an_interrupted_command_left_is_undone_and_told",
    ),
    (
        Code::SandboxUnavailable,
        "verification.rs::where_no_sandbox_can_be_made_nothing_is_run",
    ),
    (
        Code::TransactionBusy,
        "workbench_session.rs::a_tree_that_another_command_changes_is_left_alone",
    ),
];

struct Case {
    code: Code,
    exit: i32,
    /// Files to add to the project.
    files: &'static [(&'static str, &'static str)],
    arguments: &'static [&'static str],
}

const fn case(
    code: Code,
    exit: i32,
    files: &'static [(&'static str, &'static str)],
    arguments: &'static [&'static str],
) -> Case {
    Case {
        code,
        exit,
        files,
        arguments,
    }
}

const INDEX: (&str, &str) = (
    "src/routes/index.js",
    "const express = require('express');\nconst router = express.Router();\nmodule.exports = router;\n",
);
const PYTHON: (&str, &str) = ("src/a.py", "users = 1\n");
const RENAME: &[&str] = &[
    "refactor",
    "rename users to members",
    "--scope",
    "src",
    "--yes",
];
const ADD: &[&str] = &[
    "api", "add", "users", "--schema", "id:int", "--scope", "src", "--yes",
];
const TEMPLATE: (&str, &str) = (
    "t/template.toml",
    "description = \"x\"\nverify = [\"exit 3\"]\n",
);

const CASES: &[Case] = &[
    case(Code::BlueprintNotFound, 2, &[], &["init", "rails", "x"]),
    case(
        Code::ConfigInvalid,
        3,
        &[PYTHON, ("orket.toml", "[verify]\ncommands = [\" \"]\n")],
        RENAME,
    ),
    case(
        Code::ConfirmationRequired,
        7,
        &[PYTHON],
        &["refactor", "rename users to members", "--scope", "src"],
    ),
    case(
        Code::DraftFailure,
        1,
        &[INDEX, ("orket.toml", "[verify]\ncommands = [\"exit 3\"]\n")],
        ADD,
    ),
    case(
        Code::FileUnsupported,
        1,
        &[INDEX, ("src/routes/users.js/x", "")],
        ADD,
    ),
    case(
        Code::IdentifierInvalid,
        2,
        &[PYTHON],
        &[
            "refactor",
            "rename users to class",
            "--scope",
            "src",
            "--yes",
        ],
    ),
    case(
        Code::InitConfigInvalid,
        3,
        &[TEMPLATE, ("t/files/a", "{{other}}")],
        &["init", "./t", "x"],
    ),
    case(
        Code::InitVerifyFailed,
        1,
        &[TEMPLATE, ("t/files/a", "")],
        &["init", "./t", "x"],
    ),
    case(
        Code::Internal,
        1,
        &[PYTHON, (".orket-workbench/mine", "not a journal")],
        RENAME,
    ),
    case(
        Code::JournalDamaged,
        3,
        &[PYTHON, (".orket-workbench/applying", "{")],
        RENAME,
    ),
    case(
        Code::NameCollision,
        1,
        &[PYTHON, ("src/b.py", "members = 1\n")],
        RENAME,
    ),
    case(Code::NameInvalid, 2, &[], &["init", "minimal-node", "../x"]),
    case(
        Code::OutputDirExists,
        1,
        &[("x", "mine")],
        &["init", "minimal-node", "x"],
    ),
    case(Code::ProjectStyleUnsupported, 1, &[PYTHON], ADD),
    case(
        Code::RestoreConflict,
        7,
        &[
            PYTHON,
            (
                ".orket-workbench/applying",
                "{\"version\": 1, \"changes\": [{\"path\": \"src/a.py\", \"before\": null, \"after\": \"00\"}], \"directories\": []}",
            ),
        ],
        RENAME,
    ),
    case(
        Code::RouteConflict,
        1,
        &[INDEX, ("src/routes/users.js", "mine\n")],
        ADD,
    ),
    case(
        Code::RouteInvalid,
        2,
        &[INDEX],
        &[
            "api", "add", "a b", "--schema", "id:int", "--scope", "src", "--yes",
        ],
    ),
    case(
        Code::SchemaParseFailed,
        2,
        &[INDEX],
        &[
            "api", "add", "users", "--schema", "id", "--scope", "src", "--yes",
        ],
    ),
    case(
        Code::ScopeInvalid,
        2,
        &[PYTHON],
        &[
            "refactor",
            "rename users to members",
            "--scope",
            "../x",
            "--yes",
        ],
    ),
    case(
        Code::ScopeRequired,
        2,
        &[PYTHON],
        &["refactor", "rename users to members", "--yes"],
    ),
    case(
        Code::SourceUnreadable,
        1,
        &[("src/a.py", "def users(:\n")],
        RENAME,
    ),
    case(Code::TouchsetEmpty, 1, &[("src/a.py", "# users\n")], RENAME),
    case(
        Code::UnsupportedInstruction,
        2,
        &[PYTHON],
        &["refactor", "tidy up", "--scope", "src", "--yes"],
    ),
    case(
        Code::VariableInvalid,
        2,
        &[],
        &["init", "minimal-node", "x", "--var", "colour=red"],
    ),
    case(
        Code::VerifyFailedReverted,
        1,
        &[
            PYTHON,
            ("orket.toml", "[verify]\ncommands = [\"exit 3\"]\n"),
        ],
        RENAME,
    ),
    case(
        Code::WriteOutOfScope,
        4,
        &[INDEX],
        &[
            "api",
            "add",
            "users",
            "--schema",
            "id:int",
            "--scope",
            "src/routes",
            "--yes",
        ],
    ),
];

#[test]
fn each_code_comes_with_its_exit_code_and_nothing_is_changed() {
    for case in CASES {
        let environment = CliEnvironment::empty(program());
        for (path, text) in case.files {
            environment.write(path, text);
        }
        let before = Tree::read(environment.project());
        let output = environment.run(case.arguments);
        let begin = format!("orket: {}: ", case.code);
        assert!(
            output.complaint(case.exit).starts_with(&begin),
            "{}: {output}",
            case.code
        );
        assert_eq!(Tree::read(environment.project()), before, "{output}");
        let arguments: Vec<&str> = case.arguments.iter().copied().chain(["--json"]).collect();
        let output = environment.run(&arguments);
        let told: Value = serde_json::from_str(&output.assert_code(case.exit).stdout).unwrap();
        assert_eq!(
            (&told["ok"], &told["code"]),
            (&Value::from(false), &Value::from(case.code.as_str()))
        );
        assert_eq!(Tree::read(environment.project()), before, "{output}");
    }
}

#[test]
fn a_file_that_is_too_large_is_refused() {
    let environment = CliEnvironment::empty(program());
    environment.write("src/a.py", &format!("users = 1\n{}", "#\n".repeat(9 << 20)));
    let output = environment.run(RENAME);
    assert!(
        output.complaint(4).starts_with("orket: E_LIMIT_EXCEEDED: "),
        "{output}"
    );
    assert!(fs::metadata(environment.path("src/a.py")).unwrap().len() > 9 << 20);
}

#[test]
fn no_code_is_without_a_test() {
    let mut covered: BTreeSet<Code> = CASES.iter().map(|case| case.code).collect();
    covered.insert(Code::LimitExceeded);
    for (code, _) in ELSEWHERE {
        assert!(covered.insert(*code), "{code} is in both lists");
    }
    let missing: Vec<&Code> = Code::ALL
        .iter()
        .filter(|code| !covered.contains(code))
        .collect();
    assert!(missing.is_empty(), "{missing:?}");
}
