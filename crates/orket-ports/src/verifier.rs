//! The Verifier: runs a card's checks over its artefacts, confined.

use std::collections::BTreeMap;

use orket_kernel::Payload;

/// One check: a fixture that is run beside a private copy of the artefacts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// The fixture's path below `verification/`.
    pub fixture: String,
    /// The fixture's bytes, read once and pinned by digest.
    pub script: Vec<u8>,
    /// The deadline in seconds.
    pub timeout_seconds: u64,
}

/// An artefact as the check sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArtifactFile {
    /// Its bytes.
    pub payload: Payload,
    /// Whether it can be executed.
    pub executable: bool,
}

/// The least confinement that is accepted.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum LeastTier {
    /// Run even unconfined; only where the project pins what is run.
    None,
    /// Some means of confinement may be missing.
    Partial,
    /// Everything must be in force.
    Full,
}

/// How one check ended.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CheckOutcome {
    /// The fixture's path below `verification/`.
    pub fixture: String,
    /// Whether it passed.
    pub passed: bool,
    /// How it ended: `exit 0`, `signal 9`, `timeout`, `output limit`.
    pub ended: String,
    /// The end of what it printed, cut to 4 KiB, with invalid UTF-8 replaced.
    pub output: String,
    /// What confined it, in words: `full`, `partial (…)`, `none (…)`. Part of the record, and of no digest: a check says the
    /// same wherever it runs.
    pub tier: String,
}

/// Says why a check could not be run at all.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// The machine cannot confine the check as much as the venue demands.
    #[error("the sandbox reaches only the tier {reached}, and {required} is required")]
    TierTooLow {
        /// What the machine reaches.
        reached: String,
        /// What is required.
        required: String,
    },
    /// The check could not be started.
    #[error("the check {fixture} could not be run: {reason}")]
    NotRun {
        /// The fixture.
        fixture: String,
        /// Why.
        reason: String,
    },
}

/// Runs checks.
pub trait Verifier: Send + Sync {
    /// Returns the tier that this machine reaches, in words: `full`, `partial (…)`, `none (…)`.
    fn tier(&self) -> String;

    /// Runs one check over private copies of `files` (paths below `agent_output/`).
    ///
    /// # Errors
    /// Fails if the check cannot be run as confined as `least` demands; a failing check is an outcome, not an error.
    fn run(
        &self,
        check: &Check,
        files: &BTreeMap<String, ArtifactFile>,
        least: LeastTier,
    ) -> Result<CheckOutcome, VerifyError>;
}
