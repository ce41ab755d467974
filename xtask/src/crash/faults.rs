//! Faults: a call that changes the disk reports an error, once or from then on.

use std::collections::BTreeSet;
use std::path::PathBuf;

use anyhow::Result;
use nix::libc;
use nix::unistd::Pid;

use crate::crash::bench::{Bench, Case, is_counted, try_all};
use crate::crash::call::{Call, Kind};
use crate::crash::chance::Chance;
use crate::crash::kills::{numbers, shares};
use crate::crash::place::Place;
use crate::crash::tracer::{End, Observer, Verdict};
use crate::violation::talk;

/// What a disk can say. No inodes left is ENOSPC, too.
const ERRORS: [(&str, i32); 4] = [
    ("EIO", libc::EIO),
    ("ENOSPC", libc::ENOSPC),
    ("EROFS", libc::EROFS),
    ("EDQUOT", libc::EDQUOT),
];

/// A bug of the program by its own account, a panic, and an abort.
const DEFECTS: [i32; 3] = [70, 101, 134];
/// The disk failed; the state is not known until it is opened again.
const DISK: i32 = 74;

struct Job<'a> {
    case: &'a Case<'a>,
    at: usize,
    error: (&'static str, i32),
    stays: bool,
}

/// Fails calls of every case: `budget` of all the calls, errors and ways.
pub(crate) fn run(
    bench: &Bench,
    cases: &[Case<'_>],
    budget: usize,
    at: Option<usize>,
    seed: u64,
) -> Result<()> {
    let jobs = jobs(cases, budget, at, seed);
    talk(&format!("faults: {} tries, seed {seed}", jobs.len()));
    try_all("faults", &jobs, |job| {
        Ok(attempt(bench, job)?
            .into_iter()
            .map(|failure| format!("{}: {failure}", job.told(seed)))
            .collect())
    })
}

/// First every sync with EIO, then an even sample of all calls with every kind.
fn jobs<'a>(cases: &'a [Case<'a>], budget: usize, at: Option<usize>, seed: u64) -> Vec<Job<'a>> {
    let kinds = ERRORS.len() * 2;
    let job = |case, at: usize, kind: usize| Job {
        case,
        at,
        error: ERRORS[kind % ERRORS.len()],
        stays: kind / ERRORS.len() % 2 == 1,
    };
    if let Some(at) = at {
        let each = cases
            .iter()
            .flat_map(|case| (0..kinds).map(move |kind| (case, kind)));
        return each.map(|(case, kind)| job(case, at, kind)).collect();
    }
    let mut chance = Chance::new(seed, 3);
    let mut jobs: Vec<Job<'_>> = Vec::new();
    let syncs: Vec<usize> = cases
        .iter()
        .map(|case| case.undisturbed.syncs.len())
        .collect();
    for (case, share) in cases.iter().zip(shares(&syncs, budget / 4)) {
        for number in numbers(case.undisturbed.syncs.len(), share, None, &mut chance) {
            let kind = [0, ERRORS.len()][chance.below(2)];
            jobs.push(job(case, case.undisturbed.syncs[number - 1], kind));
        }
    }
    let all: Vec<usize> = cases
        .iter()
        .map(|case| case.undisturbed.calls * kinds)
        .collect();
    for (case, share) in cases
        .iter()
        .zip(shares(&all, budget.saturating_sub(jobs.len())))
    {
        let pairs = case.undisturbed.calls * kinds;
        for pair in numbers(pairs, share, None, &mut chance) {
            // Neighbours of a sparse sample would otherwise all be of one kind.
            let kind = match share < pairs {
                true => chance.below(kinds),
                false => pair - 1,
            };
            jobs.push(job(case, (pair - 1) / kinds + 1, kind));
        }
    }
    jobs
}

impl Job<'_> {
    fn told(&self, seed: u64) -> String {
        let way = if self.stays { "from" } else { "at" };
        format!(
            "{} with {} {way} call {} of {} (seed {seed})",
            self.case.subject.name, self.error.0, self.at, self.case.undisturbed.calls
        )
    }
}

fn attempt(bench: &Bench, job: &Job<'_>) -> Result<Vec<String>> {
    let Case {
        subject,
        undisturbed,
        ..
    } = job.case;
    let place = bench.place(job.case)?;
    let mut failer = Failer::new(job);
    let end = subject.act(&place, &mut failer)?;
    let said = place.said();
    let mut wrong = failer.tried_again;
    let mut is_unknown = false;
    match end {
        End::Exited(code) if DEFECTS.contains(&code) => {
            wrong.push(format!("exit {code}: {said}"));
            is_unknown = true;
        }
        End::Exited(DISK) => is_unknown = true,
        End::Exited(0) => {}
        End::Exited(_) if said.trim().is_empty() => {
            wrong.push(format!("{end:?} without a word"));
        }
        End::Exited(_) => {}
        End::Killed | End::Signalled(_) => wrong.push(format!("it ended with {end:?}: {said}")),
    }
    if said.contains("panicked") {
        wrong.push(format!("it panicked: {said}"));
    }
    let looked = Place::copy(&place, bench.directory())?;
    let look = subject.look(&looked)?;
    looked.remove()?;
    if end == End::Exited(0) {
        wrong.extend(undisturbed.judge_end(&look));
    } else {
        let judged = undisturbed.judge(&look, place.acknowledged(), is_unknown);
        wrong.extend(
            judged
                .into_iter()
                .map(|it| format!("{end:?}, {it} ({})", said.trim())),
        );
    }
    let end = subject.act(&place, &mut Failer::none())?;
    if end == End::Exited(0) {
        wrong.extend(undisturbed.other_projections(&subject.projections(&place)?));
        wrong.extend(undisturbed.judge_end(&subject.look(&place)?));
    } else {
        wrong.push(format!(
            "with the cause gone, the same command ended with {end:?}: {}",
            place.said()
        ));
    }
    place.remove()?;
    if let Some(call) = failer.first.filter(|_| !wrong.is_empty()) {
        wrong.push(format!(
            "the first to fail was {} {:?}",
            call.name, call.paths
        ));
    }
    Ok(wrong)
}

/// Makes one call fail, or all from one on.
struct Failer {
    at: usize,
    errno: i32,
    stays: bool,
    calls: usize,
    first: Option<Call>,
    failed_syncs: BTreeSet<PathBuf>,
    /// Syncs that were made although one of the same file had failed.
    tried_again: Vec<String>,
}

impl Failer {
    fn new(job: &Job<'_>) -> Failer {
        Failer {
            at: job.at,
            errno: job.error.1,
            stays: job.stays,
            ..Failer::none()
        }
    }

    /// Makes nothing fail.
    fn none() -> Failer {
        Failer {
            at: usize::MAX,
            errno: 0,
            stays: false,
            calls: 0,
            first: None,
            failed_syncs: BTreeSet::new(),
            tried_again: Vec::new(),
        }
    }
}

impl Observer for Failer {
    fn before(&mut self, _pid: Pid, call: &Call) -> Verdict {
        if !is_counted(call) {
            return Verdict::Go;
        }
        self.calls += 1;
        let synced = call.paths.first().filter(|_| call.kind == Kind::Sync);
        if let Some(path) = synced.filter(|path| self.failed_syncs.contains(*path)) {
            self.tried_again.push(format!(
                "a second sync of {} after a failed one",
                path.display()
            ));
        }
        let fails = self.calls == self.at || (self.stays && self.calls > self.at);
        if !fails {
            return Verdict::Go;
        }
        self.failed_syncs.extend(synced.cloned());
        self.first.get_or_insert_with(|| call.clone());
        Verdict::Fail(self.errno)
    }
}
