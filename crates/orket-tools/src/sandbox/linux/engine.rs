//! The engine's side: starts the supervisor, collects the output, keeps the deadline.

use std::fs;
use std::io::{self, Read};
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::os::unix::net::UnixStream;
use std::path::{Component, Path};
use std::process::{Child, ChildStderr, ChildStdout, Stdio};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::fd::AsFd;
use rustix::process::{Pid, Signal};

use super::disk::Disk;
use super::message::{Order, Report, Root, send_order, take_reports};
use super::stage::{Stage, command};
use super::{identity, process_tree};
use crate::sandbox::{Feature, Job, LeastTier, Missing, Outcome, SandboxError, Status, Tier};

/// How long the child may take until the program starts: long enough for a machine that is busy with much else.
const READY: Duration = Duration::from_secs(60);
/// How long the supervisor may take to end after everything below it was killed.
const GRACE: Duration = Duration::from_secs(1);
/// How often a run is begun anew because a feature turned out to be missing: no more often than there are features.
const ATTEMPTS: usize = 6;

/// Runs a job.
pub(in crate::sandbox) fn run(
    child: &Path,
    avoided: &[Feature],
    job: &Job,
    least: LeastTier,
) -> Result<Outcome, SandboxError> {
    let order = order(child, job)?;
    let limits = Bounds {
        wall_time: job.limits.wall_time,
        output_bytes: job.limits.output_bytes,
        disk: Some(Disk::watch(&order.work_dir.real, &job.limits)),
    };
    run_order(order, &job.stdin, &limits, avoided, least)
}

/// Does everything but running a program.
pub(in crate::sandbox) fn probe(child: &Path, avoided: &[Feature]) -> Tier {
    try_probe(child, avoided).unwrap_or_else(|error| {
        let source = std::error::Error::source(&error)
            .map(|source| format!(": {source}"))
            .unwrap_or_default();
        Tier::None(format!("{error}{source}"))
    })
}

fn try_probe(child: &Path, avoided: &[Feature]) -> Result<Tier, SandboxError> {
    let mut random = [0_u8; 16];
    let directory = rustix::rand::getrandom(&mut random, rustix::rand::GetRandomFlags::empty())
        .map_err(io::Error::from)
        .and_then(|_| {
            let name = format!("orket-probe-{:032x}", u128::from_ne_bytes(random));
            let directory = std::env::temp_dir().join(name);
            fs::DirBuilder::new().mode(0o700).create(&directory)?;
            Ok(directory)
        })
        .map_err(|source| SandboxError::Start {
            program: child.to_path_buf(),
            source,
        })?;
    let probed = order(child, &Job::new("/", &directory)).and_then(|mut order| {
        order.probe = true;
        let limits = Bounds {
            wall_time: READY,
            output_bytes: 0,
            disk: None,
        };
        run_order(order, &[], &limits, avoided, LeastTier::None)
    });
    // What is left is an empty directory among temporary ones.
    let _ = fs::remove_dir(&directory);
    probed.map(|outcome| outcome.tier)
}

/// The limits that the engine keeps.
struct Bounds {
    wall_time: Duration,
    output_bytes: usize,
    disk: Option<Disk>,
}

fn order(child: &Path, job: &Job) -> Result<Order, SandboxError> {
    let mut environment = job.environment.clone();
    for (name, value) in [("PATH", "/usr/bin:/bin"), ("LANG", "C")] {
        environment
            .entry(name.to_owned())
            .or_insert_with(|| value.to_owned());
    }
    let mut work_dir = root(&job.work_dir)?;
    check_work_dir(&work_dir)?;
    let plain = |path: &Path| {
        path.components()
            .all(|part| matches!(part, Component::Normal(_)))
    };
    for below in job.places.values().chain([&job.start_in]) {
        if !plain(text(below)?) {
            return Err(unusable(below, "it is not a place below the directory"));
        }
    }
    if let Some(seen_at) = &job.seen_at {
        let below = text(seen_at)?.strip_prefix("/");
        if !below.is_ok_and(|below| plain(below) && below.components().count() > 0) {
            return Err(unusable(seen_at, "it is no place for a directory"));
        }
        work_dir.path = seen_at.clone();
    }
    Ok(Order {
        child: child.to_path_buf(),
        avoided: Vec::new(),
        probe: false,
        program: text(&job.program)?.to_path_buf(),
        arguments: job.arguments.clone(),
        environment,
        places: job.places.clone(),
        work_dir,
        start_in: job.start_in.clone(),
        readable: job
            .readable
            .iter()
            .map(|path| root(path))
            .collect::<Result<_, _>>()?,
        cpu_seconds: job.limits.cpu_seconds,
        memory_bytes: job.limits.memory_bytes,
        file_bytes: job.limits.file_bytes,
        open_files: job.limits.open_files,
        processes: job.limits.processes,
        counts_alone: false,
    })
}

