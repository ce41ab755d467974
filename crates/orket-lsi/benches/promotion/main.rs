//! What a durable promotion costs, and how that grows with the index; `cargo xtask bench lsi` runs it.
//!
//! All contestants take turns in rounds on the same disk, so that other work on the machine slows none of them alone. With
//! `--full` an index of a million stems takes part; `--directory DIR` says where the files lie.

mod reads;
mod rivals;
mod table;
mod times;
mod world;

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use rivals::{BareSqlite, Git, SmallWrite};
use table::{Promotions, Rivals};
use times::Times;
use world::{Change, World};

const SIZES: [u64; 3] = [1_000, 10_000, 100_000];
const FULL_SIZE: u64 = 1_000_000;
const ROUNDS: usize = 60;
/// Git is slow: it takes part in every third round.
const ROUNDS_PER_GIT: usize = 3;
/// The view of a larger index is hundreds of thousands of files.
const VIEW_SIZE_MAX: u64 = 10_000;
const CHANGES: [(u64, Change); 5] = [
    (1, Change::Body),
    (1, Change::References),
    (1, Change::Hub),
    (10, Change::References),
    (100, Change::References),
];

/// The changes of one stem, then those of ten, then those of a hundred: a turn of a hundred stems would leave the next one
/// without what it finds in the caches. What they are held against takes turns with those of one stem.
const PHASES: [std::ops::Range<usize>; 3] = [0..3, 3..4, 4..5];

fn main() -> io::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let directory = arguments
        .iter()
        .position(|argument| argument == "--directory")
        .and_then(|at| arguments.get(at + 1))
        .map_or_else(
            || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../target/bench-lsi"),
            PathBuf::from,
        );
    // Only at the begin, never between measurements: after mass deletes ext4 makes files slowly for minutes.
    match fs::remove_dir_all(&directory) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => fs::create_dir_all(&directory)?,
    }
    let directory = directory.canonicalize()?;
    let mut sizes = SIZES.to_vec();
    if arguments.iter().any(|argument| argument == "--full") {
        sizes.push(FULL_SIZE);
    }
    let mut worlds = Vec::new();
    for size in sizes {
        writeln!(io::stderr(), "filling an index of {size} stems")?;
        worlds.push(World::fill(&directory.join(format!("home-{size}")), size)?);
    }
    let file_system = rivals::file_system(&directory)?;
    let (rivals, promotions) = compete(&directory, &mut worlds)?;
    let reads: Vec<reads::Reads> = worlds
        .iter_mut()
        .map(|world| reads::measure(world, VIEW_SIZE_MAX))
        .collect::<io::Result<_>>()?;
    write!(
        io::stdout(),
        "The files lie on {file_system}.\n\n{}",
        table::markdown(&rivals, &promotions, &reads)
    )
}

fn compete(directory: &Path, worlds: &mut [World]) -> io::Result<(Rivals, Vec<Promotions>)> {
    let mut small_write = SmallWrite::open(directory)?;
    let payload = match worlds.first() {
        Some(world) => world.payload_of_one_stem()?,
        None => Vec::new(),
    };
    let mut sqlite = BareSqlite::open(directory, payload)?;
    let mut git = Git::open(directory)?;
    let mut rivals = Rivals::default();
    let mut promotions: Vec<Promotions> = worlds
        .iter()
        .map(|world| Promotions {
            size: world.size,
            times: [const { Times::new() }; CHANGES.len()],
        })
        .collect();
    writeln!(io::stderr(), "measuring promotions")?;
    for (phase, changes) in PHASES.iter().enumerate() {
        for round in 0..ROUNDS {
            if phase == 0 {
                rivals.small_write.keep(small_write.run()?);
                rivals.sqlite.keep(sqlite.run()?);
                if let Some(git) = git.as_mut().filter(|_| round % ROUNDS_PER_GIT == 0) {
                    rivals.git.keep(git.run()?);
                }
            }
            for (world, promotions) in worlds.iter_mut().zip(&mut promotions) {
                for at in changes.clone() {
                    let (count, change) = CHANGES[at];
                    promotions.times[at].keep(world.promote(count, change)?);
                }
            }
        }
    }
    Ok((rivals, promotions))
}
