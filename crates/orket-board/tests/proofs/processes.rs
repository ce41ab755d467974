//! Several processes on one home: no commit is lost, no read is mixed, no wait is without bound, a kill leaves nothing.
//!
//! The processes are this test binary again, told by variables what to do.

use std::collections::{BTreeMap, BTreeSet};
use std::env;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use orket_board::Board;
use orket_cards::{CardId, StoreFault, TurnStore};
use orket_kernel::StateView;
use orket_kernel::canonical;
use orket_lsi::Depth;
use orket_testkit::SplitMix64;

use crate::chance::{below, seed, tries};
use crate::project::{Worker, card, epic, stem, turn};

const PART: &str = "ORKET_PROOF_PART";
const HOME: &str = "ORKET_PROOF_HOME";
const WRITERS: u64 = 2;
const READERS: u64 = 4;
/// The store waits five seconds for a writer; the rest is for a busy machine.
const WAIT_MAX: Duration = Duration::from_secs(30);

#[test]
#[ignore = "run by another test, as a child process"]
fn part_of_a_process() {
    let part = env::var(PART).unwrap();
    let home = env::var(HOME).unwrap();
    let (kind, number) = part.split_once(' ').unwrap();
    match kind {
        "write" => write(Path::new(&home), number),
        "read" => read(Path::new(&home)),
        other => panic!("no part {other:?}"),
    }
}