fn unusable(path: &Path, reason: impl Into<String>) -> SandboxError {
    SandboxError::Unusable {
        path: path.to_path_buf(),
        reason: reason.into(),
    }
}

fn text(path: &Path) -> Result<&Path, SandboxError> {
    path.to_str()
        .map(Path::new)
        .ok_or_else(|| unusable(path, "its name is not UTF-8"))
}

fn root(path: &Path) -> Result<Root, SandboxError> {
    let absolute =
        std::path::absolute(text(path)?).map_err(|error| unusable(path, error.to_string()))?;
    let real = fs::canonicalize(&absolute).map_err(|error| unusable(path, error.to_string()))?;
    text(&real)?;
    if absolute
        .components()
        .any(|component| component == Component::ParentDir)
    {
        return Err(unusable(path, "it leads upwards"));
    }
    if real.parent().is_none() {
        return Err(unusable(path, "it is the root of all files"));
    }
    Ok(Root {
        path: absolute,
        real,
    })
}

/// Where the engine is root, the directory is given away: nobody should do that to `/home` or `/tmp` by mistake.
fn check_work_dir(root: &Root) -> Result<(), SandboxError> {
    const EVERYBODY_WRITES: u32 = 0o002;
    let metadata =
        fs::metadata(&root.real).map_err(|error| unusable(&root.path, error.to_string()))?;
    if !metadata.is_dir() {
        return Err(unusable(&root.path, "it is not a directory"));
    }
    if metadata.mode() & EVERYBODY_WRITES != 0 {
        return Err(unusable(
            &root.path,
            "everybody can write it, so it is no private copy",
        ));
    }
    if root.real.components().count() < 3 {
        return Err(unusable(
            &root.path,
            "it is directly below the root of all files, so it is no private copy",
        ));
    }
    Ok(())
}

fn run_order(
    mut order: Order,
    stdin: &[u8],
    bounds: &Bounds,
    avoided: &[Feature],
    least: LeastTier,
) -> Result<Outcome, SandboxError> {
    let mut missing: Vec<Missing> = avoided
        .iter()
        .map(|&feature| Missing {
            feature,
            reason: "it is switched off".to_owned(),
        })
        .collect();
    for _ in 0..ATTEMPTS {
        add_consequences(&mut missing);
        let tier = Tier::without(missing.clone());
        if !tier.reaches(least) {
            return Err(SandboxError::TierTooLow { least, tier });
        }
        order.avoided = missing.iter().map(|missing| missing.feature).collect();
        let mut attempt = Attempt::start(&order, stdin)?;
        match attempt.follow(bounds)? {
            End::Lacks(lacking) => missing.push(lacking),
            End::Ended(status) => {
                let Attempt { stdout, stderr, .. } = &mut attempt;
                let (stdout, stderr) = (
                    std::mem::take(&mut stdout.bytes),
                    std::mem::take(&mut stderr.bytes),
                );
                return Ok(Outcome {
                    status,
                    stdout,
                    stderr,
                    tier,
                });
            }
        }
    }
    Err(SandboxError::SetUp {
        step: "get ready".to_owned(),
        reason: "it kept lacking features".to_owned(),
    })
}

/// Adds what cannot be there because something else is missing.
fn add_consequences(missing: &mut Vec<Missing>) {
    let lacks =
        |missing: &[Missing], feature| missing.iter().any(|missing| missing.feature == feature);
    let mut add = |cause, feature, reason: &str| {
        if lacks(missing, cause) && !lacks(missing, feature) {
            missing.push(Missing {
                feature,
                reason: reason.to_owned(),
            });
        }
    };
    add(
        Feature::Namespaces,
        Feature::PrivateRoot,
        "it needs namespaces",
    );
    if !identity::is_root() {
        add(
            Feature::PrivateRoot,
            Feature::OwnUser,
            "only root can become another user",
        );
    }
    missing.sort();
}

