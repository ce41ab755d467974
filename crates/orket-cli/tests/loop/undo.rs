//! Undo and redo over runs of models and of persons.

use std::fs;
use std::sync::Mutex;

use orket_cards::{RunState, StoreFault, TurnName, TurnStore};
use orket_flow::{
    Backwards, Desk, FileEffect, RunEnding, RunError, UndoError, Undone, operations, plan_back,
    put_back,
};
use orket_kernel::{Digest, TurnId};

use crate::adopt::{tree, tree_below};
use crate::command::{commanding, sh};
use crate::conductor::Closures;
use crate::model::{calls, good, scripted};
use crate::operator::{ada, changed, files, verify, with_desk, written};
use crate::project::{Project, card, run_id};
use crate::table::{Noon, Table};
use crate::tap::{Moment, TapStore, Tapped};

pub(crate) fn back(project: &Project, what: &Backwards) -> Result<Undone, UndoError> {
    with_desk(project, |desk| put_back(desk, &ada(), what))
}

pub(crate) fn after(run: &str, turn: u64) -> Backwards {
    Backwards::UndoAfter(TurnName {
        run_id: run_id(run),
        turn_id: TurnId::new(turn).unwrap(),
    })
}

fn refusal(project: &Project, what: &Backwards) -> String {
    let (before, state) = (project.tree("agent_output"), project.state_digest());
    let refusal = back(project, what).unwrap_err().to_string();
    assert_eq!(project.tree("agent_output"), before);
    assert_eq!(project.state_digest(), state);
    refusal
}

fn play(project: &Project) {
    let model = scripted(|ask| Ok(good(ask)));
    let ending = Table::new(project, &model).play().unwrap().ending;
    assert_eq!(ending, RunEnding::Done);
}

/// The state digests after each turn of a run; the first is that before it.
fn digests(project: &Project, run: &str) -> Vec<Digest> {
    let turns = project.turns(run).into_iter();
    turns.map(|turn| turn.state_digest).collect()
}

#[test]
fn every_turn_of_a_run_is_reached_by_its_name_files_and_cards_alike() {
    let project = Project::new(&[card("A", &[]), card("B", &["A"])]);
    play(&project);
    let digests = digests(&project, "e-1");
    assert_eq!(digests.len(), 7);
    // Also from a state that was put back before, forwards and backwards.
    for turn in [5, 2, 6, 1, 4, 3] {
        let undone = back(&project, &after("e-1", turn)).unwrap();
        assert_eq!(undone.turn.after, digests[turn as usize - 1], "turn {turn}");
        assert_eq!(project.output("A.txt").is_some(), turn >= 2);
        assert_eq!(project.output("B.txt").is_some(), turn >= 5);
        verify(&project);
    }
    assert_eq!(project.statuses(), "A awaiting_guard_review, B ready");
    // Each redo takes the newest undo back that stands: turn 4, then turn 1, and so on to the end of the run.
    for turn in [4, 1, 6, 2, 5, 7] {
        let redone = back(&project, &Backwards::Redo).unwrap();
        assert_eq!(redone.turn.after, digests[turn - 1], "turn {turn}");
    }
    assert_eq!(
        refusal(&project, &Backwards::Redo),
        "there is nothing to redo: no undo stands"
    );
    for number in 1..=12 {
        assert_eq!(project.replay_all(&format!("operator-{number}")), 1);
    }
    verify(&project);
}

#[test]
fn without_a_name_each_undo_goes_one_turn_further_back_and_redo_comes_forward() {
    let project = Project::new(&[card("A", &[])]);
    play(&project);
    let digests = digests(&project, "e-1");
    for turn in [3, 2, 1] {
        let undone = back(&project, &Backwards::UndoNewest).unwrap();
        assert_eq!(undone.plan.about.to_string(), format!("e-1:{}", turn + 1));
        assert_eq!(undone.turn.after, digests[turn - 1]);
    }
    let undone = back(&project, &Backwards::UndoNewest).unwrap();
    assert_eq!(undone.turn.after, empty());
    assert!(project.cards().is_empty());
    assert_eq!(
        refusal(&project, &Backwards::UndoNewest),
        "there is nothing to undo: no turn stands that was not undone"
    );
    for turn in [1, 2, 3, 4] {
        let redone = back(&project, &Backwards::Redo).unwrap();
        assert_eq!(redone.turn.after, digests[turn - 1]);
    }
    verify(&project);
}

