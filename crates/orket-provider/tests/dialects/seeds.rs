//! Replays the seeds of `fuzz/seeds/`, without a nightly toolchain.

use std::fs;
use std::panic::{self, AssertUnwindSafe};
use std::path::Path;

use crate::answers;

/// The fewest seeds; a directory that was emptied by mistake must not pass.
const SEEDS_MIN: usize = 20;

/// Runs `check` over every seed of a target and names those that broke it.
fn replay(target: &str, check: fn(&[u8])) {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fuzz/seeds")
        .join(target);
    let mut seeds = Vec::new();
    for entry in fs::read_dir(&directory).expect("the seeds lie beside the fuzz target") {
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
fn answers_keep_their_promises_on_every_seed() {
    replay("answers", answers::check);
}
