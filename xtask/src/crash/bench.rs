//! The workbench: each subject prepared once and watched once undisturbed, and many tries beside each other.

use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use nix::unistd::Pid;
use tempfile::TempDir;

use crate::crash::call::{Call, Kind};
use crate::crash::place::Place;
use crate::crash::subject::{Programs, Subject, Undisturbed};
use crate::crash::tracer::{End, Observer, Verdict};
use crate::violation::talk;

/// How many failures are told in full.
const TOLD: usize = 20;

/// A subject, its tree before, and what it makes undisturbed.
pub(crate) struct Case<'a> {
    pub(crate) subject: Subject<'a>,
    pub(crate) base: Place,
    pub(crate) undisturbed: Undisturbed,
}

/// Where all of it happens.
pub(crate) struct Bench {
    directory: TempDir,
    number: AtomicUsize,
}

impl Bench {
    /// Makes a workbench, in memory where the system has a place for that: a kill loses nothing that was written.
    pub(crate) fn new() -> Result<Bench> {
        let memory = PathBuf::from("/dev/shm");
        let parent = if memory.is_dir() {
            memory
        } else {
            std::env::temp_dir()
        };
        let directory = tempfile::Builder::new()
            .prefix("orket-crash-")
            // A check of the sample runs as a user of its own, who must be able to reach its directory.
            .permissions(std::os::unix::fs::PermissionsExt::from_mode(0o755))
            .tempdir_in(parent)
            .context("failed to make a temporary directory")?;
        Ok(Bench {
            directory,
            number: AtomicUsize::new(0),
        })
    }

    /// Returns a directory that nobody else uses. All have names of one length, so that no path decides how many pages a
    /// database has.
    pub(crate) fn directory(&self) -> PathBuf {
        let number = self.number.fetch_add(1, Ordering::Relaxed);
        self.directory.path().join(format!("{number:08}"))
    }

    /// Prepares a subject and carries it out undisturbed.
    pub(crate) fn case<'a>(&self, programs: &'a Programs, name: &'a str) -> Result<Case<'a>> {
        let subject = Subject { programs, name };
        let base = Place::make(self.directory())?;
        subject.prepare(&base)?;
        let looked = Place::copy(&base, self.directory())?;
        let base_generation = match subject.is_run() || name == "first" {
            true => 0,
            false => subject.look(&looked)?.generation,
        };
        looked.remove()?;
        let place = Place::copy(&base, self.directory())?;
        let mut count = Count::default();
        let end = subject.act(&place, &mut count)?;
        ensure!(
            end == End::Exited(0),
            "{name} ends with {end:?}: {}",
            place.said()
        );
        let acknowledges = !subject.is_run();
        let projections = subject.projections(&place)?;
        let look = subject.look(&place)?;
        ensure!(
            look.faults.is_empty(),
            "{name}, undisturbed: {:?}",
            look.faults
        );
        place.remove()?;
        Ok(Case {
            subject,
            base,
            undisturbed: Undisturbed {
                base: base_generation,
                look,
                projections,
                calls: count.calls,
                syncs: count.syncs,
                acknowledges,
            },
        })
    }

    /// Makes a fresh place for one try.
    pub(crate) fn place(&self, case: &Case<'_>) -> Result<Place> {
        Place::copy(&case.base, self.directory())
    }
}

/// Counts the calls that change the tree.
#[derive(Default)]
struct Count {
    calls: usize,
    syncs: Vec<usize>,
}

impl Observer for Count {
    fn before(&mut self, _pid: Pid, call: &Call) -> Verdict {
        self.calls += usize::from(is_counted(call));
        if is_counted(call) && call.kind == Kind::Sync {
            self.syncs.push(self.calls);
        }
        Verdict::Go
    }
}

/// Tells whether a call has a number: what goes to standard output has none.
pub(crate) fn is_counted(call: &Call) -> bool {
    call.paths
        .iter()
        .any(|path| path.components().any(|part| part.as_os_str() == "tree"))
}

/// Makes all tries, as many at once as there are processors; fails with what went wrong.
pub(crate) fn try_all<J: Sync>(
    what: &str,
    jobs: &[J],
    attempt: impl Fn(&J) -> Result<Vec<String>> + Sync,
) -> Result<()> {
    let begin = Instant::now();
    let done = AtomicUsize::new(0);
    let failures: Mutex<Vec<Vec<String>>> = Mutex::default();
    let step = (jobs.len() / 20).max(50);
    each(jobs, |job| {
        let found = attempt(job).unwrap_or_else(|error| vec![format!("{error:#}")]);
        let mut failures = lock(&failures);
        failures.extend(Some(found).filter(|found| !found.is_empty()));
        let done = done.fetch_add(1, Ordering::Relaxed) + 1;
        if done.is_multiple_of(step) {
            talk(&format!(
                "  {what}: {done} of {}, {} failed, {} s",
                jobs.len(),
                failures.len(),
                begin.elapsed().as_secs()
            ));
        }
    });
    let failures = lock(&failures);
    for failure in failures.iter().take(TOLD).flatten() {
        talk(&format!("  FAILED {failure}"));
    }
    talk(&format!(
        "{what}: {} done, {} failed, {:.1} s",
        jobs.len(),
        failures.len(),
        begin.elapsed().as_secs_f64()
    ));
    ensure!(failures.is_empty(), "{what}: {} failed", failures.len());
    Ok(())
}

/// Does all jobs, as many at once as there are processors.
pub(crate) fn each<J: Sync>(jobs: &[J], work: impl Fn(&J) + Sync) {
    let next = AtomicUsize::new(0);
    let take = || {
        while let Some(job) = jobs.get(next.fetch_add(1, Ordering::Relaxed)) {
            work(job);
        }
    };
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(take);
        }
    });
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
}
