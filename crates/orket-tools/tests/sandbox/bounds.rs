//! The limits that are numbers: each is reached, and passed by no more than a tenth.
//!
//! What is measured is what the program got, told by itself, so that a busy machine does not count against the sandbox.
//! Limits that the engine keeps by looking are given three tries: one that is too lax fails all of them.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::time::Duration;

use orket_tools::sandbox::{Feature, Status};

use crate::trials::Trial;
use crate::{check, mark, run, survivors, text};

const TRIES: usize = 3;

/// Tells whether a figure is within a tenth of its limit.
fn is_within_a_tenth(figure: f64, limit: f64) -> bool {
    figure >= limit * 0.9 && figure <= limit * 1.1
}

fn within(what: &str, figure: f64, limit: f64) -> Result<(), String> {
    check(
        is_within_a_tenth(figure, limit),
        &format!("{what}: {figure} of {limit}"),
    )
}

/// The kernel looks at this limit when its clock ticks, and on a machine that others share the ticks and the time that a program
/// is told it took differ, in both directions. The deadline bounds that.
fn check_computed(seconds: f64, limit: f64) -> Result<(), String> {
    let within = seconds >= limit * 0.5 && seconds <= limit * 2.0;
    check(within, &format!("seconds: {seconds} of {limit}"))
}

fn try_again(attempt: impl Fn() -> Result<(), String>) -> Result<(), String> {
    let tries = (0..TRIES).map(|_| attempt());
    let mut failed = String::new();
    for tried in tries {
        match tried {
            Ok(()) => return Ok(()),
            Err(reason) => failed = reason,
        }
    }
    Err(failed)
}

/// The last number that a program printed, line by line.
fn last_number(stdout: &[u8]) -> Result<f64, String> {
    let text = text(stdout);
    // The last line may be cut.
    let whole = text.rsplit_once('\n').map_or("", |(whole, _)| whole);
    let last = whole.lines().last().unwrap_or_default();
    last.parse().map_err(|_| format!("{last:?} is no number"))
}

