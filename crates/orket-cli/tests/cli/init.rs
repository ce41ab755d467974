//! `orket init` against the sample project: what it writes was put into the binary when that was built.

use orket_testkit::{CliEnvironment, Tree};

use crate::sample::{fixtures, program};

/// What differs on purpose: a project of one's own keeps what its agents produce.
const GITIGNORE: &str = ".gitignore";

#[test]
fn a_new_project_holds_exactly_the_sample() {
    let environment = CliEnvironment::empty(program());
    environment.run(&["init"]).assert_code(0);
    let mut sample = Tree::read(&fixtures().join("first_light"));
    // Left behind by a run in place.
    sample = sample.without(&[".env", ".orket", "agent_output", "workspace", GITIGNORE]);
    let made = Tree::read(environment.project());
    assert_eq!(
        made.bytes(GITIGNORE).unwrap(),
        b".env\n.orket/\nworkspace/\n"
    );
    let none: [String; 0] = [];
    assert_eq!(sample.differences(&made.without(&[GITIGNORE])), none);
    for part in [
        "model/epics/first_light.json",
        "cassettes/",
        "verification/",
        ".env.example",
    ] {
        assert!(
            sample.files().iter().any(|file| file.starts_with(part)),
            "{part}"
        );
    }
}

#[test]
fn the_settings_are_all_there_with_their_lines() {
    let environment = CliEnvironment::empty(program());
    environment.run(&["init"]).assert_code(0);
    // The template is a valid .env as it stands, and changes nothing.
    std::fs::copy(environment.path(".env.example"), environment.path(".env")).unwrap();
    environment.run(&["board"]).assert_code(0);
    let text = environment.read(".env.example");
    for setting in [
        "ORKET_HOME=",
        "ORKET_OLLAMA_URL=",
        "ORKET_AUTHOR=",
        "ORKET_CLOCK=",
        "NO_COLOR=",
    ] {
        assert!(text.lines().any(|line| line == setting), "{setting}");
    }
}

#[test]
fn what_exists_is_kept_and_each_file_is_told_once() {
    let environment = CliEnvironment::empty(program());
    environment.write("orket.toml", "# mine\n");
    let output = environment.run(&["init"]);
    output.assert_code(0);
    assert_eq!(environment.read("orket.toml"), "# mine\n");
    let mut told: Vec<&str> = output.stdout.lines().map(|line| &line[6..]).collect();
    told.sort_unstable();
    let mut made = Tree::read(environment.project())
        .files()
        .into_iter()
        .map(str::to_owned)
        .collect::<Vec<_>>();
    made.sort_unstable();
    assert_eq!(told, made);
    assert_eq!(output.stdout.matches("kept  orket.toml\n").count(), 1);
    assert_eq!(output.stdout.matches("kept  ").count(), 1);
}

#[test]
fn a_directory_can_be_named() {
    let environment = CliEnvironment::empty(program());
    environment
        .run(&["init", "--project", "deep/inside"])
        .assert_code(0);
    environment
        .run(&["board", "--project", "deep/inside"])
        .assert_code(0);
    assert_eq!(
        Tree::read(environment.project()).paths()[..2],
        ["deep", "deep/inside"]
    );
}
