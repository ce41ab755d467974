//! Whether the evidence of a card still holds: it names the bytes of the fixtures that judged and of the files that were
//! judged, so a change of either is seen, whoever made it and by whatever way.

use orket_cards::{Card, VerificationState};
use orket_kernel::canonical::Value;
use orket_kernel::{Digest, ReadError, StateView, Stem};
use orket_ports::Workspace;

use crate::error::RunError;
use crate::scope::{artifact_entry, read_value};

/// What is to be said of a card's evidence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EvidenceState {
    /// No check has run on the card.
    Absent,
    /// Fixtures and files are those of the verification.
    Holds,
    /// Something changed since; each change in a few words, sorted.
    Broken(Vec<String>),
}

/// Compares the evidence of a card with the fixtures and the artefacts as they are now.
///
/// # Errors
/// Fails if the state or a fixture cannot be read, or the evidence is malformed.
///
/// # Limitations
/// Only the files that the card promises are compared; a check may have looked at others as well.
pub fn check_evidence(
    view: &dyn StateView,
    workspace: &dyn Workspace,
    card: &Card,
) -> Result<EvidenceState, RunError> {
    let place = format!("evidence/{}", card.id);
    let corrupt = |reason: &str| ReadError::Corrupt {
        place: place.clone(),
        reason: reason.to_owned(),
    };
    if !card.has_evidence {
        return Ok(EvidenceState::Absent);
    }
    let stem = Stem::parse(&place).map_err(|error| corrupt(&error.to_string()))?;
    let record = view
        .triplet(&stem)?
        .ok_or_else(|| corrupt("the card names evidence that does not exist"))?;
    let body = read_value(view, &record.body_digest)?;
    let mut changes = Vec::new();
    let checks = body
        .pointer("/verification/checks")
        .and_then(Value::as_array);
    for check in checks.ok_or_else(|| corrupt("it names no checks"))? {
        let text = |name| check.get(name).and_then(Value::as_str);
        let (Some(fixture), Some(digest)) = (text("fixture"), text("fixture_digest")) else {
            return Err(corrupt("a check has no fixture or no digest").into());
        };
        match workspace.fixture(fixture)? {
            None => changes.push(format!("verification/{fixture} is gone")),
            Some(bytes) if Digest::of_bytes(&bytes).to_hex() != digest => {
                changes.push(format!("verification/{fixture} changed"));
            }
            Some(_) => {}
        }
    }
    let files = body.get("artifacts").and_then(Value::as_object);
    for (path, digest) in files.ok_or_else(|| corrupt("it names no files"))? {
        match artifact_entry(view, path)? {
            None => changes.push(format!("agent_output/{path} is gone")),
            Some((now, _)) if Some(now.to_hex().as_str()) != digest.as_str() => {
                changes.push(format!("agent_output/{path} changed"));
            }
            Some(_) => {}
        }
    }
    let passed = body
        .pointer("/verification/passed")
        .and_then(Value::as_bool);
    if card.verified == VerificationState::Passed && passed != Some(true) {
        changes.push("the card says that it passed, and the evidence does not".to_owned());
    }
    changes.sort();
    Ok(if changes.is_empty() {
        EvidenceState::Holds
    } else {
        EvidenceState::Broken(changes)
    })
}
