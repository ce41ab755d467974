//! `orket init TEMPLATE NAME`, `orket api add` and `orket refactor` as a person meets them.

use std::fs;
use std::path::Path;
use std::process::Command;

use insta::assert_snapshot;
use orket_testkit::{CliEnvironment, Tree};
use orket_workbench::Disk;
use serde_json::{Value, json};

use crate::sample::program;

const INDEX: &str = "const express = require('express');\n\nconst router = express.Router();\n\nmodule.exports = router;\n";

/// A project with Express routes, outside git and without `orket.toml`.
fn express() -> CliEnvironment {
    let environment = CliEnvironment::empty(program());
    environment.write("src/routes/index.js", INDEX);
    environment.write("notes.txt", "mine, and in no repository\n");
    environment
}

const ADD: [&str; 7] = [
    "api",
    "add",
    "users",
    "--schema",
    "id:int,name:string?",
    "--scope",
    "src",
];

fn with<'a>(arguments: &[&'a str], more: &[&'a str]) -> Vec<&'a str> {
    arguments.iter().chain(more).copied().collect()
}

#[test]
fn a_project_from_a_template() {
    let environment = CliEnvironment::empty(program());
    assert_snapshot!(environment.run(&["init", "minimal-node", "shop", "--var", "description=Sells things."]), @r"
    $ orket init minimal-node shop --var description=Sells things.
    made  shop/.gitignore
    made  shop/README.md
    made  shop/orket.toml
    made  shop/package.json
    made  shop/src/index.js
    made  shop/test/index.test.js
    [exit 0]
    ");
    assert_eq!(
        Tree::read(environment.project()).paths(),
        [
            "shop",
            "shop/.gitignore",
            "shop/README.md",
            "shop/orket.toml",
            "shop/package.json",
            "shop/src",
            "shop/src/index.js",
            "shop/test",
            "shop/test/index.test.js",
        ]
    );
    let package: Value = serde_json::from_str(&environment.read("shop/package.json")).unwrap();
    assert_eq!(package["name"], "shop");
    assert_eq!(package["description"], "Sells things.");
    // It is a project in whose tree the other commands work at once.
    environment
        .run(&["board", "--project", "shop"])
        .assert_code(0);
    assert_snapshot!(environment.run(&["init", "minimal-node", "shop"]), @r"
    $ orket init minimal-node shop
    -- standard error --
    orket: E_OUTPUT_DIR_EXISTS: [project]/shop is there already; choose another name, or move it away
    [exit 1]
    ");
}

#[test]
fn the_template_flow_is_what_init_makes_in_place() {
    let one = CliEnvironment::empty(program());
    one.run(&["init"]).assert_code(0);
    let other = CliEnvironment::empty(program());
    other.run(&["init", "flow", "play"]).assert_code(0);
    let none: [String; 0] = [];
    assert_eq!(
        Tree::read(one.project()).differences(&Tree::read(&other.path("play"))),
        none
    );
    other.run(&["board", "--project", "play"]).assert_code(0);
}

#[test]
fn a_template_of_one_s_own_checks_its_project_in_the_sandbox() {
    let environment = CliEnvironment::empty(program());
    environment.write(
        "t/template.toml",
        "description = \"x\"\nverify = [\"sh check.sh\"]\n",
    );
    environment.write(
        "t/files/check.sh",
        "grep -q {{name}} check.sh && touch made && exit $(cat code)\n",
    );
    environment.write("t/files/code", "0\n");
    environment.run(&["init", "./t", "good"]).assert_code(0);
    // What the check made stayed in its copy.
    assert_eq!(
        Tree::read(&environment.path("good")).paths(),
        ["check.sh", "code"]
    );
    environment.write("t/files/code", "3\n");
    let before = Tree::read(environment.project());
    assert_snapshot!(environment.run(&["init", "./t", "bad"]), @r"
    $ orket init ./t bad
    -- standard error --

    orket: E_INIT_VERIFY_FAILED: `sh check.sh` exited with 3 in the new project; nothing was made
    [exit 1]
    ");
    assert_eq!(Tree::read(environment.project()), before);
    environment
        .run(&["init", "./t", "bad", "--no-verify"])
        .assert_code(0);
}

#[test]
fn a_route_is_shown_then_added_then_there() {
    let environment = express();
    let before = Tree::read(environment.project());
    assert_snapshot!(environment.run(&with(&ADD, &["--dry-run"])), @r#"
    $ orket api add users --schema id:int,name:string? --scope src --dry-run
    --- /dev/null
    +++ b/src/controllers/users_controller.js
    @@ -0,0 +1,15 @@
    +// orket:api users GET id:int,name:string?
    +// Made by `orket api add`. What stands between USER lines is yours, the rest is made anew.
    +'use strict';
    +
    +// ORKET:USER-START imports
    +// ORKET:USER-END imports
    +
    +/** Answers GET /users. The shape is that of ../types/users.json. */
    +async function onGet(request, response, next) {
    +  // ORKET:USER-START get
    +  response.status(501).json({ error: 'not implemented' });
    +  // ORKET:USER-END get
    +}
    +
    +module.exports = { onGet };
    --- a/src/routes/index.js
    +++ b/src/routes/index.js
    @@ -1,5 +1,7 @@
     const express = require('express');
    +const usersRoutes = require('./users');
     
     const router = express.Router();
     
    +router.use('/users', usersRoutes);
     module.exports = router;
    --- /dev/null
    +++ b/src/routes/users.js
    @@ -0,0 +1,15 @@
    +// orket:api users GET id:int,name:string?
    +// Made by `orket api add`. What stands between USER lines is yours, the rest is made anew.
    +'use strict';
    +
    +const express = require('express');
    +const controller = require('../controllers/users_controller');
    +
    +const router = express.Router();
    +
    +router.get('/', controller.onGet);
    +
    +// ORKET:USER-START routes
    +// ORKET:USER-END routes
    +
    +module.exports = router;
    --- /dev/null
    +++ b/src/types/users.json
    @@ -0,0 +1,11 @@
    +{
    +  "$comment": "orket:api users GET id:int,name:string?",
    +  "title": "Users",
    +  "type": "object",
    +  "properties": {
    +    "id": { "type": "integer" },
    +    "name": { "type": "string" }
    +  },
    +  "required": ["id"],
    +  "additionalProperties": false
    +}
    [exit 0]
    "#);
    assert_eq!(Tree::read(environment.project()), before);
    environment
        .run(&with(&ADD, &["--dry-run", "--yes"]))
        .assert_code(0);
    assert_eq!(Tree::read(environment.project()), before);
    // Nobody can be asked here.
    let refused = environment.run(&ADD);
    assert_eq!(
        refused.complaint(7),
        "orket: E_CONFIRMATION_REQUIRED: nothing was changed, for nobody can be asked here; type the command again with --yes"
    );
    assert!(refused.stderr.contains("+++ b/src/types/users.json\n"));
    assert_eq!(Tree::read(environment.project()), before);
    assert_snapshot!(environment.run(&with(&ADD, &["--yes"])), @r"
    $ orket api add users --schema id:int,name:string? --scope src --yes
    made     src/controllers/users_controller.js  +15 -0
    changed  src/routes/index.js  +2 -0
    made     src/routes/users.js  +15 -0
    made     src/types/users.json  +11 -0
    -- standard error --
    verification: none, for [verify] of orket.toml names no commands
    [exit 0]
    ");
    let after = Tree::read(environment.project());
    assert_eq!(
        after.files(),
        [
            "notes.txt",
            "src/controllers/users_controller.js",
            "src/routes/index.js",
            "src/routes/users.js",
            "src/types/users.json",
        ]
    );
    assert_snapshot!(environment.run(&with(&ADD, &["--yes"])), @r"
    $ orket api add users --schema id:int,name:string? --scope src --yes
    no change: the route is there, just so
    [exit 0]
    ");
    let again = environment.run(&with(&ADD, &["--yes", "--json"]));
    let again: Value = serde_json::from_str(&again.assert_code(0).stdout).unwrap();
    assert_eq!(again["idempotent"], true);
    assert_eq!(again["changes"], json!([]));
    assert_eq!(Tree::read(environment.project()), after);
}

/// A small Python project with checks.
fn python(verify: &str) -> CliEnvironment {
    let environment = CliEnvironment::empty(program());
    environment.write("orket.toml", verify);
    environment.write("src/a.py", "def users():  # users\n    return 'users'\n");
    environment.write("src/b.py", "from src.a import users\r\n");
    environment
}

const RENAME: [&str; 5] = [
    "refactor",
    "rename users to members",
    "--scope",
    "src",
    "--yes",
];

#[test]
fn a_name_becomes_another_one_and_comes_back() {
    let environment =
        python("[verify]\ncommands = [\"grep -q members src/a.py\", \"touch left-behind\"]\n");
    let before = Tree::read(environment.project());
    assert_snapshot!(environment.run(&RENAME), @r"
    $ orket refactor rename users to members --scope src --yes
    changed  src/a.py  +1 -1
    changed  src/b.py  +1 -1
    -- standard error --
    note: users stays in 1 places in comments (--comments changes them too)
    note: users stays in 1 places in strings (--strings changes them too)
    verification: 2 commands passed, sandbox [tier]
    [exit 0]
    ");
    assert_eq!(
        environment.read("src/a.py"),
        "def members():  # users\n    return 'users'\n"
    );
    assert_eq!(
        environment.read("src/b.py"),
        "from src.a import members\r\n"
    );
    environment.write("orket.toml", "");
    environment
        .run(&[
            "refactor",
            "rename members to users",
            "--scope",
            ".",
            "--yes",
        ])
        .assert_code(0);
    environment.write(
        "orket.toml",
        "[verify]\ncommands = [\"grep -q members src/a.py\", \"touch left-behind\"]\n",
    );
    assert_eq!(Tree::read(environment.project()), before);
}

#[test]
fn a_change_that_the_project_s_own_commands_refuse_never_happens() {
    let environment = python("[verify]\ncommands = [\"echo looking; grep users src/b.py\"]\n");
    let before = Tree::read(environment.project());
    assert_snapshot!(environment.run(&RENAME), @r"
    $ orket refactor rename users to members --scope src --yes
    -- standard error --
    looking
    orket: E_VERIFY_FAILED_REVERTED: `echo looking; grep users src/b.py` exited with 1 on a copy of the project with the change; the project is as it was
    [exit 1]
    ");
    let output = environment.run(&with(&RENAME, &["--json"]));
    let told: Value = serde_json::from_str(&output.assert_code(1).stdout).unwrap();
    assert_eq!(told["ok"], false);
    assert_eq!(told["code"], "E_VERIFY_FAILED_REVERTED");
    assert_eq!(told["verify_output_tail"], "looking");
    assert_eq!(Tree::read(environment.project()), before);
}

#[test]
fn the_commands_of_a_verification_reach_nothing_outside() {
    let environment = CliEnvironment::empty(program());
    let outside = environment.root().join("outside");
    fs::write(&outside, "secret").unwrap();
    let command = format!("! cat {0} && ! touch {0}2 && ! cat .env", outside.display());
    environment.write(
        "orket.toml",
        &format!("[verify]\ncommands = [{command:?}]\n"),
    );
    environment.write(".env", "TOKEN=abcdefgh\n");
    environment.write("src/a.py", "users = 1\n");
    environment.run(&RENAME).assert_code(0);
    assert!(!outside.with_extension("2").exists());
}

#[test]
fn what_an_interrupted_command_left_is_undone_by_the_next_one() {
    let environment = python("");
    let before = Tree::read(environment.project());
    // As a kill leaves it that hits between the two files.
    environment.run(&RENAME).assert_code(0);
    let applied = environment.read("src/a.py");
    environment.write("src/b.py", "from src.a import users\r\n");
    let digest = |text: &str| {
        let output = Command::new("sha256sum")
            .arg(environment.path(text))
            .output()
            .unwrap();
        String::from_utf8(output.stdout).unwrap()[..64].to_owned()
    };
    let change = |path: &str, before: &str, after: &str| json!({"path": path, "before": before, "after": after});
    environment.write("new-b", "from src.a import members\r\n");
    environment.write("old-a", "def users():  # users\n    return 'users'\n");
    let record = json!({
        "version": 1,
        "changes": [
            change("src/a.py", &digest("old-a"), &digest("src/a.py")),
            change("src/b.py", &digest("src/b.py"), &digest("new-b")),
        ],
        "directories": [],
    });
    fs::rename(environment.path("old-a"), environment.path("keep-a")).unwrap();
    fs::remove_file(environment.path("new-b")).unwrap();
    environment.write(".orket-workbench/before-0", &environment.read("keep-a"));
    environment.write(".orket-workbench/before-1", "from src.a import users\r\n");
    environment.write(".orket-workbench/after-1", "from src.a import members\r\n");
    environment.write(".orket-workbench/applying", &record.to_string());
    fs::remove_file(environment.path("keep-a")).unwrap();
    assert_ne!(applied, "def users():  # users\n    return 'users'\n");
    assert_snapshot!(environment.run(&["refactor", "rename nobody to members", "--scope", "src", "--dry-run"]), @r"
    $ orket refactor rename nobody to members --scope src --dry-run
    -- standard error --
    an interrupted command was undone: src/a.py
    orket: E_TOUCHSET_EMPTY: nobody is nowhere in the scope as an identifier
    [exit 1]
    ");
    assert_eq!(Tree::read(environment.project()), before);
}

#[test]
fn a_person_at_a_terminal_is_asked() {
    if Command::new("script").arg("--version").output().is_err() {
        eprintln!("script is not here: nobody was asked");
        return;
    }
    let environment = python("");
    let before = Tree::read(environment.project());
    let ask = |answer: &str| {
        let command = format!(
            "{} refactor 'rename users to members' --scope src",
            program().display()
        );
        let mut script =
            environment.command_of("script".as_ref(), &["-qec", &command, "/dev/null"]);
        let mut child = script.spawn().unwrap();
        std::io::Write::write_all(child.stdin.as_mut().unwrap(), answer.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        (
            output.status.code(),
            String::from_utf8_lossy(&output.stdout).into_owned(),
        )
    };
    let (code, told) = ask("n\n");
    assert_eq!(code, Some(1), "{told}");
    assert!(
        told.contains("Change this? [y/N]") && told.contains("E_CONFIRMATION_DECLINED"),
        "{told}"
    );
    assert_eq!(Tree::read(environment.project()), before);
    let (code, told) = ask("y\n");
    assert_eq!(code, Some(0), "{told}");
    assert!(environment.read("src/b.py").contains("members"));
}

#[test]
fn git_is_not_asked_and_foreign_changes_stay() {
    let environment = python("");
    environment.write("untracked/x", "mine\n");
    environment.write(".git/HEAD", "not even a repository\n");
    environment.write(".gitignore", "ignored\n");
    environment.write("ignored", "mine too\n");
    let others = ["src"];
    let before = Tree::read(environment.project()).without(&others);
    environment.run(&RENAME).assert_code(0);
    assert_eq!(Tree::read(environment.project()).without(&others), before);
}

#[test]
fn a_tree_that_another_command_changes_is_left_alone() {
    let environment = python("");
    let held = orket_workbench::Workbench::open(environment.project(), &Disk).unwrap();
    let output = environment.run(&RENAME);
    assert!(
        output
            .complaint(6)
            .starts_with("orket: E_TRANSACTION_BUSY: "),
        "{output}"
    );
    drop(held);
    environment.run(&RENAME).assert_code(0);
    assert!(Path::new(&environment.path("src/a.py")).is_file());
}
