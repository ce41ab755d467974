//! Retry is a state of the loop: counted, bounded, and it never ends the run of others.

use orket_cards::{Cause, RunState, Status, WaitReason};
use orket_flow::{RunEnding, RunError};
use orket_kernel::{Digest, TurnId};
use orket_ports::ModelError;
use serde_json::json;

use crate::conductor::Closures;
use crate::model::{Ask, calls, comment, forbidden, good, scripted, set, unreachable};
use crate::project::{Project, card, score};
use crate::table::Table;

fn result_digests(project: &Project, run: &str) -> Vec<Digest> {
    let turns = project.turns(run);
    turns.iter().map(|turn| turn.result_digest).collect()
}

#[test]
fn a_model_that_fails_a_few_times_and_then_does_well_finishes() {
    let undisturbed = Project::new(&[card("A", &[])]);
    Table::new(&undisturbed, &scripted(|ask| Ok(good(ask))))
        .play()
        .unwrap();
    for fails in 1..3_usize {
        let project = Project::new(&[card("A", &[])]);
        let model = scripted(|ask| {
            Ok(if ask.number < fails {
                forbidden()
            } else {
                good(ask)
            })
        });
        let summary = Table::new(&project, &model).play().unwrap();
        assert_eq!(summary.ending, RunEnding::Done);
        assert_eq!(summary.refused_attempts, fails as u64);
        let attempts: Vec<(u64, u64)> = project
            .attempts("e-1")
            .iter()
            .map(|row| (row.turn_id.number(), row.attempt))
            .collect();
        let expected: Vec<(u64, u64)> = (1..=fails as u64).map(|attempt| (2, attempt)).collect();
        assert_eq!(attempts, expected);
        let promoted = &project.turns("e-1")[1];
        assert_eq!(
            (promoted.turn_id.number(), promoted.attempt),
            (2, fails as u64 + 1)
        );
        assert_eq!(model.count(), fails + 3);
        // What was tried in vain leaves no trace in the state or in the turns.
        assert_eq!(project.state_digest(), undisturbed.state_digest());
        assert_eq!(
            result_digests(&project, "e-1"),
            result_digests(&undisturbed, "e-1")
        );
        project.replay_all("e-1");
    }
}

/// Lesson 7: a retry that aborted the run left cards and siblings behind.
#[test]
fn a_card_that_never_works_out_is_blocked_with_what_waits_for_it_and_a_new_run_tries_again() {
    let cards = [
        card("A", &[]),
        card("B", &["A"]),
        card("C", &["B"]),
        card("D", &[]),
    ];
    let project = Project::new(&cards);
    let model = scripted(|ask| {
        Ok(if ask.card == "A" {
            forbidden()
        } else {
            good(ask)
        })
    });
    let summary = Table::new(&project, &model).play().unwrap();
    assert_eq!(summary.ending, RunEnding::Incomplete);
    assert_eq!(
        project.statuses(),
        "A blocked (system), B blocked (dependency), C blocked (dependency), D done"
    );
    assert_eq!(project.run_row("e-1").unwrap().state, RunState::Failed);
    assert_eq!(summary.refused_attempts, 3);
    for (stall, (card, word)) in
        summary
            .stalls
            .iter()
            .zip([("A", "blocked"), ("B", "dependency"), ("C", "dependency")])
    {
        assert_eq!(stall.card.as_str(), card);
        assert!(stall.reason.contains(word), "{card}: {}", stall.reason);
    }
    assert_eq!(summary.stalls.len(), 3);

    let given_up: Vec<_> = project
        .turns("e-1")
        .into_iter()
        .filter(|turn| turn.step == "give_up")
        .collect();
    assert_eq!(
        given_up.len(),
        1,
        "one turn blocks the card and what waits for it"
    );
    assert_eq!(given_up[0].role, "engine");
    let record = project.record(&given_up[0].record_digest);
    assert!(record.exchanges.is_empty());
    let Cause::GiveUp { reasons, .. } = &record.cause else {
        panic!("{:?}", record.cause)
    };
    assert!(reasons[0].contains("verification/check.sh"), "{reasons:?}");
    let remark = &project.cards()["A"].comments[0];
    assert_eq!(remark.author, "engine");
    assert!(
        remark.text.contains("verification/check.sh"),
        "{}",
        remark.text
    );
    assert_eq!(project.replay_all("e-1"), 5, "load, give up, three of D");

    // A new run makes them ready in its first turn, and knows nothing of the old counters.
    let model = scripted(|ask| {
        Ok(if ask.number < 2 {
            forbidden()
        } else {
            good(ask)
        })
    });
    let table = Table::new(&project, &model);
    let stopped = table
        .conducted(&mut Closures::stop_before_the_first_step())
        .unwrap();
    assert_eq!(stopped.ending, RunEnding::Stopped);
    assert_eq!(project.statuses(), "A ready, B ready, C ready, D done");
    let summary = table.play().unwrap();
    assert_eq!(
        (summary.ending, summary.run_id.as_deref()),
        (RunEnding::Done, Some("e-2"))
    );
    project.replay_all("e-2");
    project.verify_index();
}

