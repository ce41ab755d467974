//! The Conductor governs a session between its steps.

use std::collections::BTreeSet;
use std::sync::Mutex;

use orket_cards::RunState;
use orket_flow::RunEnding;
use orket_ports::{Adjustment, Conductor, SessionView};
use serde_json::json;

use crate::model::{good, scripted, text};
use crate::project::{Project, card};
use crate::table::{Heard, Table};

type Adjust<'a> = Box<dyn FnMut(&SessionView) -> Adjustment + Send + 'a>;

/// A Conductor of two closures that writes down what it was shown.
pub(crate) struct Closures<'a> {
    before: Adjust<'a>,
    after: Adjust<'a>,
    pub(crate) seen: Mutex<Vec<String>>,
}

impl<'a> Closures<'a> {
    pub(crate) fn before(
        before: impl FnMut(&SessionView) -> Adjustment + Send + 'a,
    ) -> Closures<'a> {
        Closures {
            before: Box::new(before),
            after: Box::new(|_| Adjustment::default()),
            seen: Mutex::default(),
        }
    }

    pub(crate) fn after(after: impl FnMut(&SessionView) -> Adjustment + Send + 'a) -> Closures<'a> {
        Closures {
            before: Box::new(|_| Adjustment::default()),
            after: Box::new(after),
            seen: Mutex::default(),
        }
    }

    pub(crate) fn stop_before_the_first_step() -> Closures<'a> {
        Closures::before(|_| stop())
    }

    pub(crate) fn stop_after_each_step() -> Closures<'a> {
        Closures::after(|_| stop())
    }

    fn note(&self, when: &str, session: &SessionView) {
        let line = format!(
            "{when} {} {} {} {}",
            session.step_index, session.card, session.step, session.role
        );
        self.seen.lock().unwrap().push(line);
    }
}

impl Conductor for Closures<'_> {
    fn before_step(&mut self, session: &SessionView) -> Adjustment {
        self.note("before", session);
        (self.before)(session)
    }

    fn after_step(&mut self, session: &SessionView) -> Adjustment {
        self.note("after", session);
        (self.after)(session)
    }
}

pub(crate) fn stop() -> Adjustment {
    Adjustment {
        stop: true,
        ..Adjustment::default()
    }
}

pub(crate) fn skip() -> Adjustment {
    Adjustment {
        skip: true,
        ..Adjustment::default()
    }
}

pub(crate) fn roles(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

#[test]
fn the_conductor_sees_each_step_before_and_after() {
    let project = Project::new(&[card("A", &[])]);
    let model = scripted(|ask| Ok(good(ask)));
    let mut lengths = Vec::new();
    let mut conductor = Closures::before(|session| {
        assert_eq!(session.flow, "flow");
        lengths.push(session.transcript.len());
        Adjustment::default()
    });
    Table::new(&project, &model)
        .conducted(&mut conductor)
        .unwrap();
    let seen = conductor.seen.lock().unwrap().clone();
    assert_eq!(
        seen,
        [
            "before 0 A build coder",
            "after 0 A build coder",
            "before 1 A review code_reviewer",
            "after 1 A review code_reviewer",
            "before 2 A guard integrity_guard",
            "after 2 A guard integrity_guard",
        ]
    );
    drop(conductor);
    assert_eq!(lengths, [0, 1, 2]);
}

#[test]
fn stop_leaves_the_run_open_and_the_same_command_continues() {
    let project = Project::new(&[card("A", &[])]);
    let model = scripted(|ask| Ok(good(ask)));
    let table = Table::new(&project, &model);
    for steps in 1..=3 {
        let summary = table
            .conducted(&mut Closures::stop_after_each_step())
            .unwrap();
        assert_eq!(summary.ending, RunEnding::Stopped);
        assert_eq!(summary.run_id.as_deref(), Some("e-1"));
        assert_eq!(model.count(), steps);
        let row = project.run_row("e-1").unwrap();
        assert_eq!(row.state, RunState::Open);
        assert_eq!(row.last_turn.unwrap().number(), steps as u64 + 1);
    }
    let summary = table.play().unwrap();
    assert_eq!((summary.ending, model.count()), (RunEnding::Done, 3));
    let ended = project.run_row("e-1").unwrap().state;
    assert_eq!(ended, RunState::Passed);
}

#[test]
fn a_skipped_step_asks_no_model_changes_nothing_and_is_told_afterwards() {
    let project = Project::new(&[card("A", &[])]);
    let model = scripted(|ask| Ok(good(ask)));
    let mut conductor = Closures::before(|_| skip());
    let mut heard = Heard::default();
    Table::new(&project, &model)
        .play_epic("e", &mut conductor, &mut heard)
        .unwrap();
    let seen = conductor.seen.lock().unwrap().clone();
    assert_eq!(seen, ["before 0 A build coder", "after 0 A build coder"]);
    assert_eq!(model.count(), 0);
    assert_eq!(project.statuses(), "A ready");
    assert_eq!(project.turns("e-1").len(), 1);
    let skipped: Vec<_> = heard
        .0
        .iter()
        .filter(|event| event.event == "step_skipped")
        .collect();
    assert_eq!(skipped.len(), 1);
    assert_eq!(skipped[0].data.get("card").unwrap().as_str(), Some("A"));
}

#[test]
fn a_disabled_role_does_not_act_until_it_is_enabled() {
    let mut of_architect = card("B", &[]);
    of_architect["seat"] = json!("architect");
    let project = Project::new(&[card("A", &[]), of_architect, card("C", &[])]);
    let model = scripted(|ask| Ok(good(ask)));
    // After the first step (of the coder, on A) the coder rests until B is done.
    let mut conductor = Closures::after(|session| {
        match (
            session.step_index,
            session.card.as_str(),
            session.step.as_str(),
        ) {
            (0, ..) => Adjustment {
                disable: roles(&["coder"]),
                ..Adjustment::default()
            },
            (_, "B", "guard") => Adjustment {
                enable: roles(&["coder"]),
                ..Adjustment::default()
            },
            _ => Adjustment::default(),
        }
    });
    let summary = Table::new(&project, &model)
        .conducted(&mut conductor)
        .unwrap();
    assert_eq!(summary.ending, RunEnding::Done);
    let order: Vec<String> = project
        .turns("e-1")
        .iter()
        .filter_map(|turn| Some(format!("{} {}", turn.card.as_ref()?, turn.role)))
        .filter(|turn| !turn.contains("review") && !turn.contains("guard"))
        .collect();
    assert_eq!(order, ["A coder", "B architect", "C coder"]);
}

#[test]
fn a_prompt_patch_reaches_its_role_and_goes_when_it_is_taken_away() {
    let project = Project::new(&[card("A", &[]), card("B", &["A"]), card("C", &["B"])]);
    let model = scripted(|ask| Ok(good(ask)));
    let mut conductor = Closures::before(|session| Adjustment {
        prompt_patch: match (session.card.as_str(), session.step.as_str()) {
            ("A", "build") => Some("Mind the semicolons.".into()),
            ("C", "build") => Some(String::new()),
            _ => None,
        },
        ..Adjustment::default()
    });
    Table::new(&project, &model)
        .conducted(&mut conductor)
        .unwrap();
    let patched: Vec<bool> = model
        .requests()
        .iter()
        .map(|request| text(request).contains("Mind the semicolons."))
        .collect();
    // build, review, guard of A, B and C
    let expected = [true, false, false, true, false, false, false, false, false];
    assert_eq!(patched, expected);
    project.replay_all("e-1");
}
