mod rivals;
mod times;
mod world;
use std::io;
use world::{Change, World};
use times::Times;
fn main() -> io::Result<()> {
    let directory = std::path::PathBuf::from(std::env::args().nth(1).unwrap());
    let _ = std::fs::remove_dir_all(&directory);
    std::fs::create_dir_all(&directory)?;
    let sizes: Vec<u64> = std::env::args().nth(2).unwrap().split(',').map(|s| s.parse().unwrap()).collect();
    let rounds: usize = std::env::args().nth(3).unwrap().parse().unwrap();
    let mut worlds = Vec::new();
    for size in sizes {
        let start = std::time::Instant::now();
        worlds.push(World::fill(&directory.join(format!("home-{size}")), size)?);
        eprintln!("filled {size} in {:?}", start.elapsed());
    }
    let mut small = rivals::SmallWrite::open(&directory)?;
    let mut bare = rivals::BareSqlite::open(&directory, worlds[0].payload_of_one_stem()?)?;
    let only: Option<usize> = std::env::var("ONLY").ok().and_then(|s| s.parse().ok());
    let kinds = [(1, Change::Body), (1, Change::References), (10, Change::References), (100, Change::References)];
    let mut t = vec![vec![Times::default(); 4]; worlds.len()];
    let (mut ts, mut tb) = (Times::default(), Times::default());
    for _ in 0..rounds {
        ts.keep(small.run()?);
        tb.keep(bare.run()?);
        for (w, world) in worlds.iter_mut().enumerate() {
            for (k, (count, change)) in kinds.iter().enumerate() {
                if only.is_some_and(|only| only != k) { continue; }
                t[w][k].keep(world.promote(*count, *change)?);
            }
        }
    }
    let p = |name: &str, t: &Times| println!("{name}: best {:.3} median {:.3} mean {:.3}", t.best().unwrap_or(0.), t.median().unwrap_or(0.), t.mean().unwrap_or(0.));
    p("fsync", &ts); p("bare", &tb);
    for (w, world) in worlds.iter().enumerate() { for (k, n) in ["1b","1r","10r","100r"].iter().enumerate() { p(&format!("{} {n}", world.size), &t[w][k]); } }
    Ok(())
}
