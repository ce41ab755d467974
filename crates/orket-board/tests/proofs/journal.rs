//! Rows of the journal that are not what was written: the read that meets one says so.

use std::path::Path;

use orket_board::Board;
use orket_cards::{FailedAttempt, StoreFault, TurnStore};

use crate::project::{Worker, card, epic, event, run_id, turn};

/// A run of one turn and one failed attempt, two events.
fn work(home: &Path) -> Board {
    let board = Board::open(home).unwrap();
    let worker = Worker::begin(&board, "a").unwrap();
    let cards = vec![epic(), card("A", 0, "first", &[])];
    worker.turn(&turn(1, cards, &[])).unwrap();
    let failed = worker.draft(&turn(2, vec![], &["card/A"])).unwrap().commit;
    let attempt = FailedAttempt {
        fence: worker.fence(),
        record: failed.record,
        evidence: failed.evidence,
        events: vec![event(worker.run_id(), 2)],
    };
    board.keep_attempt(&attempt).unwrap();
    drop(worker);
    board
}

fn tamper(home: &Path, sql: &str) {
    let path = home.join("durable/db/orket_persistence.db");
    let connection = rusqlite::Connection::open(path).unwrap();
    connection
        .pragma_update(None, "foreign_keys", false)
        .unwrap();
    assert!(connection.execute(sql, []).unwrap() > 0, "{sql}");
}

type Read = fn(&Board) -> Result<(), StoreFault>;

fn run(board: &Board) -> Result<(), StoreFault> {
    board.snapshot()?.run(&run_id("a")).map(drop)
}

fn events(board: &Board) -> Result<(), StoreFault> {
    board.snapshot()?.events_after(&run_id("a"), 0).map(drop)
}

fn newest_event(board: &Board) -> Result<(), StoreFault> {
    board.snapshot()?.events_after(&run_id("a"), 1).map(drop)
}

fn attempts(board: &Board) -> Result<(), StoreFault> {
    board.snapshot()?.attempts(&run_id("a")).map(drop)
}

fn lease(board: &Board) -> Result<(), StoreFault> {
    board.lease(&run_id("a")).map(drop)
}

#[test]
fn a_row_that_was_changed_or_lost_is_damage() {
    let cases: [(&str, Read); 18] = [
        ("UPDATE run_journal SET number = 7", run),
        ("UPDATE run_journal SET epic = 'x'", run),
        ("UPDATE run_journal SET state = 'passed'", run),
        ("UPDATE run_journal SET last_seq = 1", run),
        ("UPDATE run_journal SET events_digest = NULL", run),
        ("UPDATE run_journal SET attempts_digest = NULL", run),
        ("DELETE FROM run_journal", run),
        ("DELETE FROM run_journal", events),
        (
            "INSERT INTO dropped_runs VALUES ('a', 1, zeroblob(32))",
            run,
        ),
        (
            "UPDATE events SET line = replace(line, '2026', '2025') WHERE seq = 1",
            events,
        ),
        (
            "UPDATE events SET line = replace(line, '2026', '2025') WHERE seq = 2",
            newest_event,
        ),
        ("DELETE FROM events WHERE seq = 1", events),
        ("DELETE FROM events WHERE seq = 1", newest_event),
        ("DELETE FROM events WHERE seq = 2", events),
        ("DELETE FROM events WHERE seq = 2", newest_event),
        ("UPDATE attempt_journal SET attempt = 2", attempts),
        (
            "UPDATE attempt_journal SET record_digest = zeroblob(32)",
            attempts,
        ),
        ("UPDATE fences SET fence = fence + 1", lease),
    ];
    for (sql, read) in cases {
        let directory = tempfile::tempdir().unwrap();
        let home = directory.path().join("home");
        let board = work(&home);
        read(&board).unwrap();
        tamper(&home, sql);
        match read(&board) {
            Err(StoreFault::Corrupt { .. }) => {}
            other => panic!("{sql}: {other:?}"),
        }
    }
}

#[test]
fn events_after_a_number_are_those_that_follow_it() {
    let directory = tempfile::tempdir().unwrap();
    let board = work(&directory.path().join("home"));
    let snapshot = board.snapshot().unwrap();
    for (after, expected) in [
        (0, &[Some(1), Some(2)][..]),
        (1, &[Some(2)]),
        (2, &[]),
        (9, &[]),
    ] {
        let events = snapshot.events_after(&run_id("a"), after).unwrap();
        let numbers: Vec<Option<u64>> = events.iter().map(|event| event.seq).collect();
        assert_eq!(numbers, expected, "after {after}");
    }
    assert_eq!(snapshot.events_after(&run_id("b"), 0).unwrap(), []);
}
