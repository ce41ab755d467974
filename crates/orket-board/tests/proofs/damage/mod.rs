//! Random damage to everything that lies in a home: never a panic, never another state in silence.

mod harm;
mod home;
mod judge;

use std::collections::BTreeMap;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::time::Duration;

use orket_testkit::SplitMix64;

use crate::chance::{any, chosen_round, seed, tries};
use harm::Harm;
use home::Prepared;
use judge::{Judgement, judge};

/// A round takes a fraction of a second; one that takes this long hangs.
const PATIENCE: Duration = Duration::from_secs(120);

#[test]
fn random_damage_is_named_or_changes_nothing() {
    let (seed, chosen) = (seed(), chosen_round());
    let rounds = chosen.map_or(0..tries(150, 10_000), |round| round..round + 1);
    let (tell, told) = mpsc::channel();
    let to_play = rounds.clone();
    let work = std::thread::spawn(move || {
        let homes = Prepared::all();
        let place = home::fast_directory();
        for round in to_play {
            let judged = catch_unwind(AssertUnwindSafe(|| play(&homes, place.path(), seed, round)));
            let _ = tell.send((round, judged.map_err(|_| ())));
        }
    });
    let mut counts: BTreeMap<Judgement, u64> = BTreeMap::new();
    let mut harms: BTreeMap<&'static str, u64> = BTreeMap::new();
    let mut failed = Vec::new();
    for round in rounds.clone() {
        match told.recv_timeout(PATIENCE) {
            Ok((_, Ok((harm, judgement)))) => {
                *counts.entry(judgement).or_default() += 1;
                *harms.entry(harm).or_default() += 1;
            }
            Ok((_, Err(()))) => failed.push(round),
            Err(error) => panic!("round {round} of seed {seed}: {error}"),
        }
    }
    work.join().unwrap();
    assert!(
        failed.is_empty(),
        "rounds {failed:?} of seed {seed}: see above"
    );
    println!("rounds {rounds:?}, seed {seed}: {harms:?}, {counts:?}");
    assert_eq!(counts.values().sum::<u64>(), rounds.end - rounds.start);
    if chosen.is_some() {
        return;
    }
    // The control: the rounds came to every end that there is.
    for judgement in [
        Judgement::Refused,
        Judgement::Named,
        Judgement::Harmless,
        Judgement::Older,
    ] {
        assert!(counts.contains_key(&judgement), "{judgement:?}: {counts:?}");
    }
}

/// Harms one of the homes and judges what is read from it.
fn play(homes: &[Prepared], place: &Path, seed: u64, round: u64) -> (&'static str, Judgement) {
    let mut chance = SplitMix64::new(seed ^ round.wrapping_mul(0x0000_0100_0000_01b3));
    let home = any(&mut chance, homes);
    let mut files = home.files.clone();
    let harm = Harm::any(&mut chance, &home.files);
    harm.apply(&mut files);
    let (read, written) = (place.join("read"), place.join("written"));
    for directory in [&read, &written] {
        home::put(directory, &files);
    }
    let judgement = catch_unwind(AssertUnwindSafe(|| judge(home, &harm, &read, &written)));
    for directory in [&read, &written] {
        fs::remove_dir_all(directory).unwrap();
    }
    let judgement =
        judgement.unwrap_or_else(|_| panic!("round {round}: {} home, {harm}", home.name));
    (harm.kind(), judgement)
}

/// All files below a directory, by path, with their bytes.
type Files = BTreeMap<PathBuf, Vec<u8>>;
