//! The process sandbox: runs a program that nobody vouches for, with limits that the kernel keeps.
//!
//! It needs no Docker and no privilege. The current executable is started again with a hidden first argument; that
//! child takes rights away from itself, step by step, and then becomes the program. What could be taken away is the
//! [`Tier`]; a run that asks for more than the machine can do is refused, it is never run with less.
//!
//! What the program is left with:
//!
//! - files: its working directory, for reading, writing and executing; the system's programs and libraries and the
//!   readable roots of the [`Job`], for reading and executing; `/dev/null`, `/dev/zero`, `/dev/full`, `/dev/random` and
//!   `/dev/urandom`. No `/proc`, no `/tmp`, no home.
//! - no network, no other processes, no device, no hard links and special files, none of the system calls with which
//!   sandboxes are usually left;
//! - the [`Limits`], an environment of its own, three descriptors: its input, and the pipes for its output;
//! - until it ends or the deadline passes: then every process it started is killed.
//!
//! A binary that uses this calls [`run_child_if_asked`] first thing in `main`.
//!
//! # Limitations
//!
//! - Linux only. Elsewhere the tier is [`Tier::None`] and nothing is run.
//! - Memory is limited per process, by address space, not for all processes of the job together.
//! - The sum of the files in the working directory is looked at from time to time: a fast writer gets further by what it writes
//!   in between, and files that were removed while open are not counted.
//! - Without a process namespace (tier partial) the processes are found through `/proc`, by descent. If then Landlock
//!   is missing too, or has no signal scope (before Linux 6.12), a program that runs as the user of the engine can send
//!   signals to it and to its own supervisor, and so leave processes behind.
//! - Where the engine is root and cannot become another user (tier partial), the number of processes is not limited.
//! - The existence, size and times of files outside can be seen where no private root could be made (tier partial).
//! - Whoever starts a job trusts its `program`, `readable` and `work_dir`: they say what the program may see.

mod job;
#[cfg(target_os = "linux")]
mod linux;
mod tier;

pub use job::{Job, Limits, Outcome, SandboxError, Status};
pub use tier::{Feature, LeastTier, Missing, Tier};

use std::path::PathBuf;

/// Runs a job with the current executable as the child.
///
/// # Errors
///
/// When the tier that can be reached is below `least`, or the job cannot be started. Nothing was run then.
pub fn run(job: &Job, least: LeastTier) -> Result<Outcome, SandboxError> {
    Sandbox::new()?.run(job, least)
}

/// Tells what this machine can enforce, by doing it to a child.
pub fn probe() -> Tier {
    match Sandbox::new() {
        Ok(sandbox) => sandbox.probe(),
        Err(error) => Tier::None(error.to_string()),
    }
}

/// Becomes the child of a sandbox if this process was started as one, and then never returns.
///
/// To be called first thing in `main`, before anything else is opened or any thread is started.
pub fn run_child_if_asked() {
    #[cfg(target_os = "linux")]
    linux::run_child_if_asked();
}

/// A way to run jobs: which executable is the child, and what is not even tried.
#[derive(Clone, Debug)]
pub struct Sandbox {
    #[cfg_attr(
        not(target_os = "linux"),
        expect(dead_code, reason = "nothing is run there")
    )]
    child: PathBuf,
    avoided: Vec<Feature>,
}

impl Sandbox {
    /// Uses the current executable as the child.
    ///
    /// # Errors
    ///
    /// When the system does not tell which it is.
    pub fn new() -> Result<Sandbox, SandboxError> {
        let child = std::env::current_exe().map_err(|source| SandboxError::Start {
            program: PathBuf::from("the current executable"),
            source,
        })?;
        Ok(Sandbox::with_child(child))
    }

    /// Uses another executable as the child: one whose `main` calls [`run_child_if_asked`].
    pub fn with_child(child: PathBuf) -> Sandbox {
        Sandbox {
            child,
            avoided: Vec::new(),
        }
    }

    /// Behaves as on a machine that lacks a feature, so that a test can see what happens there.
    #[must_use]
    pub fn without(mut self, feature: Feature) -> Sandbox {
        self.avoided.push(feature);
        self
    }

    /// Runs a job; see [`run`].
    ///
    /// # Errors
    ///
    /// When the tier that can be reached is below `least`, or the job cannot be started. Nothing was run then.
    pub fn run(&self, job: &Job, least: LeastTier) -> Result<Outcome, SandboxError> {
        #[cfg(target_os = "linux")]
        return linux::run(&self.child, &self.avoided, job, least);
        #[cfg(not(target_os = "linux"))]
        {
            let _ = job;
            Err(SandboxError::TierTooLow {
                least,
                tier: self.probe(),
            })
        }
    }

    /// Tells what this machine can enforce; see [`probe`].
    pub fn probe(&self) -> Tier {
        #[cfg(target_os = "linux")]
        return linux::probe(&self.child, &self.avoided);
        #[cfg(not(target_os = "linux"))]
        return Tier::None("there is no sandbox for this system".to_owned());
    }
}
