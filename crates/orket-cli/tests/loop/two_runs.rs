//! Two runs of one project at once, and two holders of one run.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use orket_cards::{FailedAttempt, RunEnd, RunState, StoreFault, TurnCommit, TurnStore};
use orket_flow::{NoConductor, RunEnding, RunError, RunSummary};

use crate::conductor::Closures;
use crate::model::{good, scripted, unreachable};
use crate::project::{Project, card, run_id};
use crate::table::{Heard, Table};
use crate::tap::{Moment, TapStore, Tapped};

fn two_epics() -> Project {
    let project = Project::new(&[card("A", &[]), card("B", &["A"])]);
    project.epic("f", &[card("X", &[]), card("Y", &["X"])]);
    project
}

/// While the model of `e` thinks, another command takes one step of `f` on a board of its own.
#[test]
fn two_runs_interleaved_both_finish_and_share_one_chain() {
    let project = two_epics();
    let inner = scripted(|ask| Ok(good(ask)));
    let step_of_f = || {
        let mut conductor = Closures::stop_after_each_step();
        let heard = &mut Heard::default();
        Table::new(&project, &inner)
            .play_epic("f", &mut conductor, heard)
            .unwrap()
    };
    let outer = scripted(|ask| {
        step_of_f();
        Ok(good(ask))
    });
    let board = project.board();
    let conflicts = AtomicUsize::new(0);
    let on = |tapped: &Tapped<'_>| -> Result<(), StoreFault> {
        conflicts.fetch_add(usize::from(tapped.conflict), Ordering::SeqCst);
        Ok(())
    };
    let store = TapStore { inner: &board, on };
    let summary = Table::new(&project, &outer).store(&store).play().unwrap();
    assert_eq!(summary.ending, RunEnding::Done);
    assert_eq!(step_of_f().ending, RunEnding::Done);
    assert_eq!(
        conflicts.load(Ordering::SeqCst),
        6,
        "every turn of e was computed twice"
    );
    assert_eq!(outer.count(), 6, "and its model was asked once");
    assert_eq!(inner.count(), 6);
    assert_eq!(project.statuses(), "A done, B done, X done, Y done");
    assert_eq!(
        (project.replay_all("e-1"), project.replay_all("f-1")),
        (7, 7)
    );
    project.verify_index();
    assert_eq!(
        summary.refused_attempts, 0,
        "a conflict is no failed attempt"
    );
    let mut generations: Vec<u64> = Vec::new();
    for run in ["e-1", "f-1"] {
        generations.extend(project.turns(run).iter().map(|turn| turn.generation));
    }
    let in_turn = generations
        .windows(2)
        .filter(|pair| pair[0] + 1 == pair[1])
        .count();
    assert!(in_turn < 4, "they were not interleaved: {generations:?}");
    generations.sort_unstable();
    assert_eq!(generations, (1..=14).collect::<Vec<_>>());
}

/// What another run does beside does not show in the turns of this one.
#[test]
fn turns_of_interleaved_runs_are_those_of_a_run_alone() {
    let alone = two_epics();
    let model = scripted(|ask| Ok(good(ask)));
    Table::new(&alone, &model).play().unwrap();
    let beside = two_epics();
    let heard = &mut Heard::default();
    Table::new(&beside, &model)
        .play_epic("f", &mut NoConductor, heard)
        .unwrap();
    Table::new(&beside, &model).play().unwrap();
    let digests = |project: &Project| -> Vec<_> {
        project
            .turns("e-1")
            .iter()
            .map(|turn| turn.result_digest)
            .collect()
    };
    assert_eq!(digests(&alone), digests(&beside));
}

/// Plays both epics in threads; `again` says whether the same command is given once more after this end.
fn in_threads(
    project: &Project,
    again: impl Fn(&Result<RunSummary, RunError>) -> bool + Sync,
) -> [Result<RunSummary, RunError>; 2] {
    let model = scripted(|ask| Ok(good(ask)));
    let (model, again) = (&model, &again);
    // That the database is made by both at once is another test's matter.
    drop(project.board());
    std::thread::scope(|scope| {
        let play = |epic: &'static str| {
            move || loop {
                let heard = &mut Heard::default();
                let ended = Table::new(project, model).play_epic(epic, &mut NoConductor, heard);
                if !again(&ended) {
                    return ended;
                }
            }
        };
        let (e, f) = (scope.spawn(play("e")), scope.spawn(play("f")));
        [e.join().unwrap(), f.join().unwrap()]
    })
}

/// Real threads: whatever the interleaving is, both runs come to their end, if need be by the same command again.
#[test]
fn two_runs_in_threads_both_finish() {
    let project = two_epics();
    let tries = AtomicUsize::new(0);
    let is_busy = |ended: &Result<RunSummary, RunError>| {
        let busy = matches!(ended, Err(RunError::Store(StoreFault::Busy { .. })));
        busy && tries.fetch_add(1, Ordering::SeqCst) < 200
    };
    for ended in in_threads(&project, is_busy) {
        assert!(matches!(
            ended.unwrap().ending,
            RunEnding::Done | RunEnding::NothingToDo
        ));
    }
    assert_eq!(
        (project.replay_all("e-1"), project.replay_all("f-1")),
        (7, 7)
    );
    project.verify_index();
    let files: Vec<_> = project.tree("agent_output").into_keys().collect();
    assert_eq!(files.len(), 4, "{files:?}");
}