fn start(home: &Path, part: &str) -> Child {
    Command::new(env::current_exe().unwrap())
        .args([
            "processes::part_of_a_process",
            "--exact",
            "--ignored",
            "--nocapture",
        ])
        .env(PART, part)
        .env(HOME, home)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Says something that the parent must be able to rely on.
fn say(line: &str) {
    let mut output = std::io::stdout().lock();
    writeln!(output, "\n@{line}").unwrap();
    output.flush().unwrap();
}

fn stops(home: &Path) -> bool {
    home.with_file_name("stop").exists()
}

/// Commits turn after turn until it is told to stop, and says which were acknowledged.
///
/// Every turn raises the counter `N` by one, which both writers share: an update that is lost shows in it.
fn write(home: &Path, number: &str) {
    let board = Board::open(home).unwrap();
    let run = format!("w{number}");
    let worker = loop {
        match Worker::begin(&board, &run) {
            Ok(worker) => break worker,
            Err(StoreFault::Busy { .. }) => say("busy"),
            Err(fault) => panic!("{fault:?}"),
        }
    };
    let mut next = worker.next().unwrap();
    while !stops(home) {
        let begin = Instant::now();
        let snapshot = board.snapshot().unwrap();
        let (base, raised) = (snapshot.generation(), number_of(snapshot.state(), "N") + 1);
        drop(snapshot);
        let own = card(&format!("own-{number}"), 1, &next.to_string(), &["N"]);
        let input = turn(next, vec![card("N", 0, &raised.to_string(), &[]), own], &[]);
        let ended = worker.draft(&input).and_then(|mut draft| {
            // What was read for the turn was read at this generation.
            draft.commit.base_generation = base;
            board.commit(&draft.commit)
        });
        assert!(begin.elapsed() < WAIT_MAX, "{:?}", begin.elapsed());
        match ended {
            Ok(committed) => {
                say(&format!("ack {next} {} {raised}", committed.generation));
                next += 1;
                match board.project_view() {
                    Ok(()) | Err(StoreFault::Busy { .. }) => {}
                    Err(fault) => panic!("{fault:?}"),
                }
            }
            Err(StoreFault::Conflict { .. }) => say("conflict"),
            Err(StoreFault::Busy { .. }) => say("busy"),
            Err(fault) => panic!("{fault:?}"),
        }
    }
}

/// Returns the number that a card has for its title.
fn number_of(state: &dyn StateView, id: &str) -> u64 {
    let record = state.triplet(&stem(&format!("card/{id}"))).unwrap();
    let body = state.object(&record.unwrap().body_digest).unwrap().unwrap();
    let body = canonical::parse(&body).unwrap();
    body.get("title")
        .unwrap()
        .as_str()
        .unwrap()
        .parse()
        .unwrap()
}

/// Takes snapshot after snapshot until it is told to stop, and checks that each is of one moment.
fn read(home: &Path) {
    let board = Board::open_read_only(home).unwrap().unwrap();
    let mut last = 0;
    let mut snapshots = 0_u64;
    while !stops(home) {
        let begin = Instant::now();
        let snapshot = board.snapshot().unwrap();
        let generation = snapshot.generation();
        assert!(generation >= last, "from {last} back to {generation}");
        last = generation;
        let state = snapshot.state();
        // The board's tables are those of the index.
        let cards = snapshot.cards(None).unwrap();
        let of_board: BTreeSet<CardId> = cards.iter().map(|card| card.id.clone()).collect();
        let stems = state.stems("card/").unwrap();
        let of_index: BTreeSet<CardId> = stems
            .iter()
            .map(|stem| stem.name().parse().unwrap())
            .collect();
        assert_eq!(of_board, of_index, "at generation {generation}");
        // Each turn raises the counter by one and its own card's by one, so they agree at every moment.
        let counted: u64 = (1..=WRITERS)
            .filter(|number| of_board.contains(&format!("own-{number}").parse().unwrap()))
            .map(|number| number_of(state, &format!("own-{number}")))
            .sum();
        assert_eq!(number_of(state, "N"), counted, "at generation {generation}");
        assert_eq!(counted + 1, generation);
        let mut journal = 0;
        for run in snapshot.runs(None).unwrap() {
            journal += snapshot.turns(&run.run_id).unwrap().len() as u64;
        }
        assert_eq!(journal, generation, "the journal is of another moment");
        let digest = snapshot.state_digest();
        drop(snapshot);
        let index = board.index().snapshot().unwrap();
        assert_eq!(
            index.recompute_state_digest().unwrap(),
            index.head().state_digest
        );
        if index.head().generation == generation {
            assert_eq!(index.head().state_digest, digest);
        }
        assert!(begin.elapsed() < WAIT_MAX, "{:?}", begin.elapsed());
        snapshots += 1;
    }
    say(&format!("snapshots {snapshots}"));
}

/// What one writer said before it ended.
#[derive(Default)]
struct Said {
    /// By turn: the generation, and the counter that the turn wrote.
    acknowledged: BTreeMap<u64, (u64, u64)>,
    conflicts: u64,
    busy: u64,
    snapshots: u64,
}

impl Said {
    fn hear(&mut self, line: &str) {
        let words: Vec<&str> = line.split(' ').collect();
        let number = |at: usize| words[at].parse::<u64>().unwrap();
        match words[0] {
            "@ack" => {
                let before = self.acknowledged.insert(number(1), (number(2), number(3)));
                assert_eq!(before, None, "acknowledged twice");
            }
            "@conflict" => self.conflicts += 1,
            "@busy" => self.busy += 1,
            "@snapshots" => self.snapshots += number(1),
            _ => {}
        }
    }
}

/// Makes a home with the counter at zero, in a directory that also holds the sign to stop.
fn home() -> (tempfile::TempDir, std::path::PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let home = directory.path().join("home");
    let board = Board::open(&home).unwrap();
    let loader = Worker::begin(&board, "load").unwrap();
    loader
        .turn(&turn(1, vec![epic(), card("N", 0, "0", &[])], &[]))
        .unwrap();
    (directory, home)
}

/// Every acknowledged turn is in the chain where it was said to be, and nothing is damaged.
fn check(home: &Path, said: &BTreeMap<String, Said>) -> u64 {
    let board = Board::open(home).unwrap();
    let verification = board.verify(Depth::Full).unwrap();
    assert_eq!(verification.findings.faults, []);
    let snapshot = board.snapshot().unwrap();
    let mut generations = BTreeSet::new();
    for (run, said) in said {
        let turns = snapshot.turns(&crate::project::run_id(run)).unwrap();
        for (turn, (generation, counter)) in &said.acknowledged {
            let row = turns.iter().find(|row| row.turn_id.number() == *turn);
            assert_eq!(
                row.map(|row| row.generation),
                Some(*generation),
                "{run} {turn} is lost"
            );
            assert_eq!(
                counter + 1,
                *generation,
                "{run} {turn} wrote over another's"
            );
            assert!(
                generations.insert(*generation),
                "two turns of one generation"
            );
        }
    }
    assert_eq!(number_of(snapshot.state(), "N") + 1, snapshot.generation());
    snapshot.generation()
}

#[test]
fn two_writers_and_four_readers_lose_and_mix_nothing() {
    let rounds = tries(60, 1_000);
    let (directory, home) = home();
    let mut writers: Vec<(String, Child)> = (1..=WRITERS)
        .map(|number| {
            (
                format!("w{number}"),
                start(&home, &format!("write {number}")),
            )
        })
        .collect();
    let readers: Vec<Child> = (0..READERS).map(|_| start(&home, "read 0")).collect();
    let (heard, hear) = std::sync::mpsc::channel();
    let listeners: Vec<_> = writers
        .iter_mut()
        .map(|(run, child)| {
            let (run, heard) = (run.clone(), heard.clone());
            let output = BufReader::new(child.stdout.take().unwrap());
            std::thread::spawn(move || {
                for line in output.lines() {
                    let _ = heard.send((run.clone(), line.unwrap()));
                }
            })
        })
        .collect();
    drop(heard);
    let mut said: BTreeMap<String, Said> = BTreeMap::new();
    let mut has_stopped = false;
    // Until all of them have ended: a line that comes too late is one that waited too long.
    loop {
        match hear.recv_timeout(WAIT_MAX) {
            Ok((run, line)) => said.entry(run).or_default().hear(&line),
            Err(std::sync::mpsc::RecvTimeoutError::Disconnected) => break,
            Err(error) => panic!("a writer is silent: {error}"),
        }
        let enough = said.len() as u64 == WRITERS
            && said
                .values()
                .all(|it| it.acknowledged.len() as u64 * WRITERS >= rounds);
        if enough && !has_stopped {
            File::create(home.with_file_name("stop")).unwrap();
            has_stopped = true;
        }
    }
    for listener in listeners {
        listener.join().unwrap();
    }
    for (run, mut child) in writers {
        assert!(child.wait().unwrap().success(), "{run}");
    }
    let mut of_readers = Said::default();
    for reader in readers {
        let output = reader.wait_with_output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success(), "{text}");
        text.lines().for_each(|line| of_readers.hear(line));
    }
    let generation = check(&home, &said);
    let acknowledged: usize = said.values().map(|said| said.acknowledged.len()).sum();
    assert_eq!(acknowledged as u64 + 1, generation);
    assert!(acknowledged as u64 >= rounds && of_readers.snapshots >= READERS);
    let conflicts: u64 = said.values().map(|said| said.conflicts).sum();
    let busy: u64 = said.values().map(|said| said.busy).sum();
    println!(
        "{acknowledged} commits, {conflicts} conflicts, {busy} times busy, {} snapshots",
        of_readers.snapshots
    );
    drop(directory);
}

