//! Each port through which something comes in, with a secret in it.

use std::collections::BTreeMap;

use orket_cards::StoreFault;
use orket_kernel::object;
use orket_ports::verifier::{ArtifactFile, Check, CheckOutcome, LeastTier, VerifyError};
use orket_ports::{Adjustment, ModelError, Verifier};

use crate::conductor::Closures;
use crate::model::{calls, comment, good, prose, scripted, set, text, write};
use crate::project::{Project, card};
use crate::table::{Heard, Table};
use crate::tap::{Moment, TapStore, Tapped};

const SECRET: &str = "correct horse";
const MARK: &str = "[secret:STABLE_KEY]";

/// Prints the secret and passes.
struct Chatters;

impl Verifier for Chatters {
    fn tier(&self) -> String {
        "full".into()
    }

    fn run(
        &self,
        check: &Check,
        _: &BTreeMap<String, ArtifactFile>,
        _: LeastTier,
    ) -> Result<CheckOutcome, VerifyError> {
        Ok(CheckOutcome {
            fixture: check.fixture.clone(),
            passed: true,
            ended: "exit 0".into(),
            output: format!("it is {SECRET}"),
            tier: "full".into(),
        })
    }
}

/// Everything below the project but what the test put there, as one text.
fn kept(project: &Project) -> String {
    let trees = [".orket", "workspace", "agent_output"].map(|below| project.tree(below));
    let files = trees.iter().flat_map(BTreeMap::values);
    files.map(|bytes| String::from_utf8_lossy(bytes)).collect()
}

#[test]
fn what_the_conductor_adds_reaches_the_model_without_secrets() {
    let project = Project::new(&[card("A", &[])]);
    let model = scripted(|ask| Ok(good(ask)));
    let mut conductor = Closures::before(|_| Adjustment {
        prompt_patch: Some(format!("Use {SECRET}.")),
        ..Adjustment::default()
    });
    let table = Table::new(&project, &model).secret("STABLE_KEY", SECRET);
    table.conducted(&mut conductor).unwrap();
    let asked: String = model.requests().iter().map(text).collect();
    assert!(asked.contains(&format!("Use {MARK}.")), "{asked}");
    assert!(!asked.contains(SECRET) && !kept(&project).contains(SECRET));
}

#[test]
fn what_checks_print_is_recorded_without_secrets() {
    let project = Project::new(&[card("A", &[])]);
    let model = scripted(|ask| Ok(good(ask)));
    let table = Table::new(&project, &model)
        .secret("STABLE_KEY", SECRET)
        .verifier(&Chatters);
    table.play().unwrap();
    let guard = model.requests().last().map(text).unwrap();
    assert!(guard.contains(MARK) && !guard.contains(SECRET), "{guard}");
    let kept = kept(&project);
    assert!(kept.contains(MARK) && !kept.contains(SECRET));
    assert_eq!(project.replay_all("e-1"), project.turns("e-1").len());
}

#[test]
fn answers_errors_and_refusals_are_recorded_without_secrets() {
    let project = Project::new(&[card("A", &[])]);
    let model = scripted(|ask| match ask.number {
        0 => Ok(prose(SECRET)),
        1 => Err(ModelError::Protocol {
            reason: SECRET.into(),
        }),
        2 => Ok(calls([write(&format!("verification/{SECRET}"), "x")])),
        3 => Ok(calls([
            comment(SECRET),
            write("agent_output/A.txt", &format!("good {SECRET}\n")),
            set("code_review"),
        ])),
        _ => Ok(good(ask)),
    });
    let table = Table::new(&project, &model).secret("STABLE_KEY", SECRET);
    table.play().unwrap();
    assert_eq!(project.statuses(), "A done");
    assert_eq!(project.output("A.txt").unwrap(), format!("good {MARK}\n"));
    let failures = project.failures("e-1");
    let reasons: Vec<String> = failures.into_iter().flat_map(|it| it.refusals).collect();
    assert_eq!(reasons.len(), 2, "{reasons:?}");
    assert!(
        reasons.iter().all(|reason| reason.contains(MARK)),
        "{reasons:?}"
    );
    assert!(!kept(&project).contains(SECRET));
    // The record holds no secret, so a replay needs none.
    assert_eq!(project.replay_all("e-1"), project.turns("e-1").len());
}

#[test]
fn a_file_of_the_project_is_read_without_secrets() {
    let project = Project::new(&[card("A", &[])]);
    let notes = format!("it is {SECRET}\n");
    std::fs::write(project.path("verification/notes.txt"), &notes).unwrap();
    let read = || crate::model::call("read_file", object! { "path" => "verification/notes.txt" });
    let model = scripted(|ask| match ask.number {
        0 => Ok(calls([read()])),
        _ => Ok(good(ask)),
    });
    let table = Table::new(&project, &model).secret("STABLE_KEY", SECRET);
    table.play().unwrap();
    let asked = model.requests();
    assert!(
        text(&asked[1]).contains(&format!("it is {MARK}")),
        "{}",
        text(&asked[1])
    );
    assert!(!kept(&project).contains(SECRET));
    assert_eq!(project.replay_all("e-1"), project.turns("e-1").len());
    assert_eq!(
        std::fs::read_to_string(project.path("verification/notes.txt")).unwrap(),
        notes
    );
}

#[test]
fn what_was_staged_before_a_secret_was_known_is_used_without_it() {
    let project = Project::new(&[card("A", &[])]);
    let model = scripted(|ask| match ask.number {
        0 => Ok(calls([
            write("agent_output/A.txt", &format!("good {SECRET}\n")),
            set("code_review"),
        ])),
        _ => Err(crate::model::unreachable()),
    });
    // The first answer is staged, and the command ends before the turn is promoted.
    let board = project.board();
    let on = |tapped: &Tapped<'_>| match tapped.commit {
        Some(commit) if commit.record.turn_id.number() == 2 && tapped.moment == Moment::Before => {
            Err(StoreFault::Unusable {
                reason: "injected".into(),
            })
        }
        _ => Ok(()),
    };
    let store = TapStore { inner: &board, on };
    let first = Table::new(&project, &model).store(&store).play();
    assert!(first.is_err() && model.count() == 1);
    drop(board);
    let model = scripted(|ask| Ok(good(ask)));
    let table = Table::new(&project, &model).secret("STABLE_KEY", SECRET);
    table.play().unwrap();
    assert_eq!(project.output("A.txt").unwrap(), format!("good {MARK}\n"));
}

#[test]
fn events_are_told_without_secrets_that_are_cut_by_pieces() {
    let project = Project::new(&[card("A", &[])]);
    let model = scripted(|ask| Ok(good(ask)));
    let mut heard = Heard::default();
    let in_pieces = crate::model::InPieces {
        pieces: &["it is corr", "ect ho", "rse.", " cor"],
        model: &model,
    };
    let table = Table::new(&project, &in_pieces).secret("STABLE_KEY", SECRET);
    table
        .play_epic("e", &mut orket_flow::NoConductor, &mut heard)
        .unwrap();
    let deltas = heard.0.iter().filter(|event| event.event == "model_delta");
    let told: Vec<String> = deltas
        .map(|event| event.data.get("text").unwrap().as_str().unwrap().to_owned())
        .collect();
    assert_eq!(told.concat().matches(MARK).count(), model.count());
    assert!(
        told.concat().starts_with(&format!("it is {MARK}. cor")),
        "{told:?}"
    );
}
