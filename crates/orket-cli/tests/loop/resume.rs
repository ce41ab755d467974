//! A store or a workspace that fails at any call: the same command then comes to the same end.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Mutex;

use orket_cards::{RunState, StoreFault};
use orket_flow::{RunEnding, RunError};
use orket_kernel::Digest;
use orket_ports::model::ModelAnswer;
use orket_ports::workspace::WorkspaceError;

use crate::model::{Ask, calls, good, prose, scripted, set, write};
use crate::project::{Project, card};
use crate::table::Table;
use crate::tap::{Moment, TapStore, TapWorkspace, Tapped};

/// A run with everything in it: a corrective, a refused attempt, two files, a verification. A function of the request.
fn eventful(ask: &Ask<'_>) -> ModelAnswer {
    match ask.role.as_str() {
        "coder" if ask.follows_a_refusal() => good(ask),
        "coder" => calls([write("agent_output/A.txt", "good"), set("done")]),
        "code_reviewer" if ask.is_corrective() => good(ask),
        "code_reviewer" => prose("It looks fine."),
        _ => good(ask),
    }
}

fn project() -> Project {
    let mut asset = card("A", &[]);
    asset["artifacts"] = serde_json::json!(["A.txt", "lib/A.txt"]);
    Project::new(&[asset])
}

/// Everything that must not depend on where the command was interrupted.
struct End {
    state_digest: Digest,
    turns: Vec<(u64, u64, Digest, Digest)>,
    attempts: Vec<(u64, u64)>,
    projections: BTreeMap<PathBuf, Vec<u8>>,
    staging: Vec<PathBuf>,
}

fn end(project: &Project) -> End {
    let row = project.run_row("e-1").unwrap();
    assert_eq!(row.state, RunState::Passed);
    assert!(project.run_row("e-2").is_none());
    project.replay_all("e-1");
    project.verify_index();
    let turns = project.turns("e-1").into_iter();
    let attempts = project.attempts("e-1").into_iter();
    let mut projections = BTreeMap::new();
    for below in ["agent_output", "workspace", ".orket/index/committed"] {
        let files = project.tree(below).into_iter();
        projections.extend(files.map(|(path, bytes)| (PathBuf::from(below).join(path), bytes)));
    }
    End {
        state_digest: project.state_digest(),
        turns: turns
            .map(|turn| {
                (
                    turn.turn_id.number(),
                    turn.attempt,
                    turn.result_digest,
                    turn.state_digest,
                )
            })
            .collect(),
        attempts: attempts
            .map(|row| (row.turn_id.number(), row.attempt))
            .collect(),
        projections,
        staging: project.tree(".orket/index/staging").into_keys().collect(),
    }
}

/// Counts calls, and fails the one that is meant.
struct Fuse {
    meant: Option<(String, Moment, u64)>,
    calls: Mutex<BTreeMap<String, u64>>,
}

impl Fuse {
    fn new(meant: Option<(String, Moment, u64)>) -> Fuse {
        Fuse {
            meant,
            calls: Mutex::default(),
        }
    }

    fn blows(&self, moment: Moment, method: &str) -> bool {
        let mut calls = self.calls.lock().unwrap();
        let count = calls.entry(method.to_owned()).or_default();
        if moment == Moment::Before {
            *count += 1;
        }
        self.meant == Some((method.to_owned(), moment, *count))
    }
}

/// Plays with fuses in store and workspace, on a board of its own as a process would have.
fn play(project: &Project, store: &Fuse, workspace: &Fuse) -> Result<RunEnding, RunError> {
    let model = scripted(|ask| Ok(eventful(ask)));
    let board = project.board();
    let on = |tapped: &Tapped<'_>| {
        if store.blows(tapped.moment, tapped.method) {
            return Err(StoreFault::Unusable {
                reason: "injected".into(),
            });
        }
        Ok(())
    };
    let store = TapStore { inner: &board, on };
    let real = project.workspace();
    let on = |moment, method: &'static str| {
        if workspace.blows(moment, method) {
            let (path, reason) = (method.to_owned(), "injected".to_owned());
            return Err(WorkspaceError {
                path,
                action: "used",
                reason,
            });
        }
        Ok(())
    };
    let workspace = TapWorkspace { inner: &real, on };
    let table = Table::new(project, &model)
        .store(&store)
        .workspace(&workspace);
    table.play().map(|summary| summary.ending)
}

