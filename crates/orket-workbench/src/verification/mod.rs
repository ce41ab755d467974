//! The project's own commands judge a plan before anything is touched.
//!
//! They run in a private copy of the tree with the plan carried out in it, so whatever they make or change stays there
//! and the tree itself never holds a change that failed.

mod copy;
mod unconfined;

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use orket_tools::sandbox::{Job, LeastTier, Limits, Sandbox, SandboxError, Status};

use crate::error::Error;
use crate::plan::Plan;

/// How much of the output of a command is told: bytes, then lines.
const TAIL: (usize, usize) = (32 << 10, 200);

/// The table `[verify]` of `orket.toml`.
#[derive(Clone, Debug, PartialEq, Eq, serde::Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct VerifyConfig {
    /// The commands, run one after the other with `/bin/sh -c`. Default: none.
    pub commands: Vec<String>,
    /// How long each may take, in seconds. Default: 300.
    pub deadline_seconds: u64,
    /// What confines them.
    pub sandbox: Confinement,
    /// How much address space each process in the sandbox may have, in MiB. Default: 16,384.
    pub memory_mib: u64,
    /// Files and directories outside the project that they may read and execute, absolute.
    pub readable: Vec<PathBuf>,
    /// Their environment. `PATH=/usr/bin:/bin` is there unless it is given.
    pub environment: BTreeMap<String, String>,
    /// Names of files and directories that are not copied. `.git`, `.orket`, `.env` and `target` never are.
    pub leave_out: Vec<String>,
}

/// What confines a verification.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Confinement {
    /// The sandbox; where the machine can make none, nothing is run.
    #[default]
    Required,
    /// Nothing but the copy, the deadline and an environment without secrets.
    None,
}

impl Default for VerifyConfig {
    fn default() -> VerifyConfig {
        VerifyConfig {
            commands: Vec::new(),
            deadline_seconds: 300,
            sandbox: Confinement::Required,
            memory_mib: 16 << 10,
            readable: Vec::new(),
            environment: BTreeMap::new(),
            leave_out: Vec::new(),
        }
    }
}

/// What the verification said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// There are no commands: nothing is known.
    NotConfigured,
    /// Each command ended with 0.
    Passed {
        /// How many there were.
        commands: usize,
        /// What confined them.
        confinement: String,
    },
    /// One did not.
    Failed {
        /// The command.
        command: String,
        /// How it ended.
        ended: String,
        /// The end of what it printed.
        tail: String,
    },
}

/// How one command ended, and what it printed.
struct Ended {
    failure: Option<String>,
    output: Vec<u8>,
    confinement: String,
}

impl VerifyConfig {
    /// Checks what a type cannot say.
    ///
    /// # Errors
    ///
    /// When a command is empty, the deadline is 0 or over a day, or a path is not absolute.
    pub fn check(&self) -> Result<(), Error> {
        let fault = |reason: String| Err(Error::ConfigInvalid { reason });
        if self
            .commands
            .iter()
            .any(|command| command.trim().is_empty())
        {
            return fault("a command is empty".to_owned());
        }
        if !(1..=86_400).contains(&self.deadline_seconds) {
            return fault("deadline_seconds must be 1 to 86400".to_owned());
        }
        if !(16..=1 << 20).contains(&self.memory_mib) {
            return fault("memory_mib must be 16 to 1048576".to_owned());
        }
        if let Some(path) = self.readable.iter().find(|path| !path.is_absolute()) {
            return fault(format!("readable: {} is not absolute", path.display()));
        }
        Ok(())
    }
}

/// Runs the commands in a copy of the tree with the plan carried out.
///
/// # Errors
///
/// When the table is not valid, the copy cannot be made, or the machine cannot confine as it is asked to.
pub fn verify(
    root: &Path,
    plan: &Plan,
    config: &VerifyConfig,
    sandbox: &Sandbox,
) -> Result<Verdict, Error> {
    config.check()?;
    if config.commands.is_empty() {
        return Ok(Verdict::NotConfigured);
    }
    let failed = |error: std::io::Error| Error::Internal {
        place: "the copy for the verification".to_owned(),
        reason: error.to_string(),
    };
    let scratch = tempfile::Builder::new()
        .prefix("orket-verify-")
        .permissions(fs::Permissions::from_mode(0o711))
        .tempdir()
        .map_err(failed)?;
    let tree = scratch.path().join("tree");
    copy::tree(root, &tree, &config.leave_out)?;
    for change in plan.changes() {
        let path = change.path.under(&tree);
        let parent = path.parent().unwrap_or(&tree);
        fs::create_dir_all(parent)
            .and_then(|()| fs::write(&path, &change.after))
            .map_err(failed)?;
    }
    let mut confinement = String::new();
    for command in &config.commands {
        let ended = match config.sandbox {
            Confinement::Required => confined(command, &tree, config, sandbox)?,
            Confinement::None => {
                let output = scratch.path().join("output");
                unconfined::run(command, &tree, &output, config).map_err(failed)?
            }
        };
        if let Some(failure) = ended.failure {
            return Ok(Verdict::Failed {
                command: command.clone(),
                ended: failure,
                tail: tail(&ended.output),
            });
        }
        confinement = ended.confinement;
    }
    Ok(Verdict::Passed {
        commands: config.commands.len(),
        confinement,
    })
}

fn confined(
    command: &str,
    tree: &Path,
    config: &VerifyConfig,
    sandbox: &Sandbox,
) -> Result<Ended, Error> {
    let mut job = Job::new("/bin/sh", tree);
    job.arguments = vec!["-c".to_owned(), command.to_owned()];
    job.readable.clone_from(&config.readable);
    job.environment.clone_from(&config.environment);
    job.limits = Limits {
        wall_time: Duration::from_secs(config.deadline_seconds),
        cpu_seconds: config.deadline_seconds,
        memory_bytes: config.memory_mib << 20,
        file_bytes: 1 << 30,
        open_files: 1024,
        processes: 512,
        output_bytes: 16 << 20,
        ..Limits::default()
    };
    let outcome = sandbox
        .run(&job, LeastTier::Partial)
        .map_err(|error| match error {
            SandboxError::Unusable { .. } => Error::ConfigInvalid {
                reason: error.to_string(),
            },
            other => Error::SandboxUnavailable {
                reason: other.to_string(),
            },
        })?;
    let failure = match outcome.status {
        Status::Exited(0) => None,
        Status::Exited(code) => Some(format!("exited with {code}")),
        Status::Signaled(signal) => Some(format!("was ended by signal {signal}")),
        Status::TimedOut => Some(format!("did not end within {} s", config.deadline_seconds)),
        Status::OutputLimit => Some("printed more than is allowed".to_owned()),
        Status::DiskLimit => Some("wrote more than is allowed".to_owned()),
    };
    let mut output = outcome.stdout;
    output.extend_from_slice(&outcome.stderr);
    Ok(Ended {
        failure,
        output,
        confinement: format!("sandbox {}", outcome.tier),
    })
}

/// Returns the end of an output as text.
fn tail(output: &[u8]) -> String {
    let (bytes, lines) = TAIL;
    let from = output.len().saturating_sub(bytes);
    let text = String::from_utf8_lossy(output.get(from..).unwrap_or_default()).into_owned();
    let from = text.lines().count().saturating_sub(lines);
    text.lines().skip(from).collect::<Vec<_>>().join("\n")
}