/// How an attempt ended.
enum End {
    Lacks(Missing),
    Ended(Status),
}

/// One output of the program.
struct Output<T> {
    pipe: Option<T>,
    bytes: Vec<u8>,
}

/// A supervisor that was started. However this ends, everything below the supervisor has ended then.
struct Attempt {
    supervisor: Child,
    control: UnixStream,
    received: Vec<u8>,
    stdout: Output<ChildStdout>,
    stderr: Output<ChildStderr>,
}

impl Attempt {
    fn start(order: &Order, stdin: &[u8]) -> Result<Attempt, SandboxError> {
        let failed = |source| SandboxError::Start {
            program: order.child.clone(),
            source,
        };
        let (mut command, control) = command(&order.child, Stage::Supervisor).map_err(failed)?;
        command
            .current_dir("/")
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut supervisor = command.spawn().map_err(failed)?;
        drop(command);
        let stdout = Output {
            pipe: supervisor.stdout.take(),
            bytes: Vec::new(),
        };
        let stderr = Output {
            pipe: supervisor.stderr.take(),
            bytes: Vec::new(),
        };
        let attempt = Attempt {
            supervisor,
            control,
            received: Vec::new(),
            stdout,
            stderr,
        };
        let pipes = [
            attempt.stdout.pipe.as_ref().map(AsFd::as_fd),
            attempt.stderr.pipe.as_ref().map(AsFd::as_fd),
        ];
        for pipe in pipes.into_iter().flatten() {
            rustix::io::ioctl_fionbio(pipe, true)
                .map_err(io::Error::from)
                .map_err(failed)?;
        }
        attempt
            .control
            .set_write_timeout(Some(READY))
            .map_err(failed)?;
        send_order(&attempt.control, order, stdin).map_err(failed)?;
        attempt.control.set_nonblocking(true).map_err(failed)?;
        Ok(attempt)
    }

    /// Reads reports and output until the supervisor has ended.
    fn follow(&mut self, bounds: &Bounds) -> Result<End, SandboxError> {
        let output = |source| SandboxError::Output { source };
        let mut deadline = Instant::now() + READY;
        let mut ready = false;
        let mut end = None;
        let mut cut = None;
        loop {
            let look = bounds.disk.as_ref().map(Disk::next_look);
            let wake = look.map_or(deadline, |look| deadline.min(look));
            let more = self.wait_and_read(wake, bounds).map_err(output)?;
            for report in take_reports(&mut self.received).map_err(output)? {
                match report {
                    Report::Ready => {
                        ready = true;
                        deadline = Instant::now() + bounds.wall_time;
                    }
                    Report::Failed { step, reason } => {
                        return Err(SandboxError::SetUp { step, reason });
                    }
                    // Of several ends the first one counts: the stage that lacks something then ends with a code.
                    Report::Lacks { feature, reason } if end.is_none() => {
                        end = Some(End::Lacks(Missing { feature, reason }));
                    }
                    Report::Exited(code) if end.is_none() => {
                        end = Some(End::Ended(Status::Exited(code)))
                    }
                    Report::Signaled(signal) if end.is_none() => {
                        end = Some(End::Ended(Status::Signaled(signal)))
                    }
                    _ => {}
                }
            }
            if !more {
                break;
            }
            // The report that the program starts passes through two stages: its output can be faster.
            if ready && self.is_over(bounds) {
                cut = Some(Status::OutputLimit);
            } else if bounds.disk.as_ref().is_some_and(Disk::is_over) {
                cut = Some(Status::DiskLimit);
            } else if Instant::now() >= deadline {
                cut = Some(Status::TimedOut);
            }
            if cut.is_some() {
                break;
            }
        }
        self.stop();
        // What was written before the end is still in the pipes.
        self.read_pipes(bounds).map_err(output)?;
        if self.is_over(bounds) {
            cut = Some(Status::OutputLimit);
            self.stdout.bytes.truncate(bounds.output_bytes);
            self.stderr
                .bytes
                .truncate(bounds.output_bytes - self.stdout.bytes.len());
        }
        match (cut, end) {
            (Some(_), _) if !ready => Err(SandboxError::NotReady {
                waited_ms: u64::try_from(READY.as_millis()).unwrap_or(u64::MAX),
            }),
            (Some(status), None | Some(End::Ended(_))) => Ok(End::Ended(status)),
            (_, Some(end)) => Ok(end),
            (None, None) => Err(SandboxError::Lost),
        }
    }