/// The name, the features without which it is known to fail, and what it does.
pub(crate) const BOUNDS: &[(&str, &[Feature], Trial)] = &[
    ("the deadline is kept", &[], |scene, sandbox| {
        try_again(|| {
            let mut job = scene.job(
                "perl -MTime::HiRes=time -e '$| = 1; my $begun = time; while (1) { print time - $begun, \"\\n\"; select(undef, undef, undef, 0.01) }'",
            );
            job.limits.wall_time = Duration::from_secs(2);
            let outcome = run(sandbox, &job)?;
            let ended = outcome.status == Status::TimedOut;
            check(ended, &format!("{:?}", outcome.status))?;
            within("seconds", last_number(&outcome.stdout)?, 2.0)
        })
    }),
    (
        "the deadline is kept by those who left the session and the group",
        &[],
        |scene, sandbox| {
            let mut job = scene.job(
                "trap \"\" TERM INT HUP QUIT; perl -MPOSIX -e 'for (1..4) { fork and exit; POSIX::setsid() } $0 = \"$MARK\"; sleep 60' & \
                 perl -MPOSIX -e 'POSIX::setpgid(0, 0); $SIG{$_} = \"IGNORE\" for qw(TERM INT HUP QUIT PIPE ALRM); sleep 60 while 1' $MARK & \
                 while :; do sleep 60; done",
            );
            job.limits.wall_time = Duration::from_millis(500);
            let outcome = run(sandbox, &job)?;
            let ended = outcome.status == Status::TimedOut;
            check(ended, &format!("{:?}", outcome.status))?;
            let alive = survivors(&mark());
            check(alive.is_empty(), &format!("alive: {alive:?}"))
        },
    ),
    ("computing is limited", &[], |scene, sandbox| {
        try_again(|| {
            let mut job = scene.job(
                "exec perl -e '$| = 1; while (1) { my ($u, $s) = times; print $u + $s, \"\\n\"; for (1..20000) {} }'",
            );
            job.limits.cpu_seconds = 1;
            let outcome = run(sandbox, &job)?;
            check(
                outcome.status == Status::Signaled(24),
                &format!("{:?}", outcome.status),
            )?;
            check_computed(last_number(&outcome.stdout)?, 1.0)
        })
    }),
    (
        "who does not listen to that computes one second more",
        &[],
        |scene, sandbox| {
            try_again(|| {
                let mut job = scene.job(
                    "exec perl -e '$| = 1; $SIG{XCPU} = \"IGNORE\"; while (1) { my ($u, $s) = times; print $u + $s, \"\\n\"; for (1..20000) {} }'",
                );
                job.limits.cpu_seconds = 1;
                let outcome = run(sandbox, &job)?;
                check(
                    outcome.status == Status::Signaled(9),
                    &format!("{:?}", outcome.status),
                )?;
                check_computed(last_number(&outcome.stdout)?, 2.0)
            })
        },
    ),
    // mmap of 1 MiB, private and anonymous, until there is no more.
    #[cfg(target_arch = "x86_64")]
    ("memory is limited", &[], |scene, sandbox| {
        let mut job = scene.job(
            "exec perl -e 'my $n = 0; $n++ while syscall(9, 0, 1 << 20, 3, 34, -1, 0) != -1; print \"$n\\n\"'",
        );
        job.limits.memory_bytes = 1 << 30;
        let outcome = run(sandbox, &job)?;
        within("MiB", last_number(&outcome.stdout)?, 1024.0)
    }),
    ("who takes too much memory ends", &[], |scene, sandbox| {
        let mut job = scene.job("perl -e '$x = \"a\" x (1 << 31); print \"PASSED\"'");
        job.limits.memory_bytes = 256 << 20;
        let outcome = run(sandbox, &job)?;
        check(
            outcome.status != Status::Exited(0) && outcome.stdout.is_empty(),
            "it had it",
        )
    }),
    ("the size of a file is limited", &[], |scene, sandbox| {
        let mut job = scene.job("head -c 10000000 /dev/zero > big");
        job.limits.file_bytes = 1 << 20;
        let outcome = run(sandbox, &job)?;
        let length = fs::metadata(job.work_dir.join("big")).map_or(0, |file| file.len());
        check(outcome.status != Status::Exited(0), "it was written")?;
        within("bytes", length as f64, (1 << 20) as f64)
    }),
    ("the sum of the files is limited", &[], |scene, sandbox| {
        try_again(|| {
            let mut job = scene.job(
                "n=0; while :; do n=$((n+1)); head -c 1048576 /dev/zero > f$n; sleep 0.04; done",
            );
            job.limits.disk_bytes = 64 << 20;
            let outcome = run(sandbox, &job)?;
            let ended = outcome.status == Status::DiskLimit;
            check(ended, &format!("{:?}", outcome.status))?;
            let files = fs::read_dir(&job.work_dir).unwrap().flatten();
            let blocks: u64 = files.map(|file| file.metadata().unwrap().blocks()).sum();
            within("bytes", (blocks * 512) as f64, f64::from(64 << 20))
        })
    }),
    ("the number of files is limited", &[], |scene, sandbox| {
        try_again(|| {
            let mut job = scene.job(
                "perl -e 'my $n = 0; while (1) { for (1..10) { open(my $f, \">\", \"f\" . $n++) or die } select(undef, undef, undef, 0.01) }'",
            );
            job.limits.disk_entries = 2000;
            let outcome = run(sandbox, &job)?;
            let ended = outcome.status == Status::DiskLimit;
            check(ended, &format!("{:?}", outcome.status))?;
            let files = fs::read_dir(&job.work_dir).unwrap().count();
            within("files", files as f64, 2000.0)
        })
    }),
    (
        "nothing is left in the memory that all share",
        &[Feature::SystemCallFilter, Feature::Namespaces],
        |scene, sandbox| {
            let segments = || fs::read_to_string("/proc/sysvipc/shm").unwrap_or_default();
            let before = segments();
            let job =
                scene.job("perl -e 'shmget(0, 4096, 01600); shmget(4711, 4096, 01600)'; exit 0");
            run(sandbox, &job)?;
            check(segments() == before, "a segment is left")
        },
    ),
];