#[test]
fn a_card_gets_no_more_turns_than_the_score_allows() {
    let project = Project::new(&[card("A", &[]), card("B", &["A"])]);
    let mut few = score();
    few["turns_per_card"] = json!(4);
    project.asset("scores", "score", &few);
    let model = scripted(|_| Ok(calls([comment("still thinking")])));
    let summary = Table::new(&project, &model).play().unwrap();
    assert_eq!(summary.ending, RunEnding::Incomplete);
    assert_eq!(model.count(), 4);
    assert_eq!(summary.refused_attempts, 0);
    assert_eq!(
        project.statuses(),
        "A blocked (system), B blocked (dependency)"
    );
    let comments = project.cards()["A"].comments.clone();
    assert_eq!(comments.len(), 5);
    assert!(comments[4].text.contains("4 turns"), "{}", comments[4].text);
    assert_eq!(project.replay_all("e-1"), 6);
}

/// A card in a review status has no row to `blocked` of its own.
#[test]
fn a_reviewer_or_guard_that_never_works_out_blocks_the_card_too() {
    for role in ["code_reviewer", "integrity_guard"] {
        let project = Project::new(&[card("A", &[]), card("B", &["A"])]);
        let model = scripted(move |ask| {
            Ok(if ask.role == role {
                forbidden()
            } else {
                good(ask)
            })
        });
        let summary = Table::new(&project, &model).play().unwrap();
        assert_eq!(summary.ending, RunEnding::Incomplete, "{role}");
        let cards = project.cards();
        assert_eq!(cards["A"].status, Status::Blocked, "{role}");
        assert_eq!(cards["A"].wait_reason, Some(WaitReason::System));
        assert_eq!(cards["B"].wait_reason, Some(WaitReason::Dependency));
        project.replay_all("e-1");
    }
}

fn passing_errors() -> Vec<ModelError> {
    let reason = || "cut".to_owned();
    vec![
        ModelError::Timeout { seconds: 60 },
        ModelError::Truncated { reason: reason() },
        ModelError::TooLong { limit_bytes: 1 },
        ModelError::Protocol { reason: reason() },
        ModelError::Server {
            status: 500,
            reason: reason(),
        },
        ModelError::Server {
            status: 200,
            reason: reason(),
        },
    ]
}

#[test]
fn a_model_error_that_may_pass_becomes_a_failed_attempt() {
    for number in 0..passing_errors().len() {
        let project = Project::new(&[card("A", &[])]);
        let error = || passing_errors().swap_remove(number);
        let model = scripted(move |ask| {
            if ask.number == 1 {
                Err(error())
            } else {
                Ok(good(ask))
            }
        });
        let summary = Table::new(&project, &model).play().unwrap();
        assert_eq!(summary.ending, RunEnding::Done);
        let failures = project.failures("e-1");
        assert_eq!(failures.len(), 1, "{}", error());
        assert_eq!(
            failures[0].refusals,
            [format!("{}: {}", error().code(), error())]
        );
        assert!(failures[0].result.is_none());
        // An answer that never came teaches the model nothing: the same request is sent again.
        assert_eq!(model.requests()[1], model.requests()[2], "{}", error());
    }
}

