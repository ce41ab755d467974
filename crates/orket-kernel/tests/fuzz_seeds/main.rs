//! Replays the seeds of `fuzz/seeds/`: the checks of the fuzz targets, without a nightly toolchain.
//!
//! The checks lie beside this file, and the fuzz targets include them from here; they panic where a promise is broken.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a failing check is loud, also in a function that the fuzz targets share"
)]

mod event_lines;
mod policies;
mod reader;
mod turn_inputs;

use std::fs;
use std::panic::{self, AssertUnwindSafe};
use std::path::Path;

/// The fewest seeds a target keeps; a directory that was emptied by mistake must not pass.
const SEEDS_MIN: usize = 20;

/// Runs `check` over every seed of a target and names those that broke it.
fn replay(target: &str, check: fn(&[u8])) {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fuzz/seeds")
        .join(target);
    let mut seeds = Vec::new();
    for entry in fs::read_dir(&directory).expect("the seeds lie beside the fuzz targets") {
        seeds.push(entry.unwrap().path());
    }
    seeds.sort();
    assert!(seeds.len() >= SEEDS_MIN, "{} seeds were found", seeds.len());
    let broken: Vec<String> = seeds
        .iter()
        .filter(|seed| {
            let bytes = fs::read(seed).unwrap();
            panic::catch_unwind(AssertUnwindSafe(|| check(&bytes))).is_err()
        })
        .map(|seed| seed.display().to_string())
        .collect();
    if !broken.is_empty() {
        panic!("broken, see above:\n{}", broken.join("\n"));
    }
}

#[test]
fn the_reader_keeps_its_promises_on_every_seed() {
    replay("reader", reader::check);
}

#[test]
fn event_lines_keep_their_promises_on_every_seed() {
    replay("event_lines", event_lines::check);
}

#[test]
fn policies_keep_their_promises_on_every_seed() {
    replay("policies", policies::check);
}

#[test]
fn turn_inputs_keep_their_promises_on_every_seed() {
    replay("turn_inputs", turn_inputs::check);
}
