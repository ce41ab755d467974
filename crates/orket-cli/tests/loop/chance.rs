//! Models that do anything: whatever they call, no card becomes done without guard, evidence and artefacts.

use std::collections::BTreeMap;
use std::sync::Mutex;

use orket_cards::{
    Card, Cause, Status, StoreFault, TurnCommit, TurnSnapshot, TurnStore, Verification,
    VerificationState,
};
use orket_flow::RunEnding;
use orket_kernel::canonical::{self, Value};
use orket_kernel::{Digest, Stem, object};
use orket_ports::model::{ModelAnswer, ToolCall};
use orket_testkit::SplitMix64;
use proptest::prelude::*;
use serde_json::json;

use crate::model::{Ask, call, calls, comment, good, prose, scripted, set, write};
use crate::project::{Project, card, score};
use crate::table::Table;
use crate::tap::{Moment, TapStore, Tapped};

const STATUSES: [&str; 13] = [
    "ready",
    "in_progress",
    "blocked",
    "waiting_for_developer",
    "ready_for_testing",
    "code_review",
    "awaiting_guard_review",
    "guard_approved",
    "guard_rejected",
    "guard_requested_changes",
    "done",
    "canceled",
    "archived",
];

fn below(chance: &mut SplitMix64, number: u64) -> u64 {
    chance.next_u64() % number
}

fn any_call(ask: &Ask<'_>, chance: &mut SplitMix64) -> ToolCall {
    let files = ["A.txt", "B.txt", "C.txt", "x/y.txt"];
    let path = |chance: &mut SplitMix64| match ask.promised.first() {
        Some(path) if below(chance, 3) > 0 => path.clone(),
        _ => format!("agent_output/{}", files[below(chance, 4) as usize]),
    };
    match below(chance, 12) {
        0..=3 => {
            let contents = ["good", "good as new", "bad", ""];
            write(&path(chance), contents[below(chance, 4) as usize])
        }
        4..=8 => {
            let mut arguments = BTreeMap::from([(
                "status".to_owned(),
                Value::from(STATUSES[below(chance, 13) as usize]),
            )]);
            if below(chance, 10) == 0 {
                arguments.insert("wait_reason".into(), "input".into());
            }
            if below(chance, 5) == 0 {
                arguments.insert(
                    "issue_id".into(),
                    ["A", "B", "C", "Z"][below(chance, 4) as usize].into(),
                );
            }
            call("update_issue_status", Value::Object(arguments))
        }
        9 => comment("a remark"),
        10 => call("read_file", object! { "path" => path(chance) }),
        _ => call("list_directory", object! { "path" => "agent_output/x" }),
    }
}

/// Answers well half of the time, so that cards come far enough to be finished wrongly.
fn any_answer(ask: &Ask<'_>, chance: &mut SplitMix64) -> ModelAnswer {
    match below(chance, 10) {
        0..=3 => good(ask),
        4 => match ask.role.as_str() {
            "integrity_guard" => calls([set("done")]),
            _ => calls([
                write(&ask.promised[0], ["", "bad"][below(chance, 2) as usize]),
                set("code_review"),
            ]),
        },
        5 => prose("hm"),
        _ => {
            let number = 1 + below(chance, 3);
            calls(
                (0..number)
                    .map(|_| any_call(ask, chance))
                    .collect::<Vec<_>>(),
            )
        }
    }
}

fn body(snapshot: &dyn TurnSnapshot, stem: &str) -> Option<Value> {
    let record = snapshot
        .state()
        .triplet(&Stem::parse(stem).unwrap())
        .unwrap()?;
    let bytes = snapshot
        .state()
        .object(&record.body_digest)
        .unwrap()
        .unwrap();
    Some(canonical::parse(&bytes).unwrap())
}

