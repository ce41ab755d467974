//! What is run, within which limits, and what came of it.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use super::{LeastTier, Tier};

/// A program to run, and all that it is given.
#[derive(Clone, Debug)]
pub struct Job {
    /// The program: a path, or a name that is looked for in `/usr/bin` and `/bin`.
    pub program: PathBuf,
    /// Its arguments.
    pub arguments: Vec<String>,
    /// The directory it starts in, the only one in which it can write. It has to be a private copy, in which nothing is
    /// a hard link to something else: where the engine is root, it is given to an unprivileged user and stays so.
    pub work_dir: PathBuf,
    /// Where the program sees that directory, an absolute path; where it lies if `None`, or if the tier has no private root.
    pub seen_at: Option<PathBuf>,
    /// The directory below `work_dir` in which it starts instead; relative, without `..`.
    pub start_in: PathBuf,
    /// Files and directories that it can read and execute, besides those of the system.
    pub readable: Vec<PathBuf>,
    /// Its environment. `PATH=/usr/bin:/bin` and `LANG=C` are there unless they are given; nothing is inherited.
    pub environment: BTreeMap<String, String>,
    /// Variables that name places below `work_dir`, as the program sees them; relative, without `..`.
    pub places: BTreeMap<String, PathBuf>,
    /// What it reads from its standard input.
    pub stdin: Vec<u8>,
    /// Its limits.
    pub limits: Limits,
}

impl Job {
    /// Returns a job without arguments, input or further readable roots, and with the default limits.
    pub fn new(program: impl Into<PathBuf>, work_dir: impl Into<PathBuf>) -> Job {
        Job {
            program: program.into(),
            arguments: Vec::new(),
            work_dir: work_dir.into(),
            seen_at: None,
            start_in: PathBuf::new(),
            readable: Vec::new(),
            environment: BTreeMap::new(),
            places: BTreeMap::new(),
            stdin: Vec::new(),
            limits: Limits::default(),
        }
    }
}

/// The limits of a job; the defaults are for a check of a few files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// How long it may take, from its start. Default: 60 s.
    pub wall_time: Duration,
    /// How long each process may compute. Default: 60.
    pub cpu_seconds: u64,
    /// How much address space each process may have. Default: 2 GiB.
    pub memory_bytes: u64,
    /// How large each file may become. Default: 64 MiB.
    pub file_bytes: u64,
    /// By how much the files in the working directory may grow together, in bytes. Default: 1 GiB.
    pub disk_bytes: u64,
    /// By how many the files and directories in the working directory may become more. Default: 100,000.
    pub disk_entries: u64,
    /// How many descriptors each process may have. Default: 256.
    pub open_files: u64,
    /// How many processes and threads there may be at one time. Default: 64.
    ///
    /// Where no user namespace can be had, the kernel counts all processes of the user: the limit is then put that much
    /// above those that are there at the start.
    pub processes: u64,
    /// How much it may write to its standard output and error together. Default: 4 MiB.
    pub output_bytes: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            wall_time: Duration::from_secs(60),
            cpu_seconds: 60,
            memory_bytes: 2 << 30,
            file_bytes: 64 << 20,
            disk_bytes: 1 << 30,
            disk_entries: 100_000,
            open_files: 256,
            processes: 64,
            output_bytes: 4 << 20,
        }
    }
}

/// What came of a job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// How it ended.
    pub status: Status,
    /// What it wrote to its standard output, at most [`Limits::output_bytes`] together with the error.
    pub stdout: Vec<u8>,
    /// What it wrote to its standard error.
    pub stderr: Vec<u8>,
    /// What confined it.
    pub tier: Tier,
}

/// How a job ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// By itself, with this code.
    Exited(i32),
    /// By this signal; `SIGXCPU` (24) and `SIGXFSZ` (25) are those of limits.
    Signaled(i32),
    /// It was killed at the deadline.
    TimedOut,
    /// It was killed because it wrote too much to its output.
    OutputLimit,
    /// It was killed because the files in its working directory became too large or too many.
    DiskLimit,
}

/// Says why a job was not run to its end.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SandboxError {
    /// The machine cannot do what is asked. Nothing was run.
    #[error("a sandbox of the tier {least} is asked for, this machine reaches {tier}")]
    TierTooLow {
        /// What is asked for.
        least: LeastTier,
        /// What can be reached.
        tier: Tier,
    },
    /// A directory or file of the job cannot be used. Nothing was run.
    #[error("{} cannot be given to a sandbox: {reason}", path.display())]
    Unusable {
        /// The path.
        path: PathBuf,
        /// Why not.
        reason: String,
    },
    /// The child could not be started. Nothing was run.
    #[error("{} could not be started as the child of a sandbox", program.display())]
    Start {
        /// What was started.
        program: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// The child could not get ready or could not start the program. Nothing was run.
    #[error("the child of a sandbox could not {step}: {reason}")]
    SetUp {
        /// What it was about to do.
        step: String,
        /// What the system said.
        reason: String,
    },
    /// The child did not get ready in time. Nothing was run.
    #[error(
        "the child of a sandbox did not get ready within {waited_ms} ms; does its main function call run_child_if_asked?"
    )]
    NotReady {
        /// How long was waited.
        waited_ms: u64,
    },
    /// The supervisor ended without telling how the program ended. What it did is not known.
    #[error("the supervisor of a sandbox ended before its program")]
    Lost,
    /// The pipes to the child failed. What the program did is not known.
    #[error("the output of a sandbox could not be read")]
    Output {
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
}