/// Bringing the browsable view forward took a lock without waiting, and a run that found it held ended as busy.
#[test]
fn two_runs_in_threads_do_not_disturb_each_other() {
    for _ in 0..10 {
        for ended in in_threads(&two_epics(), |_| false) {
            assert_eq!(ended.unwrap().ending, RunEnding::Done);
        }
    }
}

#[test]
fn a_second_command_on_a_run_is_busy_while_the_first_lives() {
    let project = Project::new(&[card("A", &[])]);
    let model = scripted(|ask| Ok(good(ask)));
    let outer = scripted(|ask| {
        for table in [
            Table::new(&project, &model),
            Table::new(&project, &model).run_id("e-1"),
        ] {
            let error = table.play().unwrap_err();
            assert!(
                matches!(&error, RunError::Store(StoreFault::Busy { .. })),
                "{error}"
            );
            assert!(error.to_string().contains("e-1"), "{error}");
        }
        Ok(good(ask))
    });
    let summary = Table::new(&project, &outer).play().unwrap();
    assert_eq!(
        (summary.ending, outer.count(), model.count()),
        (RunEnding::Done, 3, 0)
    );
    let board = project.board();
    let lease = board.lease(&run_id("e-1")).unwrap();
    let other = project.board();
    assert!(matches!(
        other.lease(&run_id("e-1")),
        Err(StoreFault::Busy { .. })
    ));
    other.lease(&run_id("e-2")).unwrap();
    let fence = lease.fence();
    drop(lease);
    assert!(other.lease(&run_id("e-1")).unwrap().fence() > fence);
}

#[test]
fn a_second_unfinished_run_of_an_epic_is_refused() {
    let project = Project::new(&[card("A", &[])]);
    let model = scripted(|_| Err(unreachable()));
    Table::new(&project, &model).play().unwrap_err();
    let error = Table::new(&project, &model)
        .run_id("mine")
        .play()
        .unwrap_err();
    assert!(
        matches!(&error, RunError::AnotherRun { open, .. } if open == "e-1"),
        "{error}"
    );
    let healthy = scripted(|ask| Ok(good(ask)));
    Table::new(&project, &healthy).run_id("e-1").play().unwrap();
    let ended = Table::new(&project, &healthy).run_id("e-1").play().unwrap();
    assert_eq!(
        (ended.ending, healthy.count()),
        (RunEnding::Done, 3),
        "it has ended"
    );
    let summary = Table::new(&project, &healthy).play().unwrap();
    assert_eq!(
        (summary.ending, summary.run_id),
        (RunEnding::NothingToDo, None)
    );
}

fn failed(commit: &TurnCommit) -> FailedAttempt {
    FailedAttempt {
        fence: commit.fence,
        record: commit.record.clone(),
        evidence: Vec::new(),
        events: Vec::new(),
    }
}

/// A holder that was believed dead comes back: nothing that it still wants to write is taken.
#[test]
fn the_fence_of_a_dead_holder_is_refused() {
    let project = Project::new(&[card("A", &[])]);
    let board = project.board();
    let kept: Mutex<Option<TurnCommit>> = Mutex::default();
    let on = |tapped: &Tapped<'_>| match tapped.commit {
        Some(commit) if commit.record.turn_id.number() == 2 && tapped.moment == Moment::Before => {
            *kept.lock().unwrap() = Some(commit.clone());
            Err(StoreFault::Unusable {
                reason: "the holder dies here".into(),
            })
        }
        _ => Ok(()),
    };
    let store = TapStore { inner: &board, on };
    let model = scripted(|ask| Ok(good(ask)));
    Table::new(&project, &model)
        .store(&store)
        .play()
        .unwrap_err();
    let stale = kept.lock().unwrap().take().unwrap();
    let successor = project.board();
    let lease = successor.lease(&run_id("e-1")).unwrap();
    assert!(lease.fence() > stale.fence);

    let before = project.state_digest();
    let envelope = project.run_row("e-1").unwrap().envelope;
    let end = RunEnd {
        run_id: run_id("e-1"),
        fence: stale.fence,
        state: RunState::Failed,
        events: Vec::new(),
    };
    let refused = [
        ("commit", board.commit(&stale).err()),
        ("keep_attempt", board.keep_attempt(&failed(&stale)).err()),
        ("end_run", board.end_run(&end).err()),
        (
            "start_run",
            board.start_run(&envelope, "e", stale.fence).err(),
        ),
    ];
    for (what, fault) in refused {
        assert!(
            matches!(fault, Some(StoreFault::Fenced { .. })),
            "{what}: {fault:?}"
        );
    }
    assert_eq!(project.state_digest(), before);
    assert!(project.attempts("e-1").is_empty());
    assert_eq!(project.run_row("e-1").unwrap().state, RunState::Open);

    // The control: under the new fence the same commit is taken, once.
    let fresh = TurnCommit {
        fence: lease.fence(),
        ..stale
    };
    board.commit(&fresh).unwrap();
    assert!(matches!(
        board.commit(&fresh),
        Err(StoreFault::Conflict { .. })
    ));
    drop(lease);
    assert_eq!(
        Table::new(&project, &model).play().unwrap().ending,
        RunEnding::Done
    );
}
