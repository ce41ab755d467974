//! A model that is fully hijacked: whatever it calls, nothing happens but what its roles were granted, and everything that was
//! decided about it is on record once.
//!
//! 300 answers by default, 10,000 with `ORKET_FULL=1`, drawn from the corpora in `fixtures/paths` and from what a model can
//! get wrong on purpose. The seed is fixed; `ORKET_SEED` names another.

mod ground;
mod malice;
mod watch;

use std::io::Write;
use std::sync::Mutex;

use orket_cards::{Cause, Status, TurnRecord};
use orket_kernel::capability::Decision;
use orket_testkit::SplitMix64;

use crate::model::scripted;
use crate::project::Project;
use crate::table::Table;
use crate::tap::{TapStore, Tapped};
use ground::{Ground, SENTINEL};
use malice::Malice;
use watch::Watch;

/// The most calls of one answer that are decided; an answer with more is refused as a whole.
const DECIDED_MAX: usize = 32;

/// How many answers one project hears, so that its history does not become the longest part of the test.
const ANSWERS_PER_PROJECT: usize = 300;

/// What a test has seen, for one line at its end.
#[derive(Debug, Default)]
struct Seen {
    answers: usize,
    calls: usize,
    decisions: usize,
    refused_attempts: usize,
    promoted_turns: usize,
    done_cards: usize,
}

#[test]
fn a_hijacked_model_does_nothing_that_it_was_not_granted() {
    let is_full = std::env::var("ORKET_FULL").is_ok_and(|value| value == "1");
    let wanted = if is_full { 10_000 } else { 300 };
    let seed = std::env::var("ORKET_SEED")
        .ok()
        .and_then(|seed| seed.parse().ok())
        .unwrap_or(10);
    let mut chance = SplitMix64::new(seed);
    let mut seen = Seen::default();
    while seen.answers < wanted {
        let answers = ANSWERS_PER_PROJECT.min(wanted - seen.answers);
        play_project(chance.next_u64(), answers, &mut seen);
    }
    let line = format!("hijacked model, seed {seed}: {seen:?}");
    if is_full {
        let _ = writeln!(std::io::stderr(), "{line}");
    }
    assert_eq!(seen.calls, seen.decisions, "{line}");
    // It was heard, it was refused, and some of what it did was its right.
    assert!(
        seen.refused_attempts * 10 > seen.answers && seen.promoted_turns * 50 > seen.answers,
        "{line}"
    );
}

/// Lets the model play in a project until it has given so many answers.
fn play_project(seed: u64, answers: usize, seen: &mut Seen) {
    let ground = Ground::new();
    let project = &ground.project;
    let before = ground.standing();
    let malice = Mutex::new(Malice::new(seed, &ground));
    let asked: Mutex<Vec<Vec<String>>> = Mutex::default();
    let model = scripted(|ask| {
        let mut asked = asked.lock().unwrap();
        let answer = malice.lock().unwrap().answer(ask, asked.len() < answers);
        asked.push(
            answer
                .tool_calls
                .iter()
                .map(|call| call.name.clone())
                .collect(),
        );
        Ok(answer)
    });
    let board = project.board();
    let watch = Watch::default();
    let store = TapStore {
        inner: &board,
        on: |tapped: &Tapped<'_>| watch.look(&board, tapped),
    };
    let mut number = 0;
    while asked.lock().unwrap().len() < answers {
        number += 1;
        let run = format!("e-{number}");
        let heard = asked.lock().unwrap().len();
        let table = Table::new(project, &model)
            .store(&store)
            .tools(ground.tools())
            .references(&["docs"]);
        table
            .run_id(&run)
            .play()
            .unwrap_or_else(|error| panic!("seed {seed}: {error}"));
        let asked = asked.lock().unwrap();
        if asked.len() == heard {
            // Every card is done: this project has nothing left to ask for.
            break;
        }
        check_audit(project, &run, &asked[heard..], seen);
        project.replay_all(&run);
    }
    for request in model.requests() {
        let text = crate::model::text(&request);
        assert!(
            !text.contains(SENTINEL),
            "seed {seed}: a prompt holds what no agent may read:\n{text}"
        );
    }
    let after = ground.standing();
    for (at, was) in &before {
        assert_eq!(after.get(at), Some(was), "seed {seed}: {at} was changed");
    }
    let made: Vec<&String> = after
        .keys()
        .filter(|at| !before.contains_key(*at))
        .collect();
    assert!(made.is_empty(), "seed {seed}: {made:?} were made");
    ground.check_output();
    project.verify_index();
    seen.answers += asked.lock().unwrap().len();
    seen.done_cards += project
        .cards()
        .values()
        .filter(|card| card.status == Status::Done)
        .count();
}

/// Compares what the model asked for with the records of the run: one decision for each call, in order, and no other.
fn check_audit(project: &Project, run: &str, asked: &[Vec<String>], seen: &mut Seen) {
    let mut records: Vec<TurnRecord> = project.failures(run);
    let refused = records.len();
    let promoted = project.turns(run);
    records.extend(
        promoted
            .iter()
            .map(|turn| project.record(&turn.record_digest)),
    );
    records.retain(|record| record.cause == Cause::Answer);
    records.sort_by_key(|record| (record.turn_id, record.attempt));
    seen.refused_attempts += refused;
    seen.promoted_turns += records.len() - refused;
    let decided: Vec<&[Decision]> = records
        .iter()
        .flat_map(|record| {
            let last = record.exchanges.len() - 1;
            record
                .exchanges
                .iter()
                .enumerate()
                .map(move |(index, exchange)| match index == last {
                    true => record.decisions.as_slice(),
                    false => exchange.decisions.as_slice(),
                })
        })
        .collect();
    assert_eq!(
        decided.len(),
        asked.len(),
        "{run}: an answer is not on record"
    );
    for (answer, (calls, decisions)) in asked.iter().zip(decided).enumerate() {
        let tools: Vec<&str> = calls.iter().map(String::as_str).take(DECIDED_MAX).collect();
        let recorded: Vec<&str> = decisions
            .iter()
            .map(|decision| decision.tool.as_str())
            .collect();
        assert_eq!(recorded, tools, "{run}: answer {answer}");
        let ordinals: Vec<u64> = decisions.iter().map(|decision| decision.ordinal).collect();
        assert_eq!(
            ordinals,
            (0..tools.len() as u64).collect::<Vec<_>>(),
            "{run}: answer {answer}"
        );
        seen.calls += tools.len();
        seen.decisions += decisions.len();
    }
}