fn empty() -> Digest {
    use orket_kernel::state;
    state::digest(&state::root(&mut []), &state::root(&mut []))
}

/// The run goes on from what was put back, and what it does then can be undone too.
#[test]
fn a_run_that_is_open_goes_on_from_where_it_was_put_back() {
    let project = Project::new(&[card("A", &[])]);
    let model = scripted(|ask| Ok(good(ask)));
    let table = Table::new(&project, &model);
    for _ in 0..2 {
        table
            .conducted(&mut Closures::stop_after_each_step())
            .unwrap();
    }
    assert_eq!(project.statuses(), "A awaiting_guard_review");
    back(&project, &after("e-1", 1)).unwrap();
    assert_eq!(project.statuses(), "A ready");
    assert_eq!(table.play().unwrap().ending, RunEnding::Done);
    let turns = project.turns("e-1");
    let roles: Vec<&str> = turns.iter().map(|turn| turn.role.as_str()).collect();
    assert_eq!(
        roles,
        [
            "engine",
            "coder",
            "code_reviewer",
            "coder",
            "code_reviewer",
            "integrity_guard"
        ]
    );
    back(&project, &after("e-1", 4)).unwrap();
    assert_eq!(project.statuses(), "A code_review");
    verify(&project);
}

/// A bug: without its cards a run took itself for done.
#[test]
fn a_run_whose_loading_was_undone_loads_again() {
    let project = Project::new(&[card("A", &[])]);
    let model = scripted(|ask| Ok(good(ask)));
    let table = Table::new(&project, &model);
    table
        .conducted(&mut Closures::stop_after_each_step())
        .unwrap();
    back(&project, &Backwards::UndoNewest).unwrap();
    back(&project, &Backwards::UndoNewest).unwrap();
    assert!(project.cards().is_empty());
    assert_eq!(table.play().unwrap().ending, RunEnding::Done);
    assert_eq!(project.statuses(), "A done");
    assert_eq!(project.run_row("e-1").unwrap().state, RunState::Passed);
    project.replay_all("e-1");
    verify(&project);
}

#[test]
fn what_another_run_changed_since_is_named_and_refuses_the_undo() {
    let project = Project::new(&[card("A", &[])]);
    play(&project);
    changed(
        &project,
        &files([
            ("A.txt", written("mine\n")),
            ("mine.txt", written("mine\n")),
        ]),
    );
    assert_eq!(
        refusal(&project, &after("e-1", 1)),
        "artifact/A.txt was changed since by operator-1:1, card/A was changed since by operator-1:1; \
         nothing was changed: another run has worked on it; undo that first, or set it right by hand"
    );
    // Undone, it is as if it had never been: also for the older run.
    back(&project, &Backwards::UndoNewest).unwrap();
    back(&project, &after("e-1", 1)).unwrap();
    assert_eq!(project.statuses(), "A ready");
    assert_eq!(project.output("mine.txt"), None);
    verify(&project);
}

#[test]
fn a_redo_over_a_later_change_is_refused_and_names_it() {
    let project = Project::new(&[]);
    changed(&project, &files([("a", written("1"))]));
    changed(&project, &files([("a", written("2")), ("b", written("2"))]));
    back(&project, &Backwards::UndoNewest).unwrap();
    changed(&project, &files([("a", written("3"))]));
    assert_eq!(
        refusal(&project, &Backwards::Redo),
        "artifact/a was changed since by operator-4:1; nothing was changed: undo the later turn first, \
         or set it right by hand"
    );
    back(&project, &Backwards::UndoNewest).unwrap();
    // The newest undo is the one of the third change by now.
    back(&project, &Backwards::Redo).unwrap();
    assert_eq!(project.output("a").unwrap(), "3");
    back(&project, &Backwards::UndoNewest).unwrap();
    verify(&project);
}