/// Checks a card that a commit has just made done, from the state after it and from the record of the turn alone.
pub(crate) fn check_done(card: &Card, commit: &TurnCommit, after: &dyn TurnSnapshot) {
    let record = &commit.record;
    assert_eq!(record.role, "integrity_guard", "{}", card.id);
    assert_eq!(record.cause, Cause::Answer);
    assert_eq!(record.card.as_ref(), Some(&card.id));
    assert!(
        !card
            .authors
            .iter()
            .any(|author| author == "integrity_guard")
    );
    for path in &card.artifacts {
        let body =
            body(after, &format!("artifact/{path}")).expect("a promised artefact is missing");
        assert!(
            body.get("length").unwrap().as_u64().unwrap() > 0,
            "{path} is empty"
        );
        let digest: Digest = body
            .get("content_digest")
            .unwrap()
            .as_str()
            .unwrap()
            .parse()
            .unwrap();
        assert!(!after.state().object(&digest).unwrap().unwrap().is_empty());
    }
    match card.verification {
        Verification::None(_) => assert_eq!(card.verified, VerificationState::NoChecks),
        Verification::Checks(_) => {
            assert_eq!(card.verified, VerificationState::Passed);
            assert_eq!(record.outcomes[0].get("passed"), Some(&Value::from(true)));
            // The evidence names exactly the artefacts that are there.
            let evidence = body(after, &format!("evidence/{}", card.id)).unwrap();
            for path in &card.artifacts {
                let now = body(after, &format!("artifact/{path}")).unwrap();
                let then = evidence.get("artifacts").unwrap().get(path);
                assert_eq!(then, now.get("content_digest"), "{path} was exchanged");
            }
        }
    }
}

fn project() -> Project {
    let mut free = card("C", &[]);
    free["verification"] = json!({ "none": "a note" });
    let project = Project::new(&[card("A", &[]), card("B", &["A"]), free]);
    let mut all = score();
    all["turns_per_card"] = json!(25);
    all["attempts_per_turn"] = json!(6);
    all["steps"][0]["statuses"] = json!([
        "ready",
        "in_progress",
        "guard_requested_changes",
        "guard_rejected",
        "ready_for_testing"
    ]);
    all["steps"][2]["statuses"] = json!(["awaiting_guard_review", "guard_approved"]);
    project.asset("scores", "score", &all);
    project
}

/// Plays one run with this seed; says how many turns it had and how many cards became done.
fn play(seed: u64) -> (usize, usize) {
    let project = project();
    let chance = Mutex::new(SplitMix64::new(seed));
    let model = scripted(|ask| Ok(any_answer(ask, &mut chance.lock().unwrap())));
    let board = project.board();
    let done: Mutex<Vec<String>> = Mutex::default();
    let watch = |tapped: &Tapped<'_>| -> Result<(), StoreFault> {
        if let (Moment::After, Some(commit), false) =
            (tapped.moment, tapped.commit, tapped.conflict)
        {
            let after = board.snapshot()?;
            for card in after.cards(None)? {
                let known = done.lock().unwrap().contains(&card.id.to_string());
                if card.status == Status::Done && !known {
                    check_done(&card, commit, after.as_ref());
                    done.lock().unwrap().push(card.id.to_string());
                }
                assert!(card.status == Status::Done || !known, "a card left done");
            }
        }
        Ok(())
    };
    let store = TapStore {
        inner: &board,
        on: watch,
    };
    let summary = Table::new(&project, &model).store(&store).play().unwrap();
    let done = done.lock().unwrap().len();
    assert_eq!(
        summary.ending == RunEnding::Done,
        done == 3,
        "archived is not reached by agents' whim alone"
    );
    project.replay_all("e-1");
    project.verify_index();
    (project.turns("e-1").len(), done)
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: if std::env::var_os("ORKET_FULL").is_some() { 200 } else { 24 },
        failure_persistence: None,
        rng_seed: proptest::test_runner::RngSeed::Fixed(5),
        max_shrink_iters: 0,
        ..ProptestConfig::default()
    })]

    #[test]
    fn whatever_models_call_done_means_guard_evidence_and_artefacts(seed in any::<u64>()) {
        play(seed);
    }
}

#[test]
fn chance_reaches_both_done_and_undone_cards() {
    let (turns, done) = (0..8)
        .map(play)
        .fold((0, 0), |(t, d), (turns, done)| (t + turns, d + done));
    assert!(turns > 60, "only {turns} turns");
    assert!((4..24).contains(&done), "{done} of 24 cards were done");
}
