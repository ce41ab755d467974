//! What a person does is one turn of an operator run.

use std::fs;
use std::sync::atomic::{AtomicUsize, Ordering};

use orket_cards::{Cause, RunState, Status, TurnStore};
use orket_flow::{
    CardEffect, ChangeError, Desk, Effects, FileEffect, OperatorEnd, PromotedTurn, RunEnding,
    change,
};
use orket_lsi::Depth;

use crate::model::{good, scripted};
use crate::project::{Project, card};
use crate::table::{Noon, Table};
use crate::tap::{Moment, TapStore, Tapped};

pub(crate) fn with_desk<T>(project: &Project, work: impl FnOnce(&Desk<'_>) -> T) -> T {
    let (board, workspace) = (project.board(), project.workspace());
    work(&Desk {
        store: &board,
        workspace: &workspace,
        clock: &Noon,
    })
}

pub(crate) fn written(content: &str) -> FileEffect {
    FileEffect::Write {
        payload: content.as_bytes().to_vec().into(),
        executable: false,
    }
}

pub(crate) fn files<const N: usize>(files: [(&str, FileEffect); N]) -> Effects {
    let files = files
        .into_iter()
        .map(|(path, effect)| (path.to_owned(), effect));
    Effects {
        files: files.collect(),
        ..Effects::default()
    }
}

pub(crate) fn changed(project: &Project, effects: &Effects) -> PromotedTurn {
    promoted(with_desk(project, |desk| change(desk, &ada(), effects)).unwrap())
}

pub(crate) fn promoted(end: OperatorEnd) -> PromotedTurn {
    match end {
        OperatorEnd::Promoted(turn) => turn,
        OperatorEnd::Refused { record } => panic!("{:?}", record.refusals),
    }
}

pub(crate) fn ada() -> orket_cards::Author {
    "ada".parse().unwrap()
}

pub(crate) fn verify(project: &Project) {
    let verification = project.board().verify(Depth::Full).unwrap();
    assert_eq!(verification.findings.faults, []);
    project.verify_index();
}

fn played(project: &Project) {
    let model = scripted(|ask| Ok(good(ask)));
    let summary = Table::new(project, &model).play().unwrap();
    assert_eq!(summary.ending, RunEnding::Done);
}

#[test]
fn files_are_written_replaced_and_deleted_in_one_turn_with_its_author() {
    let project = Project::new(&[card("A", &[])]);
    let first = changed(
        &project,
        &files([("a/one", written("1")), ("two", written("2"))]),
    );
    assert_eq!(first.run_id.as_str(), "operator-1");
    assert_eq!(first.written, ["a/one", "two"]);
    let second = changed(
        &project,
        &files([("a/one", FileEffect::Delete), ("two", written("22"))]),
    );
    assert_eq!(second.run_id.as_str(), "operator-2");
    assert_eq!(second.removed, ["a/one"]);
    assert_eq!(second.before, first.after);
    assert_eq!(project.output("two").unwrap(), "22");
    assert!(!project.path("agent_output/a").exists());
    for run in ["operator-1", "operator-2"] {
        assert_eq!(project.run_row(run).unwrap().state, RunState::Passed);
        assert_eq!(project.replay_all(run), 1);
        let record = project.record(&project.turns(run)[0].record_digest);
        let Cause::Operator { author, .. } = record.cause else {
            panic!("{:?}", record.cause);
        };
        assert_eq!(author, ada());
    }
    verify(&project);
}

/// A file of the person takes the place of a directory, and the other way round.
#[test]
fn a_file_may_become_a_directory_and_back_in_one_turn() {
    let project = Project::new(&[]);
    changed(&project, &files([("a", written("file"))]));
    changed(
        &project,
        &files([("a", FileEffect::Delete), ("a/b/c", written("below"))]),
    );
    assert_eq!(project.output("a/b/c").unwrap(), "below");
    changed(
        &project,
        &files([("a", written("again")), ("a/b/c", FileEffect::Delete)]),
    );
    assert_eq!(project.output("a").unwrap(), "again");
    let refused = with_desk(&project, |desk| {
        change(desk, &ada(), &files([("a/b", written("x"))]))
    });
    assert!(
        matches!(refused, Err(ChangeError::InTheWay { ref known, .. }) if known == "a"),
        "{refused:?}"
    );
    verify(&project);
}

#[test]
fn a_card_moves_by_the_transition_table_only_and_takes_a_comment() {
    let project = Project::new(&[card("A", &[])]);
    played(&project);
    let effect = |to| Effects {
        cards: [(
            "A".parse().unwrap(),
            CardEffect {
                to: Some((to, None)),
                comment: Some("seen".into()),
            },
        )]
        .into(),
        ..Effects::default()
    };
    let refused = with_desk(&project, |desk| {
        change(desk, &ada(), &effect(Status::Ready))
    });
    assert!(
        matches!(refused, Err(ChangeError::Transition { .. })),
        "{refused:?}"
    );
    assert_eq!(project.statuses(), "A done");
    changed(&project, &effect(Status::Archived));
    assert_eq!(project.statuses(), "A archived");
    let comment = project.cards()["A"].comments.last().cloned().unwrap();
    assert_eq!(
        (comment.author.as_str(), comment.text.as_str()),
        ("ada", "seen")
    );
    project.replay_all("operator-1");
    verify(&project);
}

#[test]
fn what_a_person_writes_over_verified_work_makes_it_unverified() {
    let project = Project::new(&[card("A", &[])]);
    played(&project);
    changed(&project, &files([("A.txt", written("mine"))]));
    assert_eq!(project.cards()["A"].verified.as_str(), "not run");
    // Evidence rests on the file, so it cannot go alone: the kernel refuses, and the attempt is kept.
    let effects = files([("A.txt", FileEffect::Delete)]);
    let end = with_desk(&project, |desk| change(desk, &ada(), &effects)).unwrap();
    let OperatorEnd::Refused { record } = end else {
        panic!("{end:?}");
    };
    assert!(
        record.refusals[0].contains("E_LSI_ORPHAN_REFERENCE"),
        "{record:?}"
    );
    assert_eq!(
        project.run_row("operator-2").unwrap().state,
        RunState::Failed
    );
    assert_eq!(project.attempts("operator-2").len(), 1);
    assert_eq!(project.output("A.txt").unwrap(), "mine");
    verify(&project);
}

#[test]
fn a_foreign_edit_is_named_and_nothing_is_done() {
    let project = Project::new(&[]);
    changed(&project, &files([("a", written("1"))]));
    fs::write(project.path("agent_output/a"), "somebody").unwrap();
    let before = project.state_digest();
    for effects in [files([("a", written("2"))]), files([("b", written("2"))])] {
        let error = with_desk(&project, |desk| change(desk, &ada(), &effects)).unwrap_err();
        assert!(
            error.to_string().contains("agent_output/a was changed"),
            "{error}"
        );
    }
    assert_eq!(project.output("a").unwrap(), "somebody");
    assert_eq!(project.state_digest(), before);
    assert!(project.run_row("operator-2").is_none());
}

#[test]
fn a_turn_that_was_overtaken_is_computed_again() {
    let project = Project::new(&[]);
    let (board, workspace) = (project.board(), project.workspace());
    let asked = AtomicUsize::new(0);
    let overtake = |tapped: &Tapped<'_>| {
        let is_commit = tapped.method == "commit_run" && tapped.moment == Moment::Before;
        if is_commit && asked.fetch_add(1, Ordering::Relaxed) == 0 {
            changed(&project, &files([("other", written("1"))]));
        }
        Ok(())
    };
    let store = TapStore {
        inner: &board as &dyn TurnStore,
        on: overtake,
    };
    let desk = Desk {
        store: &store,
        workspace: &workspace,
        clock: &Noon,
    };
    let turn = promoted(change(&desk, &ada(), &files([("mine", written("2"))])).unwrap());
    assert_eq!((turn.run_id.as_str(), turn.generation), ("operator-2", 2));
    assert_eq!(asked.load(Ordering::Relaxed), 2);
    assert_eq!(project.output("other").unwrap(), "1");
    assert_eq!(project.output("mine").unwrap(), "2");
    verify(&project);
}