#[test]
fn a_file_is_not_put_back_where_a_directory_is_by_now() {
    let project = Project::new(&[card("A", &[])]);
    play(&project);
    // The file of the run goes with an undo, another run puts a directory there.
    back(&project, &after("e-1", 1)).unwrap();
    changed(&project, &files([("A.txt/below", written("1"))]));
    assert_eq!(
        refusal(&project, &Backwards::Redo),
        "agent_output/A.txt cannot be put back: another turn has put agent_output/A.txt/below in its way; \
         nothing was changed"
    );
}

#[test]
fn what_is_unknown_or_as_it_was_is_told() {
    let project = Project::new(&[card("A", &[])]);
    play(&project);
    for (run, turn, told) in [
        (
            "nobody",
            1,
            "nobody:1 is no promoted turn; `orket op log` lists them",
        ),
        (
            "e-1",
            9,
            "e-1:9 is no promoted turn; `orket op log` lists them",
        ),
        (
            "e-1",
            4,
            "there is nothing to undo: all that e-1:4 left is as it was right after it",
        ),
    ] {
        assert_eq!(refusal(&project, &after(run, turn)), told);
    }
}

#[test]
fn a_foreign_edit_is_not_overwritten() {
    let project = Project::new(&[card("A", &[])]);
    play(&project);
    fs::write(project.path("agent_output/A.txt"), "my own words\n").unwrap();
    for what in [Backwards::UndoNewest, after("e-1", 1)] {
        let told = refusal(&project, &what);
        assert!(
            told.contains("agent_output/A.txt was changed by someone else"),
            "{told}"
        );
    }
}

/// It appears between the look at the directory and the commit.
#[test]
fn a_foreign_edit_in_the_middle_of_an_undo_is_not_overwritten() {
    let project = Project::new(&[card("A", &[])]);
    play(&project);
    let state = project.state_digest();
    let (board, workspace) = (project.board(), project.workspace());
    let edit = |tapped: &Tapped<'_>| {
        if tapped.method == "project_view" && tapped.moment == Moment::After {
            fs::write(project.path("agent_output/A.txt"), "my own words\n").unwrap();
        }
        Ok(())
    };
    let store = TapStore {
        inner: &board as &dyn TurnStore,
        on: edit,
    };
    let desk = Desk {
        store: &store,
        workspace: &workspace,
        clock: &Noon,
    };
    let error = put_back(&desk, &ada(), &after("e-1", 1)).unwrap_err();
    assert!(
        matches!(&error, UndoError::Run(RunError::ForeignChange { paths }) if paths == &["A.txt"]),
        "{error}"
    );
    assert_eq!(project.output("A.txt").unwrap(), "my own words\n");
    assert_eq!(project.state_digest(), state);
}

#[test]
fn a_run_that_is_being_written_is_busy() {
    let project = Project::new(&[card("A", &[])]);
    let model = scripted(|ask| {
        if ask.role == "code_reviewer" {
            for what in [after("e-1", 1), Backwards::UndoNewest] {
                let busy = back(&project, &what).unwrap_err();
                assert!(
                    matches!(
                        busy,
                        UndoError::Run(RunError::Store(StoreFault::Busy { .. }))
                    ),
                    "{busy}"
                );
            }
        }
        Ok(good(ask))
    });
    let ending = Table::new(&project, &model).play().unwrap().ending;
    assert_eq!(ending, RunEnding::Done);
    assert!(project.run_row("operator-1").is_none());
}

#[test]
fn a_rehearsal_tells_what_an_undo_does_and_does_nothing() {
    let project = Project::new(&[card("A", &[])]);
    play(&project);
    let state = project.state_digest();
    let plan = {
        let board = project.board();
        let snapshot = board.snapshot().unwrap();
        plan_back(snapshot.as_ref(), &ada(), &after("e-1", 1)).unwrap()
    };
    assert_eq!(project.state_digest(), state);
    let told: Vec<String> = plan
        .stems
        .iter()
        .map(|it| format!("{} {}", it.stem, it.is_there))
        .collect();
    assert_eq!(
        told,
        ["artifact/A.txt false", "card/A true", "evidence/A false"]
    );
    let undone = back(&project, &after("e-1", 1)).unwrap();
    assert_eq!(undone.plan.stems, plan.stems);
}

