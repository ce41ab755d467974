//! Nothing is done but by the guard, over work of others, with artefacts and a verification that passed.

use orket_cards::{Status, VerificationState};
use orket_flow::RunEnding;
use orket_kernel::canonical::Value;
use orket_ports::model::ModelAnswer;
use serde_json::json;

use crate::conductor::Closures;
use crate::model::{Ask, calls, comment, good, scripted, set, unreachable, write};
use crate::project::{Project, band, card, score};
use crate::table::Table;

/// Plays card `A` with `answer` until its role was refused once, and returns the reasons that the kernel recorded.
fn refused(
    project: &Project,
    answer: impl Fn(&Ask<'_>) -> ModelAnswer + Send + Sync,
) -> Vec<String> {
    let model = scripted(|ask| {
        if ask.follows_a_refusal() {
            return Err(unreachable());
        }
        Ok(answer(ask))
    });
    let error = Table::new(project, &model).play().unwrap_err();
    assert!(error.to_string().contains("venue"), "{error}");
    assert_ne!(project.cards()["A"].status, Status::Done);
    let failures = project.failures("e-1");
    assert_eq!(failures.len(), 1);
    let issues = &failures[0].result.as_ref().unwrap().issues;
    let reasons = issues
        .iter()
        .filter_map(|issue| issue.details.get("reason"));
    reasons
        .filter_map(Value::as_str)
        .map(str::to_owned)
        .collect()
}

fn done_by(role: &'static str) -> impl Fn(&Ask<'_>) -> ModelAnswer {
    move |ask| {
        if ask.role == role {
            calls([set("done")])
        } else {
            good(ask)
        }
    }
}

/// A score in which one role acts in every status after the build.
fn one_judge(role: &str) -> serde_json::Value {
    let mut score = score();
    score["steps"][1]["role"] = json!(role);
    score["steps"][2]["role"] = json!(role);
    score
}

#[test]
fn the_author_cannot_finish_a_card_from_where_it_works() {
    let project = Project::new(&[card("A", &[])]);
    assert_eq!(refused(&project, done_by("coder")), ["invalid_transition"]);
}

#[test]
fn a_reviewer_cannot_finish_a_card() {
    let project = Project::new(&[card("A", &[])]);
    assert_eq!(
        refused(&project, done_by("code_reviewer")),
        ["not_the_guard"]
    );
}

#[test]
fn another_role_in_the_place_of_the_guard_cannot_finish_a_card() {
    for role in ["coder", "architect", "code_reviewer"] {
        let project = Project::new(&[card("A", &[])]);
        project.asset("scores", "score", &one_judge(role));
        let reasons = refused(&project, |ask| match ask.status.as_str() {
            "code_review" => calls([set("awaiting_guard_review")]),
            "awaiting_guard_review" => calls([set("done")]),
            _ => good(ask),
        });
        assert_eq!(reasons, ["not_the_guard"], "{role}");
    }
}

#[test]
fn only_the_guard_gives_the_verdicts_of_the_guard() {
    for status in [
        "guard_approved",
        "guard_rejected",
        "guard_requested_changes",
    ] {
        let project = Project::new(&[card("A", &[])]);
        let reasons = refused(&project, |ask| {
            if ask.role == "code_reviewer" {
                calls([set(status)])
            } else {
                good(ask)
            }
        });
        assert_eq!(reasons, ["not_the_guard"], "{status}");
    }
}

/// What the guard wrote it could not judge, so it writes nothing, whatever tools its band gives it.
#[test]
fn a_guard_writes_nothing() {
    for verification in [
        json!({ "checks": ["check.sh"] }),
        json!({ "none": "a note" }),
    ] {
        let mut asset = card("A", &[]);
        asset["verification"] = verification;
        let project = Project::new(&[asset]);
        project.asset("bands", "band", &band(&["write_file"]));
        let reasons = refused(&project, |ask| match ask.role.as_str() {
            "integrity_guard" => calls([write("agent_output/A.txt", "good enough"), set("done")]),
            _ => good(ask),
        });
        assert_eq!(reasons, ["guard_writes"]);
        assert_eq!(project.output("A.txt").unwrap(), "good work for A\n");
        assert_eq!(project.cards()["A"].authors, ["coder"]);
    }
}

/// Lesson 5: cards were closed over empty files.
#[test]
fn promised_files_must_be_there_and_hold_something() {
    for files in [
        vec![],
        vec![("agent_output/A.txt", "")],
        vec![("agent_output/a.txt", "good")],
    ] {
        let mut asset = card("A", &[]);
        asset["verification"] = json!({ "none": "a note" });
        let project = Project::new(&[asset]);
        let reasons = refused(&project, |ask| match ask.role.as_str() {
            "coder" => calls(
                files
                    .iter()
                    .map(|(path, text)| write(path, text))
                    .chain([set("code_review")]),
            ),
            _ => good(ask),
        });
        assert_eq!(reasons, ["no_artifact"], "{files:?}");
    }
}

#[test]
fn a_verification_that_failed_keeps_a_card_open() {
    let project = Project::new(&[card("A", &[])]);
    let reasons = refused(&project, |ask| match ask.role.as_str() {
        "coder" => calls([write("agent_output/A.txt", "bad"), set("code_review")]),
        _ => good(ask),
    });
    assert_eq!(reasons, ["not_verified"]);
}

#[test]
fn the_guard_is_told_what_the_verification_said_and_can_send_the_work_back() {
    let project = Project::new(&[card("A", &[])]);
    let model = scripted(|ask| {
        Ok(match (ask.role.as_str(), ask.status.as_str()) {
            ("coder", "ready") => calls([write("agent_output/A.txt", "bad"), set("code_review")]),
            ("integrity_guard", _) if ask.text().contains("Verification: failed.") => {
                calls([comment("the check fails"), set("guard_requested_changes")])
            }
            ("integrity_guard", _) => {
                assert!(
                    ask.text().contains("Verification: passed."),
                    "{}",
                    ask.text()
                );
                good(ask)
            }
            _ => good(ask),
        })
    });
    // What was verified is not verified any more once it is written anew; the board says so.
    let mut verified = Vec::new();
    let table = Table::new(&project, &model);
    while table
        .conducted(&mut Closures::stop_after_each_step())
        .unwrap()
        .ending
        == RunEnding::Stopped
    {
        verified.push(project.cards()["A"].verified.as_str());
    }
    let expected = [
        "not run", "not run", "failed", "not run", "not run", "passed",
    ];
    assert_eq!(verified, expected);
    let card = &project.cards()["A"];
    assert_eq!(
        (card.status, card.verified),
        (Status::Done, VerificationState::Passed)
    );
    let roles: Vec<String> = project
        .turns("e-1")
        .into_iter()
        .map(|turn| turn.role)
        .collect();
    let round = ["coder", "code_reviewer", "integrity_guard"];
    assert_eq!(roles[1..], [round, round].concat());
    project.replay_all("e-1");
}

#[test]
fn a_card_without_checks_is_done_with_that_said() {
    let mut asset = card("A", &[]);
    asset["verification"] = json!({ "none": "a note for people" });
    let project = Project::new(&[asset]);
    let model = scripted(|ask| Ok(good(ask)));
    Table::new(&project, &model).play().unwrap();
    let card = &project.cards()["A"];
    assert_eq!(
        (card.status, card.verified),
        (Status::Done, VerificationState::NoChecks)
    );
    assert!(
        model.requests()[2].messages[1]
            .content
            .contains("no checks are defined (a note for people)")
    );
    project.replay_all("e-1");
}

#[test]
fn a_turn_moves_no_other_card() {
    let project = Project::new(&[card("A", &[]), card("B", &[])]);
    for (status, reason) in [
        ("done", "invalid_transition"),
        ("in_progress", "not_this_card"),
    ] {
        let project = Project::new(&[card("A", &[]), card("B", &[])]);
        let other = crate::model::call(
            "update_issue_status",
            orket_kernel::object! { "status" => status, "issue_id" => "B" },
        );
        assert_eq!(
            refused(&project, |_| calls([other.clone()])),
            [reason],
            "{status}"
        );
        assert_eq!(project.statuses(), "A ready, B ready");
    }
    drop(project);
}

#[test]
fn waiting_needs_a_reason_and_no_agent_uses_the_rows_of_the_engine() {
    for (status, reason) in [
        ("blocked", "no_wait_reason"),
        ("waiting_for_developer", "no_wait_reason"),
        ("ready", "invalid_transition"),
    ] {
        let project = Project::new(&[card("A", &[])]);
        assert_eq!(
            refused(&project, |_| calls([set(status)])),
            [reason],
            "{status}"
        );
    }
}

/// Archived counts as finished and satisfies dependencies, and canceled ends a card: a model must reach neither.
#[test]
fn an_agent_cannot_give_its_work_up_to_get_past_the_guard() {
    for status in ["archived", "canceled"] {
        let project = Project::new(&[card("A", &[]), card("B", &["A"])]);
        let model = scripted(|_| Ok(calls([set(status)])));
        let summary = Table::new(&project, &model).play().unwrap();
        assert_eq!(summary.ending, RunEnding::Incomplete, "{status}");
        assert_eq!(
            project.statuses(),
            "A blocked (system), B blocked (dependency)",
            "{status}"
        );
    }
}
