//! A person's edit in `agent_output/` is never overwritten.

use std::fs;

use orket_flow::{RunEnding, RunError};

use crate::conductor::Closures;
use crate::model::{calls, good, scripted, set, write};
use crate::project::{Project, card};
use crate::table::Table;

const MINE: &str = "my own words\n";

fn edit(project: &Project, path: &str) {
    let path = project.path("agent_output").join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, MINE).unwrap();
}

fn foreign(error: &RunError) -> Vec<String> {
    match error {
        RunError::ForeignChange { paths } => paths.clone(),
        other => panic!("{other}"),
    }
}

fn undisturbed() -> orket_kernel::Digest {
    let project = Project::new(&[card("A", &[])]);
    Table::new(&project, &scripted(|ask| Ok(good(ask))))
        .play()
        .unwrap();
    project.state_digest()
}

#[test]
fn an_edit_between_commands_stops_the_next_command() {
    let project = Project::new(&[card("A", &[])]);
    let model = scripted(|ask| Ok(good(ask)));
    let table = Table::new(&project, &model);
    table
        .conducted(&mut Closures::stop_after_each_step())
        .unwrap();
    edit(&project, "A.txt");
    for _ in 0..2 {
        let error = table.play().unwrap_err();
        assert_eq!(foreign(&error), ["A.txt"]);
        assert!(error.to_string().contains("move it away"), "{error}");
        assert_eq!(project.output("A.txt").unwrap(), MINE);
    }
    assert_eq!(model.count(), 1, "no turn was taken meanwhile");
    fs::rename(project.path("agent_output/A.txt"), project.path("mine.txt")).unwrap();
    assert_eq!(table.play().unwrap().ending, RunEnding::Done);
    assert_eq!(project.output("A.txt").unwrap(), "good work for A\n");
    assert_eq!(project.state_digest(), undisturbed());
}

/// The file is there before any turn wrote it, or changes while the model thinks.
#[test]
fn an_edit_while_the_model_thinks_is_left_alone_and_named() {
    let project = Project::new(&[card("A", &[])]);
    let model = scripted(|ask| {
        if ask.role == "coder" {
            edit(&project, "A.txt");
        }
        Ok(good(ask))
    });
    let table = Table::new(&project, &model);
    let error = table.play().unwrap_err();
    assert_eq!(foreign(&error), ["A.txt"]);
    assert_eq!(project.output("A.txt").unwrap(), MINE);
    // Nothing was promoted over it; the next command says the same until the file is moved away.
    assert_eq!(project.statuses(), "A ready");
    assert_eq!(project.turns("e-1").len(), 1);
    assert_eq!(foreign(&table.play().unwrap_err()), ["A.txt"]);
    assert_eq!(project.output("A.txt").unwrap(), MINE);
    fs::remove_file(project.path("agent_output/A.txt")).unwrap();
    assert_eq!(table.play().unwrap().ending, RunEnding::Done);
    assert_eq!(project.output("A.txt").unwrap(), "good work for A\n");
    assert_eq!(model.count(), 3, "the staged answer was used");
    assert_eq!(project.state_digest(), undisturbed());
}

#[test]
fn an_edit_of_a_file_that_a_later_turn_writes_again_is_left_alone() {
    let project = Project::new(&[card("A", &[])]);
    let model = scripted(|ask| {
        Ok(match (ask.role.as_str(), ask.status.as_str()) {
            ("code_reviewer", _) if project.turns("e-1").len() < 4 => {
                edit(&project, "A.txt");
                calls([set("in_progress")])
            }
            ("coder", "in_progress") => calls([
                write("agent_output/A.txt", "good, second"),
                set("code_review"),
            ]),
            _ => good(ask),
        })
    });
    let error = Table::new(&project, &model).play().unwrap_err();
    assert_eq!(foreign(&error), ["A.txt"]);
    assert_eq!(project.output("A.txt").unwrap(), MINE);
}

#[test]
fn what_stands_in_the_way_and_is_no_plain_file_is_left_alone() {
    let project = Project::new(&[card("A", &[])]);
    fs::create_dir_all(project.path("agent_output/A.txt")).unwrap();
    fs::write(project.path("agent_output/A.txt/inside"), MINE).unwrap();
    let model = scripted(|ask| Ok(good(ask)));
    assert_eq!(
        foreign(&Table::new(&project, &model).play().unwrap_err()),
        ["A.txt"]
    );
    assert_eq!(project.output("A.txt/inside").unwrap(), MINE);
    let linked = Project::new(&[card("A", &[])]);
    fs::create_dir_all(linked.path("agent_output")).unwrap();
    fs::write(linked.path("elsewhere"), MINE).unwrap();
    std::os::unix::fs::symlink("../elsewhere", linked.path("agent_output/A.txt")).unwrap();
    assert_eq!(
        foreign(&Table::new(&linked, &model).play().unwrap_err()),
        ["A.txt"]
    );
    assert_eq!(fs::read_to_string(linked.path("elsewhere")).unwrap(), MINE);
}

#[test]
fn a_file_that_no_turn_knows_is_not_touched() {
    let project = Project::new(&[card("A", &[])]);
    edit(&project, "notes/mine.txt");
    Table::new(&project, &scripted(|ask| Ok(good(ask))))
        .play()
        .unwrap();
    assert_eq!(project.output("notes/mine.txt").unwrap(), MINE);
}

#[test]
fn agents_read_the_promoted_file_and_not_the_edited_one() {
    let project = Project::new(&[card("A", &[])]);
    let model = scripted(|ask| {
        Ok(match ask.role.as_str() {
            "code_reviewer" if !ask.text().contains("These are the results") => {
                // The edit is made while the turn goes on; only the next one can notice it.
                edit(&project, "A.txt");
                let path = orket_kernel::object! { "path" => "agent_output/A.txt" };
                calls([crate::model::call("read_file", path)])
            }
            _ => good(ask),
        })
    });
    let ended = Table::new(&project, &model).play().unwrap_err();
    assert_eq!(foreign(&ended), ["A.txt"]);
    assert_eq!(model.count(), 2);
    let read = project.record(&project.turns("e-1").pop().unwrap().record_digest);
    let shown = read.calls[0]
        .result
        .get("content")
        .and_then(|content| content.as_str());
    assert_eq!(shown, Some("good work for A\n"));
    assert_eq!(project.output("A.txt").unwrap(), MINE);
}
