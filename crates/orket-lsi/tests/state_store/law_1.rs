//! Law 1: whatever a turn is, executing it changes nothing but the staging area.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use orket_kernel::canonical::Value;
use orket_kernel::capability::{Action, ToolRequest};
use orket_kernel::{Digest, Kernel, Outcome, Stem, Triplet, TurnInput, object};
use orket_lsi::Store;
use orket_testkit::SplitMix64;

use crate::housed::{Housed, envelope, run_id, turn, turn_id};

/// After so many turns the staging area is emptied, for each turn reads what is staged before it.
const STAGED_MAX: u64 = 6;

fn below(chance: &mut SplitMix64, limit: u64) -> u64 {
    chance.next_u64() % limit
}

/// A turn of good and bad: cards that are there or not, links to what is there or not, forbidden calls, malformed bodies.
fn any_turn(chance: &mut SplitMix64, number: u64) -> TurnInput {
    let mut input = TurnInput::empty(turn_id(number));
    for _ in 0..below(chance, 4) {
        let id = format!("card/{}", below(chance, 24));
        let title = "t".repeat(below(chance, 400) as usize);
        let dto_type = if below(chance, 12) == 0 {
            "stranger"
        } else {
            "card"
        };
        let body = match below(chance, 12) {
            0 => Value::Null,
            1 => object! { "dto_type" => dto_type, "title" => title },
            _ => object! { "dto_type" => dto_type, "id" => id.as_str(), "title" => title },
        };
        let needed: Vec<Value> = (0..below(chance, 2))
            .map(|_| {
                let id = format!("card/{}", below(chance, 30));
                object! { "type" => "card", "id" => id, "relationship" => "depends_on" }
            })
            .collect();
        input.triplets.push(Triplet {
            stem: Stem::parse(&id).unwrap(),
            body,
            links: object! { "depends_on" => needed },
            manifest: object! { "order_insensitive" => vec![Value::from("depends_on")] },
        });
    }
    for _ in 0..below(chance, 2) * below(chance, 2) {
        let id = format!("card/{}", below(chance, 30));
        input.deletions.push(Stem::parse(&id).unwrap());
    }
    if below(chance, 8) == 0 {
        input.tool_calls.push(ToolRequest {
            role: "coder".into(),
            task: "work".into(),
            tool: "write_file".into(),
            action: Action::WRITE,
            arguments: object! { "path" => "../../durable/db/orket_persistence.db" },
        });
    }
    if below(chance, 8) == 0 {
        let bytes = vec![7; below(chance, 3000) as usize];
        input
            .attachments
            .insert(Digest::of_bytes(&bytes), bytes.into());
    }
    input
}

/// What a write would leave on a file: other bytes, another time, another file of the same name.
#[derive(Debug, PartialEq, Eq)]
struct Trace {
    digest: Option<Digest>,
    changed: (i64, i64),
    inode: u64,
}

/// Everything below the home but the staging area and what readers share.
fn traces(home: &Path) -> BTreeMap<PathBuf, Trace> {
    let mut found = BTreeMap::new();
    let mut open = vec![home.to_path_buf()];
    while let Some(directory) = open.pop() {
        for entry in fs::read_dir(&directory).unwrap() {
            let path = entry.unwrap().path();
            if path.ends_with("index/staging") || path.to_string_lossy().ends_with("-shm") {
                continue;
            }
            let metadata = fs::symlink_metadata(&path).unwrap();
            let digest = metadata
                .is_file()
                .then(|| Digest::of_bytes(&fs::read(&path).unwrap()));
            let trace = Trace {
                digest,
                changed: (metadata.mtime(), metadata.mtime_nsec()),
                inode: metadata.ino(),
            };
            if metadata.is_dir() {
                open.push(path.clone());
            }
            found.insert(path, trace);
        }
    }
    found
}

/// Takes the right to write from everything in the view and from the database, or gives it back.
fn protect(home: &Path, is_protected: bool) {
    let paths = traces(home).into_keys();
    for path in paths {
        let is_view = path.starts_with(home.join("index/committed"));
        let is_truth = path.is_file() && path.starts_with(home.join("durable"));
        if is_view || is_truth {
            let mode = fs::metadata(&path).unwrap().mode();
            let mode = if is_protected {
                mode & !0o222
            } else {
                mode | 0o200
            };
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        }
    }
}

#[test]
fn random_turns_over_a_protected_home_change_nothing_but_the_staging_area() {
    let is_full = std::env::var("ORKET_FULL").is_ok_and(|value| value == "1");
    let turns: u64 = if is_full { 10_000 } else { 300 };
    let seed = std::env::var("ORKET_SEED").map_or(20_260_404, |seed| seed.parse().unwrap());
    let housed = Kernel::new(Housed::empty());
    let mut run = housed.start_run(&envelope("a")).unwrap();
    for number in 1..=3 {
        let names: Vec<String> = (0..6).map(|at| (number * 6 + at - 6).to_string()).collect();
        let cards: Vec<_> = names
            .iter()
            .map(|name| (name.as_str(), "x", None))
            .collect();
        run.execute_turn(&turn(number, &cards)).unwrap();
        run.commit_turn(turn_id(number)).unwrap();
    }
    drop(run);
    housed.store().store.project_view().unwrap();
    let home = housed.store().home();
    // A directory for the staging area, and the memory that readers share, are there before.
    fs::create_dir_all(home.join("index/staging")).unwrap();
    protect(&home, true);
    let before = traces(&home);
    let beside = fs::read_dir(home.parent().unwrap()).unwrap().count();

    let kernel = Kernel::new(Store::open_read_only(&home, &[]).unwrap());
    let handle = envelope("a").handle().unwrap();
    let mut chance = SplitMix64::new(seed);
    let (mut passed, mut failed, mut number) = (0, 0, 4);
    for _ in 0..turns {
        let mut run = kernel.run(&handle).unwrap();
        // A denial would be an error here; what is wrong with the turn itself is a part of its result.
        let execution = run.execute_turn(&any_turn(&mut chance, number)).unwrap();
        match execution.result.outcome {
            Outcome::Pass => {
                passed += 1;
                number += 1;
            }
            Outcome::Fail => failed += 1,
        }
        if number == 4 + STAGED_MAX {
            for staged in 4..number {
                let staging = kernel.store().staging();
                staging.discard(&run_id("a"), turn_id(staged)).unwrap();
            }
            number = 4;
        }
    }
    assert_eq!(traces(&home), before, "seed {seed}");
    assert_eq!(
        fs::read_dir(home.parent().unwrap()).unwrap().count(),
        beside
    );
    println!("{turns} turns, seed {seed}: {passed} passed, {failed} failed");
    assert!(
        passed > turns / 10 && failed > turns / 10,
        "{passed} {failed}"
    );
    protect(&home, false);
    assert_eq!(
        housed
            .store()
            .store
            .verify(orket_lsi::Depth::Full)
            .unwrap()
            .findings
            .faults,
        []
    );
}