fn undisturbed() -> (End, BTreeMap<String, u64>, BTreeMap<String, u64>) {
    let project = project();
    let (store, workspace) = (Fuse::new(None), Fuse::new(None));
    assert_eq!(play(&project, &store, &workspace).unwrap(), RunEnding::Done);
    let end = end(&project);
    assert_eq!((end.turns.len(), end.attempts.len()), (4, 1));
    assert!(end.staging.is_empty(), "{:?}", end.staging);
    (
        end,
        store.calls.into_inner().unwrap(),
        workspace.calls.into_inner().unwrap(),
    )
}

/// What an interrupted run left other than an undisturbed one does.
#[derive(Debug, PartialEq, PartialOrd, Eq, Ord)]
enum Difference {
    /// The state, the turns or the attempts.
    Truth(String),
    /// A file of `agent_output/`, of the view or of `workspace/`.
    Projection(String),
    /// The directory of a promoted turn in the staging area.
    Staging(String),
}

/// Interrupts at one call and continues; says what is not as it would have been.
fn differences(undisturbed: &End, store: &Fuse, workspace: &Fuse) -> Vec<Difference> {
    let project = project();
    let first = play(&project, store, workspace);
    assert!(first.is_err(), "nothing failed");
    match play(&project, &Fuse::new(None), &Fuse::new(None)) {
        Ok(RunEnding::Done | RunEnding::NothingToDo) => {}
        other => return vec![Difference::Truth(format!("then {other:?}"))],
    }
    let end = end(&project);
    let mut found = Vec::new();
    let truth = |end: &End| (end.state_digest, end.turns.clone(), end.attempts.clone());
    if truth(&end) != truth(undisturbed) {
        found.push(Difference::Truth(format!("{:?}", truth(&end))));
    }
    let names = undisturbed.projections.keys().chain(end.projections.keys());
    for name in names.collect::<BTreeSet<_>>() {
        if end.projections.get(name) != undisturbed.projections.get(name) {
            found.push(Difference::Projection(name.display().to_string()));
        }
    }
    let turns = end.staging.iter().filter_map(|path| path.iter().nth(1));
    let turns: BTreeSet<_> = turns.collect();
    found.extend(
        turns
            .iter()
            .map(|turn| Difference::Staging(turn.display().to_string())),
    );
    found
}

/// Which of the two fails.
#[derive(Clone, Copy, PartialEq)]
enum Part {
    Store,
    Workspace,
}

/// Interrupts at every call of every method, before and after its effect; no difference may come of it.
fn interrupt_everywhere(part: Part) {
    let (end, store_calls, workspace_calls) = undisturbed();
    let calls = if part == Part::Store {
        store_calls
    } else {
        workspace_calls
    };
    let methods = if part == Part::Store { 12 } else { 6 };
    assert!(calls.len() >= methods, "{calls:?}");
    let mut wrong = Vec::new();
    for (method, count) in calls {
        for number in 1..=count {
            for moment in [Moment::Before, Moment::After] {
                let meant = Fuse::new(Some((method.clone(), moment, number)));
                let whole = Fuse::new(None);
                let found = match part {
                    Part::Store => differences(&end, &meant, &whole),
                    Part::Workspace => differences(&end, &whole, &meant),
                };
                if !found.is_empty() {
                    wrong.push(format!("{moment:?} call {number} of {method}: {found:?}"));
                }
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "{} interruptions:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

#[test]
fn a_store_that_fails_at_any_call_costs_nothing() {
    interrupt_everywhere(Part::Store);
}

#[test]
fn a_workspace_that_fails_at_any_call_costs_nothing() {
    interrupt_everywhere(Part::Workspace);
}
