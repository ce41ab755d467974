//! Everything that can be read from a home, as texts that can be compared.

use std::collections::{BTreeMap, BTreeSet};

use orket_board::Board;
use orket_cards::TurnStore;
use orket_kernel::{Digest, RunId, StagingArea, StateView, Stem};

use crate::project::run_id;

/// By name what was read, or why it could not be.
pub(crate) type Facts = BTreeMap<String, Result<String, String>>;

/// What is asked for by name: all names that there ever are.
#[derive(Clone, Debug, Default)]
pub(crate) struct Known {
    pub(crate) runs: BTreeSet<RunId>,
    pub(crate) stems: BTreeSet<Stem>,
    pub(crate) contents: BTreeSet<Digest>,
    pub(crate) generations: u64,
}

impl Known {
    /// Adds what a whole home names.
    pub(crate) fn learn(&mut self, board: &Board, runs: &[&str]) {
        let snapshot = board.index().snapshot().unwrap();
        self.runs.extend(runs.iter().map(|run| run_id(run)));
        for stem in snapshot.stems("").unwrap() {
            let record = snapshot.triplet(&stem).unwrap().unwrap();
            self.contents.extend([
                record.body_digest,
                record.links_digest,
                record.manifest_digest,
            ]);
            let body = snapshot.object(&record.body_digest).unwrap().unwrap();
            let body = orket_kernel::canonical::parse(&body).unwrap();
            let content = body.get("content_digest").and_then(|it| it.as_str());
            self.contents
                .extend(content.map(|text| Digest::parse(text).unwrap()));
            self.stems.insert(stem);
        }
        self.generations = snapshot.head().generation;
        for generation in 1..=self.generations {
            let row = snapshot.promotion_at(generation).unwrap().unwrap();
            self.contents.insert(row.record_digest);
        }
    }
}

struct Reading<'a> {
    facts: &'a mut Facts,
}

impl Reading<'_> {
    fn note<T: std::fmt::Debug, E: std::fmt::Display>(&mut self, name: String, read: Result<T, E>) {
        let read = read
            .map(|value| format!("{value:?}"))
            .map_err(|error| error.to_string());
        self.facts.insert(name, read);
    }
}

/// Reads all of it.
///
/// Names that begin with `list` are of reads that are not checked as a whole; those that begin with `content` may be absent
/// where it is told elsewhere that they should not be.
pub(crate) fn facts(board: &Board, known: &Known) -> Facts {
    let mut facts = Facts::new();
    let mut reading = Reading { facts: &mut facts };
    index(board, known, &mut reading);
    tables(board, known, &mut reading);
    let staging = board.index().staging();
    for run in &known.runs {
        reading.note(format!("staging {run}"), StagingArea::staged(&staging, run));
    }
    facts
}

fn index(board: &Board, known: &Known, reading: &mut Reading<'_>) {
    let snapshot = match board.index().snapshot() {
        Ok(snapshot) => snapshot,
        Err(error) => return reading.note::<(), _>("head".into(), Err(error)),
    };
    reading.note::<_, String>("head".into(), Ok(snapshot.head()));
    for stem in &known.stems {
        let id = stem.as_str();
        reading.note(format!("triplet {id}"), snapshot.triplet(stem));
        reading.note(format!("definition {id}"), snapshot.definition(id));
        reading.note(format!("sources {id}"), snapshot.sources(id));
    }
    for digest in &known.contents {
        let of = |bytes: Option<Vec<u8>>| bytes.map(|bytes| Digest::of_bytes(&bytes));
        reading.note(
            format!("content object {digest}"),
            snapshot.object(digest).map(of),
        );
        reading.note(
            format!("content record {digest}"),
            snapshot.record(digest).map(of),
        );
    }
    for run in &known.runs {
        reading.note(format!("ledger {run}"), snapshot.ledger(run));
        reading.note(format!("envelope {run}"), snapshot.envelope(run));
        reading.note(format!("list promotions {run}"), snapshot.promotions(run));
    }
    for generation in 1..=known.generations {
        reading.note(
            format!("list promotion {generation}"),
            snapshot.promotion_at(generation),
        );
    }
    // Of the past the middle; a verification looks at all of it.
    let past = snapshot.at(known.generations / 2);
    let past = past.and_then(|past| past.check().map(|()| past.head()));
    reading.note("list past".into(), past);
    reading.note("list stems".into(), snapshot.stems(""));
}

fn tables(board: &Board, known: &Known, reading: &mut Reading<'_>) {
    let snapshot = match board.snapshot() {
        Ok(snapshot) => snapshot,
        Err(fault) => return reading.note::<(), _>("snapshot".into(), Err(fault)),
    };
    reading.note("list cards".into(), snapshot.cards(None));
    for run in &known.runs {
        reading.note(format!("list turns {run}"), snapshot.turns(run));
        reading.note(format!("list attempts {run}"), snapshot.attempts(run));
        reading.note(format!("run {run}"), snapshot.run(run));
        reading.note(format!("events {run}"), snapshot.events_after(run, 0));
    }
}
