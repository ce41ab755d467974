//! Power cut: images of a disk on which only what was synced is sure to be.

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Result, ensure};

use crate::crash::bench::{Bench, Case, each, try_all};
use crate::crash::chance::Chance;
use crate::crash::disk::{Disk, site};
use crate::crash::place::Place;
use crate::crash::recording::{Event, Recorder};
use crate::crash::tracer::{End, Observer, Verdict};
use crate::violation::talk;

type LeftOut = fn(&Path) -> bool;

/// What the test must see: syncs left out, and the scenario in which that can be seen.
const CONTROLS: &[(&str, &str, LeftOut)] = &[
    (
        "without the syncs of the log, as with synchronous=NORMAL",
        "batch",
        |path| path.to_string_lossy().ends_with("-wal"),
    ),
    (
        "without any sync of the database, as with synchronous=OFF",
        "checkpoint",
        |path| path.to_string_lossy().contains("orket_persistence.db"),
    ),
    (
        "without the sync of the large record's bytes",
        "large",
        is_blob_draft,
    ),
    (
        "without the sync of the streamed artefact's bytes",
        "streamed",
        is_blob_draft,
    ),
];

fn is_blob_draft(path: &Path) -> bool {
    path.iter().any(|part| part == "blobs") && path.to_string_lossy().contains(".new-")
}

/// A recorded run of a case.
struct Recorded<'a> {
    case: &'a Case<'a>,
    events: Vec<Event>,
}

/// One image.
struct Job<'a> {
    recorded: &'a Recorded<'a>,
    /// The events that happen before the cut.
    before: usize,
    /// Names the image within its case.
    number: usize,
}

