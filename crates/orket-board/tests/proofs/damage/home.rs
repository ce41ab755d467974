//! Whole homes, kept in memory, with what was to be read after each of their commits.

use std::fs;
use std::path::{Path, PathBuf};

use orket_board::Board;
use orket_cards::{FailedAttempt, RunEnd, RunState, TurnStore};
use orket_kernel::{Digest, StagingArea, TurnInput};

use super::Files;
use crate::facts::{Facts, Known, facts};
use crate::project::{Worker, card, epic, event, turn, with_file};

/// A directory in memory if there is one, for every round writes whole homes.
pub(super) fn fast_directory() -> tempfile::TempDir {
    tempfile::tempdir_in("/dev/shm").unwrap_or_else(|_| tempfile::tempdir().unwrap())
}

/// How far the parts of a home are.
#[derive(Clone, Copy)]
struct Shape {
    name: &'static str,
    /// After which commits the log is emptied into the database.
    checkpoints: &'static [usize],
    /// After which commits the view is brought forward.
    views: &'static [usize],
}

const LAST: usize = 12;

const SHAPES: [Shape; 4] = [
    Shape {
        name: "an all in the database",
        checkpoints: &[LAST],
        views: &[LAST],
    },
    Shape {
        name: "a half in the log",
        checkpoints: &[6],
        views: &[LAST],
    },
    Shape {
        name: "an all in the log",
        checkpoints: &[],
        views: &[LAST],
    },
    Shape {
        name: "a half in the log, lagging view",
        checkpoints: &[6],
        views: &[7],
    },
];

/// An intact home.
pub(super) struct Prepared {
    pub(super) name: &'static str,
    pub(super) files: Files,
    pub(super) known: Known,
    /// What was to be read after each commit; the last is what is to be read now.
    pub(super) moments: Vec<Facts>,
    /// The generation that the view shows.
    pub(super) view: u64,
    /// The generation after each commit.
    pub(super) generations: Vec<u64>,
    /// The state after the turn that comes next.
    pub(super) next_digest: Digest,
}

impl Prepared {
    pub(super) fn all() -> Vec<Prepared> {
        SHAPES.iter().map(|shape| Prepared::new(*shape)).collect()
    }

    fn new(shape: Shape) -> Prepared {
        // A home is made by the same steps each time, so what it will know in the end can be learned first.
        let mut known = Known::default();
        let first = fast_directory();
        let mut learn = |board: &Board| known.learn(board, &["a", "b"]);
        build(shape, &first.path().join("home"), &mut learn);
        let second = fast_directory();
        let home = second.path().join("home");
        let (mut moments, mut generations) = (Vec::new(), Vec::new());
        build(shape, &home, &mut |board| {
            moments.push(facts(board, &known));
            generations.push(board.index().head().unwrap().generation);
        });
        // The first moment is that before the first commit.
        let view = generations[*shape.views.last().unwrap() + 1];
        let files = take(&home);
        let board = Board::open(&home).unwrap();
        // What is staged is no commit: only the last moment has it.
        *moments.last_mut().unwrap() = facts(&board, &known);
        assert!(moments.last().unwrap().values().all(Result::is_ok));
        let worker = Worker::begin(&board, "b").unwrap();
        let next_digest = worker.turn(&next_turn(&worker)).unwrap().state_digest;
        Prepared {
            name: shape.name,
            files,
            known,
            moments,
            view,
            generations,
            next_digest,
        }
    }

    pub(super) fn now(&self) -> &Facts {
        self.moments.last().unwrap()
    }
}

/// The turn that comes after all others.
pub(super) fn next_turn(worker: &Worker<'_>) -> TurnInput {
    let number = worker.next().unwrap();
    turn(number, vec![card("C", 2, "after the damage", &["A"])], &[])
}

/// Plays two runs; `each` is called before the first commit and after every one.
fn build(shape: Shape, home: &Path, each: &mut dyn FnMut(&Board)) {
    let board = Board::open(home).unwrap();
    each(&board);
    let mut commit = 0;
    let mut done = || {
        if shape.checkpoints.contains(&commit) {
            checkpoint(home);
        }
        if shape.views.contains(&commit) {
            board.project_view().unwrap();
        }
        each(&board);
        commit += 1;
    };
    let a = Worker::begin(&board, "a").unwrap();
    done();
    let cards = vec![
        epic(),
        card("A", 0, "first", &[]),
        card("B", 1, "second", &["A"]),
    ];
    a.turn(&turn(1, cards, &[])).unwrap();
    done();
    let b = Worker::begin(&board, "b").unwrap();
    done();
    let large: Vec<u8> = (0..1024 * 1024 + 77_u32).map(|at| (at / 7) as u8).collect();
    let input = turn(2, vec![card("C", 2, "third", &["A", "B"])], &[]);
    a.turn(&with_file(input, "large.bin", large, "A")).unwrap();
    done();
    b.turn(&turn(1, vec![card("D", 3, "fourth", &["C"])], &[]))
        .unwrap();
    done();
    let failed = a.draft(&turn(3, vec![], &["card/D"])).unwrap().commit;
    let attempt = FailedAttempt {
        fence: a.fence(),
        record: failed.record,
        evidence: failed.evidence,
        events: vec![event(a.run_id(), 3)],
    };
    board.keep_attempt(&attempt).unwrap();
    done();
    b.turn(&turn(2, vec![card("B", 1, "second again", &[])], &[]))
        .unwrap();
    done();
    a.turn(&turn(3, vec![], &["card/D"])).unwrap();
    done();
    let small = with_file(turn(3, vec![], &[]), "small.txt", b"small".to_vec(), "B");
    b.turn(&small).unwrap();
    done();
    a.turn(&turn(
        4,
        (0..8)
            .map(|at| card(&format!("M{at}"), 9 + at, "many", &["A"]))
            .collect(),
        &[],
    ))
    .unwrap();
    done();
    let end = RunEnd {
        run_id: a.run_id().clone(),
        fence: a.fence(),
        state: RunState::Passed,
        events: vec![event(a.run_id(), 4)],
    };
    board.end_run(&end).unwrap();
    done();
    b.turn(&turn(
        4,
        vec![card("E", 4, "fifth", &["B", "M3"])],
        &["card/M1"],
    ))
    .unwrap();
    done();
    b.turn(&turn(5, vec![card("A", 0, "first again", &[])], &[]))
        .unwrap();
    let draft = b
        .draft(&turn(6, vec![card("F", 5, "staged", &["E"])], &[]))
        .unwrap();
    let staging = board.index().staging();
    StagingArea::stage(&staging, &draft.staged, b"the record").unwrap();
    done();
    assert_eq!(commit, LAST + 1);
}

/// Empties the log into the database.
fn checkpoint(home: &Path) {
    let path = home.join("durable/db/orket_persistence.db");
    let connection = rusqlite::Connection::open(path).unwrap();
    let sql = "PRAGMA wal_checkpoint(TRUNCATE)";
    let is_busy: i64 = connection.query_row(sql, [], |row| row.get(0)).unwrap();
    assert_eq!(is_busy, 0);
}

/// Reads all files of a home.
pub(super) fn take(home: &Path) -> Files {
    let mut files = Files::new();
    let mut open = vec![home.to_path_buf()];
    while let Some(directory) = open.pop() {
        for entry in fs::read_dir(&directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else {
                let name: PathBuf = path.strip_prefix(home).unwrap().to_path_buf();
                files.insert(name, fs::read(&path).unwrap());
            }
        }
    }
    files
}

/// Writes all files of a home.
pub(super) fn put(home: &Path, files: &Files) {
    for (name, bytes) in files {
        let path = home.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
}