fn lasting_errors() -> Vec<ModelError> {
    let reason = || "no".to_owned();
    vec![
        unreachable(),
        ModelError::ModelMissing {
            model: "m".into(),
            reason: reason(),
        },
        ModelError::Server {
            status: 400,
            reason: reason(),
        },
        ModelError::Overloaded {
            reason: reason(),
            retry_after_seconds: None,
        },
        ModelError::ContextOverflow { reason: reason() },
        ModelError::PromptCut { reason: reason() },
        ModelError::CapabilityMissing {
            model: "m".into(),
            reason: reason(),
        },
        ModelError::Refused {
            status: 401,
            reason: reason(),
        },
        ModelError::NotLocal {
            model: "m".into(),
            host: "elsewhere".into(),
        },
        ModelError::NotRecorded {
            digest: Digest::of_bytes(b""),
            difference: reason(),
        },
        ModelError::BadRecording {
            place: "c.json".into(),
            reason: reason(),
        },
        ModelError::Cancelled,
    ]
}

#[test]
fn a_model_error_that_lasts_ends_the_command_and_the_same_command_continues() {
    let undisturbed = Project::new(&[card("A", &[])]);
    Table::new(&undisturbed, &scripted(|ask| Ok(good(ask))))
        .play()
        .unwrap();
    for number in 0..lasting_errors().len() {
        for at in 0..3 {
            let project = Project::new(&[card("A", &[])]);
            let failing = scripted(move |ask: &Ask<'_>| {
                if ask.number == at {
                    return Err(lasting_errors().swap_remove(number));
                }
                Ok(good(ask))
            });
            let error = Table::new(&project, &failing).play().unwrap_err();
            assert!(matches!(error, RunError::Backend { .. }), "{error}");
            assert!(error.to_string().contains("venue venue: "), "{error}");
            let row = project.run_row("e-1").unwrap();
            assert_eq!(row.state, RunState::Open);
            assert_eq!(row.last_turn, TurnId::new(at as u64 + 1));
            assert!(project.attempts("e-1").is_empty(), "{error} is no attempt");
            let healthy = scripted(|ask| Ok(good(ask)));
            let summary = Table::new(&project, &healthy).play().unwrap();
            assert_eq!(
                (summary.ending, summary.run_id.as_deref()),
                (RunEnding::Done, Some("e-1"))
            );
            assert_eq!(healthy.count(), 3 - at);
            assert_eq!(project.state_digest(), undisturbed.state_digest());
            assert_eq!(
                result_digests(&project, "e-1"),
                result_digests(&undisturbed, "e-1")
            );
        }
    }
}

/// `guard_approved` has no row to `in_progress` either.
#[test]
fn a_card_in_guard_approved_can_be_given_up() {
    let project = Project::new(&[card("A", &[])]);
    let mut longer = score();
    let finish =
        json!({ "name": "finish", "role": "integrity_guard", "statuses": ["guard_approved"] });
    longer["steps"].as_array_mut().unwrap().push(finish);
    project.asset("scores", "score", &longer);
    let model = scripted(|ask| {
        Ok(match (ask.role.as_str(), ask.status.as_str()) {
            ("integrity_guard", "guard_approved") => forbidden(),
            ("integrity_guard", _) => calls([set("guard_approved")]),
            _ => good(ask),
        })
    });
    let summary = Table::new(&project, &model).play().unwrap();
    assert_eq!(summary.ending, RunEnding::Incomplete);
    assert_eq!(project.statuses(), "A blocked (system)");
    project.replay_all("e-1");
}