#[test]
fn a_writer_that_is_killed_leaves_nothing_behind() {
    let kills = tries(8, 200);
    let seed = seed();
    let mut chance = SplitMix64::new(seed);
    let (directory, home) = home();
    let mut said: BTreeMap<String, Said> = BTreeMap::new();
    for kill in 0..kills {
        let number = kill % WRITERS + 1;
        let mut victim = start(&home, &format!("write {number}"));
        let mut lines = BufReader::new(victim.stdout.take().unwrap()).lines();
        let of_run = said.entry(format!("w{number}")).or_default();
        // After so many acknowledgements, and then at once: somewhere in the next turn.
        let mut left = 1 + below(&mut chance, 5);
        for line in lines.by_ref() {
            let line = line.unwrap();
            of_run.hear(&line);
            left -= usize::from(line.starts_with("@ack"));
            if left == 0 {
                break;
            }
        }
        let mut pause = 0_u64;
        for _ in 0..below(&mut chance, 200_000) {
            pause = std::hint::black_box(pause + 1);
        }
        victim.kill().unwrap();
        victim.wait().unwrap();
        // What it said before the kill reached it counts.
        for line in lines {
            of_run.hear(&line.unwrap());
        }
        check(&home, &said);
    }
    let drafts = fs::read_dir(home.join("durable/db")).unwrap();
    let names: Vec<_> = drafts.map(|entry| entry.unwrap().file_name()).collect();
    let is_known = |name: &std::ffi::OsString| {
        ["", "-wal", "-shm", ".lock"]
            .iter()
            .any(|suffix| *name == *format!("orket_persistence.db{suffix}"))
    };
    assert!(names.iter().all(is_known), "{names:?}");
    let acknowledged: usize = said.values().map(|said| said.acknowledged.len()).sum();
    println!("{kills} kills, {acknowledged} commits, seed {seed}");
    drop(directory);
}