    /// Waits until there is something to read, or the deadline, and reads it; tells whether there can be more.
    fn wait_and_read(&mut self, deadline: Instant, bounds: &Bounds) -> io::Result<bool> {
        let left = deadline.saturating_duration_since(Instant::now());
        let timeout = Timespec::try_from(left).unwrap_or(Timespec {
            tv_sec: i64::MAX,
            tv_nsec: 0,
        });
        let mut polled = vec![PollFd::new(&self.control, PollFlags::IN)];
        // What is too much already is not waited for.
        if !self.is_over(bounds) {
            let pipes = [
                self.stdout.pipe.as_ref().map(AsFd::as_fd),
                self.stderr.pipe.as_ref().map(AsFd::as_fd),
            ];
            let pipes = pipes.into_iter().flatten();
            polled.extend(pipes.map(|pipe| PollFd::from_borrowed_fd(pipe, PollFlags::IN)));
        }
        match rustix::event::poll(&mut polled, Some(&timeout)) {
            Ok(0) | Err(rustix::io::Errno::INTR) => return Ok(true),
            Ok(_) => {}
            Err(errno) => return Err(errno.into()),
        }
        drop(polled);
        self.read_pipes(bounds)?;
        read_available(&mut self.control, &mut self.received, usize::MAX)
    }

    /// Tells whether more output was read than is allowed.
    fn is_over(&self, bounds: &Bounds) -> bool {
        self.stdout.bytes.len() + self.stderr.bytes.len() > bounds.output_bytes
    }

    fn read_pipes(&mut self, bounds: &Bounds) -> io::Result<()> {
        // One byte more than allowed tells that it was too much.
        let most = bounds.output_bytes.saturating_add(1);
        self.stdout.read(most)?;
        self.stderr.read(most)
    }

    /// Ends everything below the supervisor, then the supervisor.
    fn stop(&mut self) {
        let supervisor = Pid::from_child(&self.supervisor);
        if matches!(self.supervisor.try_wait(), Ok(Some(_))) {
            return;
        }
        process_tree::kill_descendants(supervisor);
        // It ends when it sees that the stage below is gone; only then has the whole process namespace ended.
        let deadline = Instant::now() + GRACE;
        let mut received = Vec::new();
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let timeout = Timespec::try_from(left).unwrap_or_default();
            let polled = rustix::event::poll(
                &mut [PollFd::new(&self.control, PollFlags::IN)],
                Some(&timeout),
            );
            let open = read_available(&mut self.control, &mut received, usize::MAX);
            if matches!(open, Ok(false) | Err(_)) || matches!(polled, Ok(0)) {
                break;
            }
        }
        let _ = rustix::process::kill_process_group(supervisor, Signal::KILL);
        let _ = self.supervisor.kill();
        let _ = self.supervisor.wait();
    }
}

impl Drop for Attempt {
    fn drop(&mut self) {
        self.stop();
    }
}

impl<T: Read> Output<T> {
    fn read(&mut self, most: usize) -> io::Result<()> {
        if let Some(pipe) = &mut self.pipe
            && !read_available(pipe, &mut self.bytes, most)?
        {
            self.pipe = None;
        }
        Ok(())
    }
}

/// Reads what is there without waiting, up to `most` bytes altogether; tells whether there can be more.
fn read_available(from: &mut impl Read, into: &mut Vec<u8>, most: usize) -> io::Result<bool> {
    let mut buffer = [0; 16 << 10];
    while into.len() < most {
        match from.read(&mut buffer) {
            Ok(0) => return Ok(false),
            Ok(length) => into.extend_from_slice(buffer.get(..length).unwrap_or_default()),
            Err(error) => match error.kind() {
                io::ErrorKind::WouldBlock => return Ok(true),
                io::ErrorKind::Interrupted => {}
                // The other side ended with something unread.
                io::ErrorKind::ConnectionReset => return Ok(false),
                _ => return Err(error),
            },
        }
    }
    Ok(true)
}
