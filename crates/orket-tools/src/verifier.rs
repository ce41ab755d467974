//! The Verifier that runs checks in the sandbox.
//!
//! A check gets a private copy of all artefacts as its working directory and its own fixture, read-only, beside it.
//! What it changes in the copy is thrown away.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use orket_ports::Verifier;
use orket_ports::verifier::{ArtifactFile, Check, CheckOutcome, LeastTier, VerifyError};
use orket_secrets::Scrubber;

use crate::path::{Directory, RelativePath};
use crate::sandbox::{self, Job, Sandbox, SandboxError, Status};

/// How much of a check's output is kept, in bytes.
const OUTPUT_KEPT_BYTES: usize = 4096;

/// How the scratch directory of a check begins to be called; the number of the process follows.
const SCRATCH: &str = "orket-check-";

/// Runs checks with `/bin/sh` in the sandbox.
pub struct SandboxVerifier {
    sandbox: Sandbox,
    scrubber: Arc<Scrubber>,
    tier: OnceLock<String>,
}

impl SandboxVerifier {
    /// Makes a verifier; `sandbox` says which executable becomes the child, `scrubber` takes secrets out of what checks
    /// print.
    pub fn new(sandbox: Sandbox, scrubber: Arc<Scrubber>) -> SandboxVerifier {
        SandboxVerifier {
            sandbox,
            scrubber,
            tier: OnceLock::new(),
        }
    }
}

impl Verifier for SandboxVerifier {
    fn tier(&self) -> String {
        self.tier
            .get_or_init(|| self.sandbox.probe().to_string())
            .clone()
    }

    fn run(
        &self,
        check: &Check,
        files: &BTreeMap<String, ArtifactFile>,
        least: LeastTier,
    ) -> Result<CheckOutcome, VerifyError> {
        let not_run = |reason: String| VerifyError::NotRun {
            fixture: check.fixture.clone(),
            reason,
        };
        sweep(&std::env::temp_dir());
        let scratch = tempfile::Builder::new()
            .prefix(&format!("{SCRATCH}{}-", std::process::id()))
            .permissions(fs::Permissions::from_mode(0o711))
            .tempdir()
            .map_err(|error| not_run(error.to_string()))?;
        let work_dir = scratch.path().join("agent_output");
        let fixture = scratch.path().join("check.sh");
        fill(&work_dir, files).map_err(not_run)?;
        fs::write(&fixture, &check.script)
            .and_then(|()| fs::set_permissions(&fixture, fs::Permissions::from_mode(0o444)))
            .map_err(|error| not_run(error.to_string()))?;
        let mut job = Job::new("/bin/sh", &work_dir);
        job.arguments = vec![fixture.to_string_lossy().into_owned()];
        job.readable = vec![fixture.clone()];
        job.limits.wall_time = Duration::from_secs(check.timeout_seconds);
        job.limits.cpu_seconds = check.timeout_seconds;
        let outcome = self
            .sandbox
            .run(&job, sandbox_tier(least))
            .map_err(|error| match error {
                SandboxError::TierTooLow { least, tier } => VerifyError::TierTooLow {
                    reached: tier.to_string(),
                    required: least.to_string(),
                },
                other => not_run(other.to_string()),
            })?;
        let ended = match outcome.status {
            Status::Exited(code) => format!("exit {code}"),
            Status::Signaled(signal) => format!("signal {signal}"),
            Status::TimedOut => format!("no end within {} s", check.timeout_seconds),
            Status::OutputLimit => "more output than allowed".to_owned(),
        };
        let mut output = outcome.stdout;
        let mut errors = outcome.stderr;
        if outcome.status == Status::OutputLimit {
            // Where output was cut, half of a secret may stand.
            output = self.scrubber.beginning(&output).into_owned();
            errors = self.scrubber.beginning(&errors).into_owned();
        }
        output.append(&mut errors);
        Ok(CheckOutcome {
            fixture: check.fixture.clone(),
            passed: outcome.status == Status::Exited(0),
            ended,
            output: told(&output, scratch.path(), &self.scrubber),
        })
    }
}