#[test]
fn the_log_tells_who_did_what() {
    let project = Project::new(&[card("A", &[])]);
    play(&project);
    changed(&project, &files([("b", written("1"))]));
    changed(&project, &files([("b", FileEffect::Delete)]));
    back(&project, &Backwards::UndoNewest).unwrap();
    back(&project, &Backwards::Redo).unwrap();
    let board = project.board();
    let snapshot = board.snapshot().unwrap();
    let log = operations(snapshot.as_ref(), 100).unwrap();
    let told: Vec<String> = log
        .iter()
        .map(|it| {
            let stems = it.stems.clone().unwrap();
            let stems: Vec<&str> = stems.iter().map(|stem| stem.as_str()).collect();
            let author = it.author.as_deref().unwrap_or("-");
            let about = it.about.as_ref().map_or("-".into(), ToString::to_string);
            format!(
                "{} {} {} {author} {about} {}",
                it.turn,
                it.kind,
                it.role,
                stems.join(",")
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            "operator-4:1 redo operator ada operator-3:1 artifact/b",
            "operator-3:1 undo operator ada operator-2:1 artifact/b",
            "operator-2:1 change operator ada - artifact/b",
            "operator-1:1 change operator ada - artifact/b",
            "e-1:4 turn integrity_guard - - card/A,evidence/A",
            "e-1:3 turn code_reviewer - - card/A",
            "e-1:2 turn coder - - artifact/A.txt,card/A",
            "e-1:1 engine engine - - card/A,epic/e",
        ]
    );
    for (newer, older) in log.iter().zip(&log[1..]) {
        assert_eq!(newer.before, older.after);
    }
    assert_eq!(log[7].before, empty());
    assert_eq!(log[0].after, snapshot.state_digest());
    assert_eq!(operations(snapshot.as_ref(), 2).unwrap(), log[..2]);
}

/// The shell makes, edits, renames, removes and makes executable, over several turns; each turn's tree comes back.
#[test]
fn what_commands_did_over_several_turns_comes_back_turn_by_turn() {
    let project = commanding(&[card("A", &[])]);
    let scripts = [
        "mkdir -p lib/deep; echo good > A.txt; echo good 1 > lib/deep/one; echo good 2 > two",
        "mv lib/deep/one lib/moved; rmdir lib/deep; chmod 755 two; : > A.txt",
        "rm -r lib; mkdir two.d; mv two two.d/two; echo good again > A.txt",
        "mv two.d/two two; rmdir two.d; mkdir A.d; echo good > A.d/x; echo good > lib",
    ];
    let trees = Mutex::new(vec![tree(&project)]);
    let model = scripted(|ask| {
        Ok(match (ask.role.as_str(), ask.number) {
            ("coder", number @ 0..4) => {
                if number > 0 {
                    trees.lock().unwrap().push(tree(&project));
                }
                calls([sh(scripts[number])])
            }
            _ => good(ask),
        })
    });
    Table::new(&project, &model).play().unwrap();
    // What a shell of our own makes of the same scripts.
    let expected = {
        let directory = tempfile::tempdir().unwrap();
        scripts.map(|script| {
            let mut shell = std::process::Command::new("sh");
            let ended = shell.args(["-c", script]).current_dir(&directory);
            assert!(ended.status().unwrap().success());
            tree_below(directory.path())
        })
    };
    assert_eq!(trees.lock().unwrap()[1..], expected[..3]);
    for turn in [3, 5, 2, 4, 2, 5] {
        back(&project, &after("e-1", turn)).unwrap();
        assert_eq!(tree(&project), expected[turn as usize - 2], "turn {turn}");
    }
    verify(&project);
}
