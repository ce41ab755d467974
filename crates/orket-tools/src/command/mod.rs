//! Commands: programs that an agent asks for, run over a private copy of the write area.
//!
//! The copy is made for one command and thrown away after it. What the command changed in it is found by comparing
//! bytes, not by watching, and is staged like every other effect of a turn; one thing that cannot be staged refuses all.

mod collect;
mod tell;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use orket_kernel::canonical::Value;
use orket_kernel::object;
use orket_ports::Refusal;
use orket_ports::tool::Ran;
use orket_ports::verifier::{ArtifactFile, LeastTier};
use orket_secrets::Scrubber;

use crate::path::Directory;
use crate::sandbox::{Job, Outcome, Sandbox, SandboxError, Status};
use crate::scratch::{Scratch, fill};
use crate::spaces::OUTPUT;

/// What a command sees as the directory above `agent_output/`, where the tier has a private root.
const SEEN_AT: &str = "/work";
/// Where a command may write what is thrown away: its `TMPDIR` and its `HOME`, beside `agent_output/`.
const TEMPORARY: &str = "tmp";
/// How large a file may become while a command runs, in bytes; what is taken over is limited further.
const FILE_MAX_BYTES: u64 = 256 << 20;
/// How much a command may print, in bytes; what is told of it is cut further.
const OUTPUT_MAX_BYTES: usize = 1 << 20;
/// How many processes and threads a command may have at one time.
const PROCESSES_MAX: u64 = 128;

/// Names of directories and files whose content a build can make again: it is not taken over.
pub const BUILD_OUTPUTS: &[&str] = &[
    ".cache",
    ".mypy_cache",
    ".pytest_cache",
    ".venv",
    "__pycache__",
    "node_modules",
    "target",
];

/// A command as an agent asks for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Command {
    /// The program and its arguments; at least one text.
    pub(crate) words: Vec<String>,
    /// How long it may take, in seconds.
    pub(crate) timeout_seconds: u64,
}

/// What runs commands.
pub struct Commands {
    sandbox: Sandbox,
    scrubber: Arc<Scrubber>,
    build_outputs: BTreeSet<String>,
}

impl Commands {
    /// Makes a runner; `sandbox` says which executable becomes the child, `scrubber` finds secrets in what commands print
    /// and write, and nothing is taken over that has one of the names `build_outputs`, or lies below one.
    pub fn new(
        sandbox: Sandbox,
        scrubber: Arc<Scrubber>,
        build_outputs: BTreeSet<String>,
    ) -> Commands {
        Commands {
            sandbox,
            scrubber,
            build_outputs,
        }
    }

    /// Runs a command over copies of `files` and returns what it printed and changed.
    ///
    /// # Errors
    /// Refuses to run it with less than `least`; refuses all that it did if one thing of it cannot be staged.
    pub(crate) fn run(
        &self,
        command: &Command,
        files: &BTreeMap<String, ArtifactFile>,
        least: LeastTier,
    ) -> Result<Ran, Refusal> {
        let scratch = Scratch::new().map_err(|error| no_copy(&error.to_string()))?;
        let work = scratch.path().join("work");
        let prepared = fs::create_dir(&work)
            .and_then(|()| fs::create_dir(work.join(TEMPORARY)))
            .map_err(|error| error.to_string());
        prepared
            .and_then(|()| fill(&work.join(OUTPUT), files))
            .map_err(|reason| no_copy(&reason))?;
        let outcome = match self.sandbox.run(&job(command, &work), least.into()) {
            Ok(outcome) => outcome,
            Err(error) => return not_run(command, error),
        };
        let changes = if has_ended(outcome.status) {
            let work = Directory::open(&work).map_err(|error| no_copy(&error.to_string()))?;
            collect::collect(&work, files, &self.build_outputs, &self.scrubber)
        } else {
            Ok(BTreeMap::new())
        };
        Ok(Ran {
            told: match &changes {
                Ok(changes) => self.tell(command, &outcome, files, changes, &work),
                Err(_) => Value::Null,
            },
            changes,
            tier: outcome.tier.to_string(),
        })
    }

    fn tell(
        &self,
        command: &Command,
        outcome: &Outcome,
        before: &BTreeMap<String, ArtifactFile>,
        changes: &BTreeMap<String, Option<ArtifactFile>>,
        work: &Path,
    ) -> Value {
        let is_cut = outcome.status == Status::OutputLimit;
        let print = |bytes: &[u8]| tell::printed(bytes, is_cut, work, &self.scrubber);
        let mut told = BTreeMap::from([
            ("ended".to_owned(), ended(outcome, command).into()),
            ("stdout".to_owned(), print(&outcome.stdout).into()),
            ("stderr".to_owned(), print(&outcome.stderr).into()),
            ("changes".to_owned(), tell::changes(before, changes).into()),
        ]);
        if !has_ended(outcome.status) {
            let note = "the command did not end by itself, so nothing that it changed is kept";
            told.insert("note".to_owned(), note.into());
        }
        Value::Object(told)
    }
}

fn job(command: &Command, work: &Path) -> Job {
    let mut words = command.words.iter();
    let mut job = Job::new(words.next().cloned().unwrap_or_default(), work);
    job.arguments = words.cloned().collect();
    job.seen_at = Some(SEEN_AT.into());
    job.start_in = OUTPUT.into();
    job.places = ["HOME", "TMPDIR"]
        .map(|name| (name.to_owned(), TEMPORARY.into()))
        .into();
    job.limits.wall_time = Duration::from_secs(command.timeout_seconds);
    job.limits.cpu_seconds = command.timeout_seconds;
    job.limits.file_bytes = FILE_MAX_BYTES;
    job.limits.output_bytes = OUTPUT_MAX_BYTES;
    job.limits.processes = PROCESSES_MAX;
    job
}

/// Whether a program ended by itself. One that was killed may have left anything half done.
fn has_ended(status: Status) -> bool {
    matches!(status, Status::Exited(_))
}

fn ended(outcome: &Outcome, command: &Command) -> String {
    match outcome.status {
        Status::Exited(code) => format!("exit {code}"),
        Status::Signaled(signal) => format!("signal {signal}"),
        Status::TimedOut => format!("no end within {} s", command.timeout_seconds),
        Status::OutputLimit => format!("more than {OUTPUT_MAX_BYTES} bytes of output"),
        Status::DiskLimit => "more or larger files than allowed".to_owned(),
    }
}

fn no_copy(reason: &str) -> Refusal {
    let message = format!("run_command: the private copy cannot be made or read: {reason}");
    Refusal::forbidden("private_copy", message)
}

/// A program that does not exist is the model's mistake, which it is told; everything else refuses the call.
fn not_run(command: &Command, error: SandboxError) -> Result<Ran, Refusal> {
    let program = command.words.first().map_or("", String::as_str);
    match error {
        SandboxError::SetUp { step, reason } if step == format!("start {program}") => Ok(Ran {
            told: object! { "error" => format!("{program} could not be started: {reason}") },
            changes: Ok(BTreeMap::new()),
            tier: "it did not start".to_owned(),
        }),
        SandboxError::TierTooLow { least, tier } => {
            let message = format!(
                "run_command: a sandbox of the tier {least} is required, and this machine reaches {tier}; `least_tier` of \
                 the venue says what is required"
            );
            Err(Refusal::forbidden("sandbox_tier", message))
        }
        SandboxError::Unusable { reason, .. } => Err(no_copy(&reason)),
        error => Err(Refusal::forbidden(
            "sandbox",
            format!("run_command: {error}"),
        )),
    }
}