/// Records every case, makes `budget` images in all, looks at each, and then proves that the look can see.
pub(crate) fn run(
    bench: &Bench,
    cases: &[Case<'_>],
    budget: usize,
    at: Option<usize>,
    seed: u64,
) -> Result<()> {
    let recordings: Vec<Recorded<'_>> = cases
        .iter()
        // The program works in more than one process; the turns are the same ones.
        .filter(|case| !case.subject.is_run())
        .map(|case| record(bench, case))
        .collect::<Result<_>>()?;
    if recordings.is_empty() {
        return Ok(());
    }
    let mut jobs = Vec::new();
    for recorded in &recordings {
        let share = budget.div_ceil(recordings.len());
        for number in at.map_or(0..share, |at| at..at + 1) {
            let before = number % share * recorded.events.len() / share;
            let within = recorded.events.len().div_ceil(share);
            let mut chance = Chance::new(seed, number as u64);
            jobs.push(Job {
                recorded,
                before: before + chance.below(within + 1),
                number,
            });
        }
    }
    talk(&format!("power cuts: {} images, seed {seed}", jobs.len()));
    try_all("power cuts", &jobs, |job| {
        let wrong = attempt(bench, job, &|_| false, seed)?;
        Ok(wrong.iter().map(|wrong| job.told(seed, wrong)).collect())
    })?;
    controls(bench, &recordings, budget, seed)
}

/// Leaves syncs out, and fails if that goes unseen.
fn controls(bench: &Bench, recordings: &[Recorded<'_>], budget: usize, seed: u64) -> Result<()> {
    let images = (budget / 10).clamp(30, 400);
    for (name, scenario, is_left_out) in CONTROLS {
        let found = recordings
            .iter()
            .find(|recorded| recorded.case.subject.name == *scenario);
        if let Some(recorded) = found {
            let bad = bad_images(bench, recorded, is_left_out, images, seed)?;
            talk(&format!("control {name}: {bad} of {images} images are bad"));
            ensure!(bad > 0, "the power cuts do not see: {name}");
        }
    }
    Ok(())
}

/// Leaves each sync out in turn, and tells in how many images that is seen.
pub(crate) fn sites(bench: &Bench, cases: &[Case<'_>], images: usize, seed: u64) -> Result<()> {
    for case in cases.iter().filter(|case| !case.subject.is_run()) {
        let recorded = record(bench, case)?;
        let mut sites: Vec<String> = recorded
            .events
            .iter()
            .filter_map(|event| match event {
                Event::Sync(path) => Some(site(path)),
                _ => None,
            })
            .collect();
        sites.sort();
        sites.dedup();
        for name in sites {
            let bad = bad_images(bench, &recorded, &|path| site(path) == name, images, seed)?;
            talk(&format!(
                "{}: without the sync of {name}, {bad} of {images} images are bad",
                case.subject.name
            ));
        }
    }
    Ok(())
}

fn bad_images(
    bench: &Bench,
    recorded: &Recorded<'_>,
    is_left_out: &(dyn Fn(&Path) -> bool + Sync),
    images: usize,
    seed: u64,
) -> Result<usize> {
    let mut chance = Chance::new(seed, 7);
    let jobs: Vec<Job<'_>> = (0..images)
        .map(|number| Job {
            recorded,
            before: chance.below(recorded.events.len() + 1),
            number,
        })
        .collect();
    let bad = AtomicUsize::new(0);
    each(&jobs, |job| {
        // An image that cannot even be looked at is not one that the look has seen through.
        if let Ok(wrong) = attempt(bench, job, is_left_out, seed) {
            bad.fetch_add(usize::from(!wrong.is_empty()), Ordering::Relaxed);
        }
    });
    Ok(bad.into_inner())
}

fn record<'a>(bench: &Bench, case: &'a Case<'a>) -> Result<Recorded<'a>> {
    let place = bench.place(case)?;
    let mut recorder = Recorder::new(place.tree(), place.stdout());
    let end = case.subject.act(&place, &mut recorder)?;
    ensure!(
        end == End::Exited(0) && recorder.gaps.is_empty(),
        "the recording of {} has gaps: {end:?} {:?}",
        case.subject.name,
        recorder.gaps
    );
    check_recording(case, &place, &recorder.events)?;
    place.remove()?;
    Ok(Recorded {
        case,
        events: recorder.events,
    })
}

/// With everything synced, the disk in memory must hold what the real one holds.
fn check_recording(case: &Case<'_>, place: &Place, events: &[Event]) -> Result<()> {
    let mut disk = Disk::holding(&case.base.tree())?;
    for event in events {
        disk.apply(event)?;
    }
    let mut differing = disk.differences(&place.tree())?;
    // Shared memory: it is written without any call, and made anew after a cut.
    differing.retain(|path| !path.to_string_lossy().ends_with("-shm"));
    ensure!(
        differing.is_empty(),
        "the recording of {} does not make the same files: {differing:?}",
        case.subject.name
    );
    Ok(())
}

impl Job<'_> {
    fn told(&self, seed: u64, wrong: &str) -> String {
        format!(
            "{} image {}, cut after event {} of {} (seed {seed}): {wrong}",
            self.recorded.case.subject.name,
            self.number,
            self.before,
            self.recorded.events.len()
        )
    }
}

/// Makes the image, starts the machine again and looks at it; returns what is wrong.
fn attempt(
    bench: &Bench,
    job: &Job<'_>,
    is_left_out: &(dyn Fn(&Path) -> bool + Sync),
    seed: u64,
) -> Result<Vec<String>> {
    let case = job.recorded.case;
    let mut disk = Disk::holding(&case.base.tree())?;
    let mut acknowledged = None;
    for event in job.recorded.events.iter().take(job.before) {
        match event {
            Event::Sync(path) if is_left_out(path) => {}
            Event::Acknowledge(generation) => acknowledged = Some(*generation),
            other => disk.apply(other)?,
        }
    }
    let place = Place::make(bench.directory())?;
    fs::remove_dir_all(place.tree())?;
    disk.cut(
        &place.tree(),
        &mut Chance::new(seed ^ 0x5eed, job.number as u64),
    )?;
    // After a power cut the machine has another id of its start; the system that plays it here still has the old one.
    let boot = case.subject.home(&place).join("index/committed.boot");
    if boot.exists() {
        fs::write(boot, "an earlier start of the machine\n")?;
    }
    let looked = Place::copy(&place, bench.directory())?;
    let look = case.subject.look(&looked)?;
    looked.remove()?;
    let mut wrong = case.undisturbed.judge(&look, acknowledged, true);
    let end = case.subject.act(&place, &mut Idle)?;
    if end == End::Exited(0) {
        wrong.extend(case.undisturbed.judge_end(&case.subject.look(&place)?));
    } else {
        wrong.push(format!(
            "the same command again ended with {end:?}: {}",
            place.said()
        ));
    }
    place.remove()?;
    Ok(wrong)
}

struct Idle;

impl Observer for Idle {
    fn before(&mut self, _pid: nix::unistd::Pid, _call: &crate::crash::call::Call) -> Verdict {
        Verdict::Go
    }
}
