//! A failed attempt leaves its evidence and moves nothing; a promoted turn is in every projection.

use orket_cards::{StoreFault, TurnStore};
use orket_kernel::canonical;
use orket_ports::Event;

use crate::model::{forbidden, good, prose, scripted, unreachable};
use crate::project::{Project, card};
use crate::table::{Heard, Table};
use crate::tap::{Moment, TapStore, Tapped};

#[test]
fn a_failed_attempt_keeps_its_exchange_and_does_not_move_the_state() {
    let project = Project::new(&[card("A", &[])]);
    let model = scripted(|ask| match ask.number {
        0 => Ok(prose("I would")),
        1 => Ok(forbidden()),
        2 => Ok(forbidden()),
        _ => Err(unreachable()),
    });
    let board = project.board();
    let before_and_after = std::sync::Mutex::new(Vec::new());
    let on = |tapped: &Tapped<'_>| -> Result<(), StoreFault> {
        if tapped.method == "keep_attempt" {
            let snapshot = board.snapshot()?;
            let seen = (snapshot.state_digest(), snapshot.generation());
            before_and_after.lock().unwrap().push(seen);
        }
        Ok(())
    };
    let store = TapStore { inner: &board, on };
    Table::new(&project, &model)
        .store(&store)
        .play()
        .unwrap_err();
    let seen = before_and_after.into_inner().unwrap();
    assert_eq!(seen.len(), 4, "before and after two attempts");
    assert!(seen.iter().all(|one| *one == seen[0]));
    assert_eq!(seen[0].1, 1, "only the cards were loaded");

    let requests = model.requests();
    let failures = project.failures("e-1");
    let numbers: Vec<(u64, usize)> = failures
        .iter()
        .map(|it| (it.attempt, it.exchanges.len()))
        .collect();
    assert_eq!(numbers, [(1, 2), (2, 1)]);
    let exchanges = failures.iter().flat_map(|failure| &failure.exchanges);
    let snapshot = board.snapshot().unwrap();
    for (exchange, request) in exchanges.zip(&requests) {
        assert_eq!(exchange.request, request.digest().unwrap());
        let kept = snapshot.record(&exchange.request).unwrap().unwrap();
        assert_eq!(kept, canonical::serialize(request).unwrap());
        assert!(
            snapshot
                .record(&exchange.answer.unwrap())
                .unwrap()
                .is_some()
        );
    }
    for attempt in 1..=2 {
        let directory =
            format!("workspace/default/observability/e-1/A/002_coder/attempt-{attempt}");
        let files = project.tree(&directory);
        assert!(
            files.contains_key(std::path::Path::new("turn_record.json")),
            "{files:?}"
        );
        assert!(files.contains_key(std::path::Path::new("answer-1.json")));
    }
    assert!(project.output("A.txt").is_none());
    let failed = project.events("e-1");
    assert_eq!(
        failed
            .iter()
            .filter(|event| event.event == "turn_failed")
            .count(),
        2
    );
}

#[test]
fn every_promoted_turn_replays_and_every_durable_event_is_told_once_in_order() {
    let project = Project::new(&[card("A", &[]), card("B", &["A"]), card("C", &[])]);
    let model = scripted(|ask| {
        Ok(match ask.number {
            1 => prose("I would"),
            3 => forbidden(),
            _ => good(ask),
        })
    });
    let mut heard = Heard::default();
    let conductor = &mut orket_flow::NoConductor;
    let summary = Table::new(&project, &model)
        .play_epic("e", conductor, &mut heard)
        .unwrap();
    assert_eq!((summary.refused_attempts, summary.corrected_turns), (1, 1));
    assert_eq!(project.replay_all("e-1"), 10);
    project.verify_index();
    assert_eq!(summary.turns, 10);
    assert_eq!(summary.state_digest, project.state_digest());
    assert_eq!(summary.last_turn.as_deref(), Some("e-1:C:10"));
    assert_eq!(
        (summary.tokens.prompt, summary.tokens.completion),
        (11 * 11, 11 * 7)
    );

    let kept = project.events("e-1");
    let seqs: Vec<u64> = kept.iter().filter_map(|event| event.seq).collect();
    assert_eq!(seqs, (1..=kept.len() as u64).collect::<Vec<_>>());
    let told: Vec<Event> = heard
        .0
        .into_iter()
        .filter(|event| event.seq.is_some())
        .collect();
    assert_eq!(told, kept);
    let log = std::fs::read_to_string(project.path("workspace/default/orket.log")).unwrap();
    let logged: Vec<Event> = log
        .lines()
        .map(|line| canonical::from_bytes(line.as_bytes()).unwrap())
        .collect();
    assert_eq!(logged, kept);
}

/// Nothing is confirmed before it is durable.
#[test]
fn an_event_with_a_number_is_told_after_its_commit() {
    let project = Project::new(&[card("A", &[])]);
    let model = scripted(|ask| Ok(good(ask)));
    let board = project.board();
    let on = |tapped: &Tapped<'_>| match tapped.commit {
        Some(commit) if commit.record.turn_id.number() == 3 && tapped.moment == Moment::Before => {
            Err(StoreFault::Unusable {
                reason: "injected".into(),
            })
        }
        _ => Ok(()),
    };
    let store = TapStore { inner: &board, on };
    let mut heard = Heard::default();
    let conductor = &mut orket_flow::NoConductor;
    Table::new(&project, &model)
        .store(&store)
        .play_epic("e", conductor, &mut heard)
        .unwrap_err();
    let complete = heard
        .0
        .iter()
        .filter(|event| event.event == "turn_complete");
    assert_eq!(complete.count(), 2);
}