/// Removes the scratch directories of processes that were killed during a check.
fn sweep(temporary: &Path) {
    // What cannot be listed or removed is left alone: it costs space and nothing else.
    let Ok(entries) = fs::read_dir(temporary) else {
        return;
    };
    let own_uid = rustix::process::geteuid().as_raw();
    for entry in entries.flatten() {
        let name = entry.file_name();
        let process = name
            .to_str()
            .and_then(|name| name.strip_prefix(SCRATCH)?.split('-').next());
        let Some(process) = process.and_then(|process| process.parse::<i32>().ok()) else {
            continue;
        };
        let Ok(metadata) = entry.path().symlink_metadata() else {
            continue;
        };
        let is_dead = rustix::process::Pid::from_raw(process).is_some_and(|pid| {
            rustix::process::test_kill_process(pid) == Err(rustix::io::Errno::SRCH)
        });
        if is_dead && metadata.is_dir() && metadata.uid() == own_uid {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

fn sandbox_tier(least: LeastTier) -> sandbox::LeastTier {
    match least {
        LeastTier::None => sandbox::LeastTier::None,
        LeastTier::Partial => sandbox::LeastTier::Partial,
        LeastTier::Full => sandbox::LeastTier::Full,
    }
}

/// Writes the private copy.
fn fill(work_dir: &Path, files: &BTreeMap<String, ArtifactFile>) -> Result<(), String> {
    fs::create_dir(work_dir).map_err(|error| error.to_string())?;
    let directory = Directory::open(work_dir).map_err(|error| error.to_string())?;
    for (path, file) in files {
        let path: RelativePath = path
            .parse()
            .map_err(|error: crate::path::RelativePathError| error.to_string())?;
        directory
            .write_payload(&path, &file.payload, file.executable)
            .map_err(|error| error.to_string())?;
    }
    Ok(())
}

/// Returns the end of the output as text, without the name of the scratch directory: it is drawn anew for every check,
/// and what a check prints goes into evidence that must come out the same. Secrets are taken out before it is cut: half of
/// one would not be found.
fn told(output: &[u8], scratch: &Path, scrubber: &Scrubber) -> String {
    let text = String::from_utf8_lossy(output).replace(&*scratch.to_string_lossy(), "");
    let text = scrubber.text(&text);
    let mut start = text.len().saturating_sub(OUTPUT_KEPT_BYTES);
    while !text.is_char_boundary(start) {
        start += 1;
    }
    text[start..].to_owned()
}

#[cfg(test)]
mod tests {
    use orket_secrets::{Secret, Vault};

    use super::*;

    #[test]
    fn what_a_check_printed_is_scrubbed_before_it_is_cut() {
        let secret = ("A_KEY".to_owned(), Secret::new("correct horse".to_owned()));
        let vault = Vault::gather(Vec::new(), [secret], &Default::default()).unwrap();
        let scrubber = Scrubber::new(&vault).unwrap();
        let scratch = Path::new("/tmp/orket-check-1-x");
        // The cut falls into the secret.
        let output = format!("correct horse{}", "x".repeat(OUTPUT_KEPT_BYTES - 5));
        let told_cut = told(output.as_bytes(), scratch, &scrubber);
        assert!(!told_cut.contains("horse"), "{}", &told_cut[..20]);
        assert_eq!(told_cut.len(), OUTPUT_KEPT_BYTES);
        // Without the name of the directory between them the halves are the secret.
        let output = "correct /tmp/orket-check-1-xhorse";
        assert_eq!(
            told(output.as_bytes(), scratch, &scrubber),
            "[secret:A_KEY]"
        );
    }

    /// Copies of `agent_output/` stayed behind for good when a run was killed during a check.
    #[test]
    fn what_dead_processes_left_is_swept_and_nothing_else() {
        let temporary = tempfile::tempdir().unwrap();
        // The highest number that a process can have is below this one.
        let dead = format!("{SCRATCH}{}-a", i32::MAX);
        let alive = format!("{SCRATCH}{}-b", std::process::id());
        let others = ["orket-check-", "orket-check-x-y", "elsewhere"];
        for name in others
            .iter()
            .copied()
            .chain([dead.as_str(), alive.as_str()])
        {
            fs::create_dir_all(temporary.path().join(name).join("agent_output")).unwrap();
        }
        sweep(temporary.path());
        assert!(!temporary.path().join(&dead).exists());
        for name in others.iter().copied().chain([alive.as_str()]) {
            assert!(temporary.path().join(name).exists(), "{name}");
        }
    }
}
