//! The look at a home: everything in it must agree.

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use orket_board::Board;
use orket_cards::{Card, RunRow, TurnStore};
use orket_kernel::{Digest, StateView, Stem, canonical};
use orket_lsi::{Migration, Snapshot, Store};

use crate::Outcome;

/// The board's, so that the index below it can be looked at alone.
const MIGRATIONS: &[Migration] = &[Migration {
    version: 101,
    sql: include_str!("../../src/schema/0101_board.sql"),
}];

/// Opens a home, brings its view forward and looks at all of it.
///
/// Prints `generation N`, then `at N DIGEST` for every generation, then one line `fault …` for everything that does not
/// agree.
pub(crate) fn check(home: &Path) -> Outcome<()> {
    let mut faults = Vec::new();
    let store = Store::open(home, MIGRATIONS)?;
    let snapshot = store.snapshot()?;
    let head = snapshot.head();
    let mut out = std::io::stdout().lock();
    writeln!(out, "generation {}", head.generation)?;
    for generation in 1..=head.generation {
        if let Some(row) = snapshot.promotion_at(generation)? {
            writeln!(out, "at {generation} {}", row.state_digest)?;
        }
    }
    index(&snapshot, &mut faults)?;
    drop(snapshot);
    view(&store, &mut faults)?;
    drop(store);
    board(home, &mut faults)?;
    for fault in &faults {
        writeln!(out, "fault {fault}")?;
    }
    Ok(())
}

/// Chain, digests, every record and every object.
fn index(snapshot: &Snapshot, faults: &mut Vec<String>) -> Outcome<()> {
    match snapshot.verify_chain() {
        Ok(head) if head == snapshot.head() => {}
        Ok(_) => faults.push("the chain ends elsewhere than the head".into()),
        Err(error) => faults.push(format!("chain: {}", told(&error))),
    }
    match snapshot.recompute_state_digest() {
        Ok(digest) if digest == snapshot.head().state_digest => {}
        Ok(digest) => faults.push(format!("the rows have the state digest {digest}")),
        Err(error) => faults.push(format!("rows: {}", told(&error))),
    }
    let integrity: String =
        snapshot
            .connection()
            .query_row("PRAGMA integrity_check", [], |row| row.get(0))?;
    if integrity != "ok" {
        faults.push(format!("integrity_check: {integrity}"));
    }
    for digest in digests(snapshot, "objects")? {
        match snapshot.object(&digest) {
            Ok(Some(_)) => {}
            Ok(None) => faults.push(format!("the object {digest} is not kept")),
            Err(error) => faults.push(told(&error)),
        }
    }
    for digest in digests(snapshot, "records")? {
        match snapshot.record(&digest) {
            Ok(Some(_)) => {}
            Ok(None) => faults.push(format!("the record {digest} is not kept")),
            Err(error) => faults.push(told(&error)),
        }
    }
    Ok(())
}

fn digests(snapshot: &Snapshot, table: &str) -> Outcome<Vec<Digest>> {
    let sql = format!("SELECT digest FROM {table} ORDER BY digest");
    let mut statement = snapshot.connection().prepare(&sql)?;
    let rows = statement.query_map([], |row| row.get::<_, [u8; 32]>(0))?;
    rows.map(|row| Ok(Digest::from_bytes(row?))).collect()
}

/// The view that is brought forward must be the one that is written anew.
fn view(store: &Store, faults: &mut Vec<String>) -> Outcome<()> {
    let root = store.home().join("index/committed");
    if let Err(error) = store.project_view() {
        faults.push(format!("view: {}", told(&error)));
        return Ok(());
    }
    let forward = files(&root)?;
    fs::remove_dir_all(&root)?;
    store.project_view()?;
    let anew = files(&root)?;
    let paths: BTreeSet<&PathBuf> = forward.keys().chain(anew.keys()).collect();
    for path in paths {
        let fault = match (forward.get(path), anew.get(path)) {
            (Some(a), Some(b)) if a == b => continue,
            (Some(_), Some(_)) => "differs from what belongs there",
            (Some(_), None) => "does not belong there",
            (None, _) => "is missing",
        };
        faults.push(format!("view: {} {fault}", path.display()));
    }
    Ok(())
}

fn files(root: &Path) -> Outcome<BTreeMap<PathBuf, Vec<u8>>> {
    let mut files = BTreeMap::new();
    let mut open = vec![root.to_path_buf()];
    while let Some(directory) = open.pop() {
        for entry in fs::read_dir(&directory)? {
            let path = entry?.path();
            if path.is_dir() {
                open.push(path);
            } else {
                files.insert(path.strip_prefix(root)?.to_path_buf(), fs::read(&path)?);
            }
        }
    }
    Ok(files)
}

/// The card tables and the journal, against the index.
fn board(home: &Path, faults: &mut Vec<String>) -> Outcome<()> {
    let board = Board::open(home)?;
    let snapshot = board.snapshot()?;
    let state = snapshot.state();
    let on_board: Vec<Card> = snapshot.cards(None)?;
    let mut in_index: BTreeMap<Stem, Card> = BTreeMap::new();
    for stem in state.stems("card/")? {
        let Some(record) = state.triplet(&stem)? else {
            faults.push(format!("{stem} is listed and not there"));
            continue;
        };
        let bytes = state.object(&record.body_digest)?.unwrap_or_default();
        in_index.insert(stem, Card::from_body(&canonical::parse(&bytes)?)?);
    }
    let by_stem: BTreeMap<Stem, Card> = on_board
        .into_iter()
        .map(|card| Ok((Card::stem(&card.id)?, card)))
        .collect::<Outcome<_>>()?;
    if by_stem != in_index {
        faults.push(format!(
            "the board has {} cards, the index {}, and they are not the same",
            by_stem.len(),
            in_index.len()
        ));
    }
    let mut turns = 0;
    for run in snapshot.runs(None)? {
        turns += journal(snapshot.as_ref(), &run, faults)?;
    }
    if turns != snapshot.generation() {
        faults.push(format!(
            "the journal has {turns} turns at generation {}",
            snapshot.generation()
        ));
    }
    Ok(())
}

/// Returns how many turns the journal of a run has.
fn journal(
    snapshot: &dyn orket_cards::TurnSnapshot,
    run: &RunRow,
    faults: &mut Vec<String>,
) -> Outcome<u64> {
    let (run_id, last_turn) = (&run.run_id, run.last_turn);
    let turns = snapshot.turns(run_id)?;
    let numbers = turns.iter().map(|turn| turn.turn_id.number());
    if !numbers.eq(1..=turns.len() as u64) || turns.last().map(|turn| turn.turn_id) != last_turn {
        faults.push(format!("the journal of {run_id} and its ledger disagree"));
    }
    if !run.is_retained {
        // Its records and events may be gone, or on their way.
        return Ok(turns.len() as u64);
    }
    for turn in &turns {
        snapshot.turn_record(&turn.record_digest)?;
    }
    let events = snapshot.events_after(run_id, 0)?;
    let seqs = events.iter().map(|event| event.seq);
    if !seqs.eq((1..=events.len() as u64).map(Some)) {
        faults.push(format!("the events of {run_id} have a gap"));
    }
    Ok(turns.len() as u64)
}

fn told(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(&format!(": {cause}"));
        source = cause.source();
    }
    text
}
