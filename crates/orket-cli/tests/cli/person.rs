//! A person's work is never overwritten, and what may not be written is not.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::process::CommandExt;

use orket_testkit::{CliEnvironment, Tree};

use crate::sample::{Facts, assert_same, facts, program, sample, worked};

const RUN: [&str; 3] = ["run", "--epic", "first_light"];

/// Who owns nothing.
const NOBODY: u32 = 65_534;

fn changed(path: &str) -> String {
    format!(
        "orket: agent_output/{path} was changed by someone else; take it over with `orket adopt`, or move it away to keep it (Orket then restores its own \
         version), and run again"
    )
}

/// Moves a file away, runs again, and checks that the run ends as it would have without the interruption.
fn goes_on_without(environment: &CliEnvironment, path: &str, expected: &Facts) {
    let mine = environment.read(&format!("agent_output/{path}"));
    fs::rename(
        environment.path(&format!("agent_output/{path}")),
        environment.path("mine"),
    )
    .unwrap();
    environment.run(&RUN).assert_code(0);
    assert_same(expected, &facts(environment, "first_light-1"));
    assert_eq!(environment.read("mine"), mine);
}

#[test]
fn a_file_that_a_person_wrote_where_an_agent_would() {
    let environment = sample();
    environment.write("agent_output/README.md", "mine\n");
    let output = environment.run(&RUN);
    assert_eq!(output.complaint(7), changed("README.md"));
    assert_eq!(environment.read("agent_output/README.md"), "mine\n");
    // As long as it lies there, nothing goes on.
    assert_eq!(environment.run(&RUN).complaint(7), changed("README.md"));
    goes_on_without(
        &environment,
        "README.md",
        &facts(&worked(), "first_light-1"),
    );
}

#[test]
fn a_file_that_a_person_changed_in_the_middle_of_a_run() {
    let environment = sample();
    environment.run(&["run", "--card", "FL-1"]).assert_code(0);
    environment.write("agent_output/docs/design.md", "# Another design\n");
    environment.write("agent_output/notes.txt", "not an agent's business\n");
    let output = environment.run(&RUN);
    assert_eq!(output.complaint(7), changed("docs/design.md"));
    assert_eq!(
        environment.read("agent_output/docs/design.md"),
        "# Another design\n"
    );
    fs::remove_file(environment.path("agent_output/notes.txt")).unwrap();
    goes_on_without(
        &environment,
        "docs/design.md",
        &facts(&worked(), "first_light-1"),
    );
}

#[test]
fn a_mode_that_a_person_changed_after_the_run() {
    let environment = worked();
    let expected = facts(&environment, "first_light-1");
    let path = environment.path("agent_output/first_light.sh");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    assert_eq!(
        environment.run(&RUN).complaint(7),
        changed("first_light.sh")
    );
    assert_eq!(
        fs::metadata(&path).unwrap().permissions().mode() & 0o777,
        0o644
    );
    goes_on_without(&environment, "first_light.sh", &expected);
}

#[test]
fn what_is_lost_of_the_projections_comes_back() {
    let environment = worked();
    let expected = facts(&environment, "first_light-1");
    let log = environment.read("workspace/default/orket.log");
    for part in ["agent_output", "workspace", ".orket/index"] {
        fs::remove_dir_all(environment.path(part)).unwrap();
    }
    environment.run(&RUN).assert_code(0);
    assert_same(&expected, &facts(&environment, "first_light-1"));
    assert_eq!(environment.read("workspace/default/orket.log"), log);
}

/// As another user where the tests run as root, whom no mode stops; else the mode is enough.
#[test]
fn a_project_that_may_not_be_written() {
    let environment = sample();
    let copied = environment.root().join("orket");
    fs::copy(program(), &copied).unwrap();
    fs::set_permissions(environment.temporary(), fs::Permissions::from_mode(0o1777)).unwrap();
    fs::set_permissions(environment.project(), fs::Permissions::from_mode(0o555)).unwrap();
    let is_root = fs::metadata(environment.project()).unwrap().uid() == 0;
    let before = Tree::read(environment.project());
    let mut command = environment.command_of(copied.as_os_str(), &RUN);
    if is_root {
        command.uid(NOBODY).gid(NOBODY);
    } else {
        eprintln!("not root: the directory's mode is tested, not another user");
    }
    let output = environment.run_command(command);
    let complaint = output.complaint(3);
    assert!(complaint.contains("[project]/.orket"), "{complaint}");
    assert!(complaint.contains("ermission denied"), "{complaint}");
    let none: [String; 0] = [];
    assert_eq!(before.differences(&Tree::read(environment.project())), none);
    // Writable again it works: nothing was lost.
    fs::set_permissions(environment.project(), fs::Permissions::from_mode(0o755)).unwrap();
    environment.run(&RUN).assert_code(0);
}
