//! The run envelope: what is fixed at `start_run` and cannot change while the run goes on.

use crate::canonical::{self, Value};
use crate::capability::Policy;
use crate::{CONTRACT_VERSION, Digest, Profile, RunId};

/// What a run is and what it may do.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunEnvelope {
    /// [`CONTRACT_VERSION`].
    pub contract_version: String,
    /// The run.
    pub run_id: RunId,
    /// The workflow that the run executes, by name.
    pub workflow: String,
    /// The capability policy.
    pub policy: Policy,
    /// The vocabulary of triplets.
    pub profile: Profile,
    /// The model profile: the name of the venue.
    pub model_profile: String,
    /// How far the run sees; always `local_only`.
    pub visibility_mode: String,
    /// What becomes of staged turns when the run fails.
    pub evidence: EvidencePolicy,
    /// Everything else that the host fixes for the run, as canonical JSON.
    pub host: Value,
}

impl RunEnvelope {
    /// Returns the envelope of a run.
    pub fn new(
        run_id: RunId,
        workflow: impl Into<String>,
        model_profile: impl Into<String>,
        policy: Policy,
        profile: Profile,
        host: Value,
    ) -> RunEnvelope {
        RunEnvelope {
            contract_version: CONTRACT_VERSION.into(),
            run_id,
            workflow: workflow.into(),
            policy,
            profile,
            model_profile: model_profile.into(),
            visibility_mode: "local_only".into(),
            evidence: EvidencePolicy::Discard,
            host,
        }
    }

    /// Returns the canonical bytes of the envelope.
    ///
    /// # Errors
    /// Fails only if `host` cannot be written, which no [`Value`] can cause.
    pub fn to_bytes(&self) -> Result<Vec<u8>, canonical::SerializeError> {
        canonical::serialize(self)
    }

    /// Returns the handle that names this envelope.
    ///
    /// # Errors
    /// As [`RunEnvelope::to_bytes`].
    pub fn handle(&self) -> Result<RunHandle, canonical::SerializeError> {
        let envelope_digest = Digest::of_bytes(&self.to_bytes()?);
        Ok(RunHandle {
            run_id: self.run_id.clone(),
            envelope_digest,
        })
    }
}

/// What becomes of staged turns when the run fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EvidencePolicy {
    /// They are discarded.
    Discard,
    /// They stay in the staging area, for people to look at.
    Retain,
}

/// Names a run together with the digest of its envelope; one that does not match is refused (kernel decision 18).
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunHandle {
    /// The run.
    pub run_id: RunId,
    /// The digest of its envelope.
    pub envelope_digest: Digest,
}
