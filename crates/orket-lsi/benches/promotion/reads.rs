//! Reads of an index, its history, and what it takes on the disk.

use std::io::{self, Write};
use std::time::Instant;

use orket_kernel::StateView;
use orket_lsi::{Depth, Store};

use crate::times::Times;
use crate::world::{self, Change, World};

const LOOK_UPS: u64 = 500;
const OPENINGS: usize = 10;
const VERIFICATIONS: usize = 3;
/// Over how many generations history is read.
const GENERATIONS: u64 = 1_000;

/// What was measured of one index.
pub(crate) struct Reads {
    pub(crate) size: u64,
    pub(crate) bytes_per_stem: u64,
    pub(crate) bytes_per_turn: u64,
    pub(crate) look_up: Times,
    pub(crate) link: Times,
    pub(crate) open: Times,
    pub(crate) quick: Times,
    pub(crate) full: Times,
    pub(crate) past: Times,
    pub(crate) difference: Times,
    /// Empty if the view was too large to be written.
    pub(crate) view: Times,
}

pub(crate) fn measure(world: &mut World, view_size_max: u64) -> io::Result<Reads> {
    writeln!(io::stderr(), "reading an index of {} stems", world.size)?;
    let bytes_before = database_bytes(&world.store)?;
    let mut reads = Reads {
        size: world.size,
        bytes_per_stem: world.bytes_filled / world.size,
        bytes_per_turn: 0,
        look_up: Times::new(),
        link: Times::new(),
        open: Times::new(),
        quick: Times::new(),
        full: Times::new(),
        past: Times::new(),
        difference: Times::new(),
        view: Times::new(),
    };
    for _ in 0..GENERATIONS {
        world.promote(1, Change::References)?;
    }
    reads.bytes_per_turn = (database_bytes(&world.store)? - bytes_before) / GENERATIONS;

    for _ in 0..OPENINGS {
        reads.open.time(|| Store::open(world.store.home(), &[]))?;
    }
    let snapshot = world.store.snapshot().map_err(io::Error::other)?;
    for look_up in 0..LOOK_UPS {
        let at = world::mix(look_up) % world.size;
        let (stem, id) = (world::stem(at)?, world::id(at));
        reads.look_up.time(|| snapshot.triplet(&stem))?;
        reads.link.time(|| snapshot.definition(&id))?;
    }
    let newest = snapshot.head().generation;
    for look_up in 0..LOOK_UPS {
        let stem = world::stem(world::mix(look_up) % world.size)?;
        reads.past.time(|| {
            let past = snapshot
                .at(newest - GENERATIONS)
                .map_err(io::Error::other)?;
            past.triplet(&stem).map_err(io::Error::other)
        })?;
    }
    for _ in 0..VERIFICATIONS {
        reads.difference.time(|| {
            let from = snapshot.at(newest - GENERATIONS)?;
            snapshot.difference(&from, &snapshot.at(newest)?)
        })?;
    }
    drop(snapshot);
    for _ in 0..VERIFICATIONS {
        reads.quick.time(|| verify(&world.store, Depth::Quick))?;
    }
    reads.full.time(|| verify(&world.store, Depth::Full))?;
    if world.size <= view_size_max {
        world.store.project_view().map_err(io::Error::other)?;
        for _ in 0..OPENINGS {
            world.promote(1, Change::References)?;
            let start = Instant::now();
            world.store.project_view().map_err(io::Error::other)?;
            reads.view.keep(start.elapsed());
        }
    }
    Ok(reads)
}

/// Verifies an index that must be whole: what is measured of a damaged one says nothing.
fn verify(store: &Store, depth: Depth) -> io::Result<()> {
    let verification = store.verify(depth).map_err(io::Error::other)?;
    match verification.findings.faults.first() {
        None => Ok(()),
        Some(fault) => Err(io::Error::other(format!(
            "the index that was filled is damaged at {}: {}",
            fault.place, fault.reason
        ))),
    }
}

/// Returns how large the database is, whether its pages lie in the file or in the log.
pub(crate) fn database_bytes(store: &Store) -> io::Result<u64> {
    let snapshot = store.snapshot().map_err(io::Error::other)?;
    let pragma = |name| {
        let value = snapshot
            .connection()
            .pragma_query_value(None, name, |row| row.get::<_, i64>(0));
        value.map(i64::unsigned_abs).map_err(io::Error::other)
    };
    Ok(pragma("page_count")? * pragma("page_size")?)
}
