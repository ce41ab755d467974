//! The Verifier that runs checks in the sandbox.
//!
//! A check gets a private copy of all artefacts as its working directory and its own fixture, read-only, beside it.
//! What it changes in the copy is thrown away.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use orket_ports::Verifier;
use orket_ports::verifier::{ArtifactFile, Check, CheckOutcome, LeastTier, VerifyError};
use orket_secrets::Scrubber;

use crate::sandbox::{Job, Sandbox, SandboxError, Status};
use crate::scratch::{Scratch, fill};

/// How much of a check's output is kept, in bytes.
const OUTPUT_KEPT_BYTES: usize = 4096;

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
        let scratch = Scratch::new().map_err(|error| not_run(error.to_string()))?;
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
            .run(&job, least.into())
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
            Status::DiskLimit => "more files than allowed".to_owned(),
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
            tier: outcome.tier.to_string(),
        })
    }
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
}