/// A kill between the commit and the projection: the next command does what is left, deletions too.
#[test]
fn projections_that_lag_are_brought_forward_with_deletions() {
    let project = Project::new(&[]);
    changed(
        &project,
        &files([
            ("a/x", written("1")),
            ("b", written("1")),
            ("c", written("1")),
        ]),
    );
    let before = project.tree("agent_output");
    let note = fs::read(project.path(".orket/index/OUTPUT")).unwrap();
    changed(
        &project,
        &files([
            ("a/x", FileEffect::Delete),
            ("a", written("2")),
            ("b", FileEffect::Delete),
        ]),
    );
    let after = project.tree("agent_output");
    fs::remove_dir_all(project.path("agent_output")).unwrap();
    for (path, bytes) in before {
        let path = project.path("agent_output").join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
    fs::write(project.path(".orket/index/OUTPUT"), note).unwrap();
    changed(&project, &files([("d", written("3"))]));
    let mut expected = after;
    expected.insert("d".into(), b"3".to_vec());
    assert_eq!(project.tree("agent_output"), expected);
}

/// A kill between a file and the directories that it leaves empty.
#[test]
fn directories_that_a_kill_left_empty_go_with_the_next_command() {
    let project = Project::new(&[]);
    changed(
        &project,
        &files([("a/b/c", written("1")), ("a/d", written("1"))]),
    );
    let note = fs::read(project.path(".orket/index/OUTPUT")).unwrap();
    changed(
        &project,
        &files([("a/b/c", FileEffect::Delete), ("a/d", FileEffect::Delete)]),
    );
    for left in ["a/b", "a"] {
        fs::create_dir_all(project.path("agent_output").join(left)).unwrap();
        fs::write(project.path(".orket/index/OUTPUT"), &note).unwrap();
        changed(
            &project,
            &files([(left.len().to_string().as_str(), written("2"))]),
        );
        assert!(!project.path("agent_output/a").exists(), "{left}");
    }
}
