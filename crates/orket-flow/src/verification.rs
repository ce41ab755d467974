//! The verification of a card at the start of the guard's turn: run once, recorded, fed to a replay.

use std::collections::{BTreeMap, BTreeSet};

use orket_cards::{Card, Verification, VerificationState};
use orket_kernel::canonical::Value;
use orket_kernel::{Digest, ReadError, StateView, object};
use orket_ports::verifier::{ArtifactFile, Check, CheckOutcome, LeastTier, Verifier};
use orket_ports::{Refusal, Workspace};
use orket_secrets::Scrubber;

use crate::error::RunError;
use crate::play::Play;
use crate::scope::artifact_entry;
use crate::scrub;

/// The longest time one check may take, in seconds.
const CHECK_TIMEOUT_SECONDS: u64 = 30;

/// What the verification of a card said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Verified {
    /// The card defines no checks, for this reason.
    NoChecks(String),
    /// The outcome of the checks, as it is recorded.
    Checked {
        outcome: Value,
        passed: bool,
        /// What confined the checks; nothing in a replay.
        tiers: BTreeSet<String>,
    },
}

impl Verified {
    /// Returns the state for the board.
    pub(crate) fn state(&self) -> VerificationState {
        match self {
            Verified::NoChecks(_) => VerificationState::NoChecks,
            Verified::Checked { passed: true, .. } => VerificationState::Passed,
            Verified::Checked { passed: false, .. } => VerificationState::Failed,
        }
    }

    /// Returns what goes into the index as evidence.
    pub(crate) fn evidence(&self) -> Option<&Value> {
        match self {
            Verified::NoChecks(_) => None,
            Verified::Checked { outcome, .. } => Some(outcome),
        }
    }

    /// Returns what confined the checks.
    pub(crate) fn tiers(&self) -> BTreeSet<String> {
        match self {
            Verified::NoChecks(_) => BTreeSet::new(),
            Verified::Checked { tiers, .. } => tiers.clone(),
        }
    }

    /// Reads a recorded outcome.
    pub(crate) fn from_outcome(outcome: Value) -> Result<Verified, Refusal> {
        let passed = outcome.get("passed").and_then(Value::as_bool);
        match (outcome.get("kind").and_then(Value::as_str), passed) {
            (Some("verification"), Some(passed)) => Ok(Verified::Checked {
                outcome,
                passed,
                tiers: BTreeSet::new(),
            }),
            _ => Err(Refusal::forbidden(
                "not_recorded",
                "the record holds no verification here",
            )),
        }
    }
}

/// Runs the checks of a card over the artefacts of `view`.
///
/// # Errors
/// Fails if a fixture is missing or not the one that the command began with, or if the machine cannot confine the checks as much as the venue demands.
pub(crate) fn verify(
    play: &Play,
    card: &Card,
    view: &dyn StateView,
    workspace: &dyn Workspace,
    verifier: &dyn Verifier,
    scrubber: &Scrubber,
) -> Result<Verified, RunError> {
    let fixtures = match &card.verification {
        Verification::None(reason) => return Ok(Verified::NoChecks(reason.clone())),
        Verification::Checks(fixtures) => fixtures,
    };
    let files = materialize(view)?;
    let least = least_tier(play, &files);
    let mut checks = Vec::new();
    let mut passed = true;
    let mut tiers = BTreeSet::new();
    for fixture in fixtures {
        let script = workspace
            .fixture(fixture)?
            .ok_or_else(|| RunError::NoFixture {
                card: card.id.to_string(),
                fixture: fixture.clone(),
            })?;
        let digest = Digest::of_bytes(&script);
        if play
            .fixtures
            .get(fixture)
            .is_some_and(|begun| *begun != digest)
        {
            return Err(RunError::FixtureChanged {
                card: card.id.to_string(),
                fixture: fixture.clone(),
            });
        }
        let check = Check {
            fixture: fixture.clone(),
            script,
            timeout_seconds: CHECK_TIMEOUT_SECONDS,
        };
        let outcome = verifier
            .run(&check, &files, least)
            .map_err(|source| RunError::Verify {
                card: card.id.to_string(),
                source,
            })?;
        passed &= outcome.passed;
        checks.push(describe(&outcome, &digest));
        tiers.insert(outcome.tier);
    }
    let outcome = object! { "kind" => "verification", "passed" => passed, "checks" => checks };
    let outcome = scrub::value(scrubber, outcome);
    Ok(Verified::Checked {
        outcome,
        passed,
        tiers,
    })
}

fn describe(outcome: &CheckOutcome, digest: &Digest) -> Value {
    object! {
        "fixture" => outcome.fixture.as_str(),
        "fixture_digest" => digest.to_hex(),
        "passed" => outcome.passed,
        "ended" => outcome.ended.as_str(),
        "output" => outcome.output.as_str(),
    }
}

/// Returns all artefacts, as the checks see them.
fn materialize(view: &dyn StateView) -> Result<BTreeMap<String, ArtifactFile>, ReadError> {
    let mut files = BTreeMap::new();
    for stem in view.stems("artifact/")? {
        if let Some((digest, executable)) = artifact_entry(view, stem.name())? {
            let payload = view.payload(&digest)?.ok_or_else(|| ReadError::Corrupt {
                place: stem.to_string(),
                reason: "the content is not kept".into(),
            })?;
            files.insert(
                stem.name().to_owned(),
                ArtifactFile {
                    payload,
                    executable,
                },
            );
        }
    }
    Ok(files)
}

/// Returns the confinement that the venue demands. Where it accepts none, every artefact must be pinned by the epic:
/// nothing that an agent wrote runs unconfined on its own say-so.
fn least_tier(play: &Play, files: &BTreeMap<String, ArtifactFile>) -> LeastTier {
    let pinned = |(path, file): (&String, &ArtifactFile)| {
        let pins = play.epic.pins.get(path);
        pins.is_some_and(|pins| pins.contains(&file.payload.digest()))
    };
    if files.iter().all(pinned) {
        play.venue.least_tier
    } else {
        play.venue.least_tier.max(LeastTier::Partial)
    }
}
