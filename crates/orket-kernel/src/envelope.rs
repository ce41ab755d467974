//! The run envelope: what is fixed at `start_run` and cannot change while the run goes on.

use crate::canonical::{self, Value};
use crate::capability::Policy;
use crate::{
    CONTRACT_VERSION, Code, Digest, KernelIssue, Plugin, Plugins, Pointer, Profile, RunId, Stage,
    event,
};

/// How far a run sees.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum VisibilityMode {
    /// Only what the index on this machine holds. There is no other mode.
    #[default]
    LocalOnly,
}

/// What `finish_run` does with the staging of a run that failed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum EvidencePolicy {
    /// It discards what was staged.
    #[default]
    Discard,
    /// It keeps what was staged, as evidence; nothing of it is promoted.
    Retain,
}

/// What a run is and what it may do.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct RunEnvelope {
    /// [`CONTRACT_VERSION`].
    #[cfg_attr(feature = "schema", schemars(extend("const" = CONTRACT_VERSION)))]
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
    /// How far the run sees.
    pub visibility_mode: VisibilityMode,
    /// The plugins that the run may use; any other is refused.
    pub plugins: Plugins,
    /// What becomes of the staging if the run fails.
    pub evidence: EvidencePolicy,
    /// Everything else that the host fixes for the run, as canonical JSON.
    pub host: Value,
}

impl RunEnvelope {
    /// Returns the envelope of a run that may use no plugin and discards its staging if it fails.
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
            visibility_mode: VisibilityMode::LocalOnly,
            plugins: Plugins::default(),
            evidence: EvidencePolicy::Discard,
            host,
        }
    }

    /// Lets the run use these plugins and no others.
    #[must_use]
    pub fn with_plugins(self, plugins: Plugins) -> RunEnvelope {
        RunEnvelope { plugins, ..self }
    }

    /// Says what becomes of the staging if the run fails.
    #[must_use]
    pub fn with_evidence(self, evidence: EvidencePolicy) -> RunEnvelope {
        RunEnvelope { evidence, ..self }
    }

    /// Tells whether the run may use a plugin: it is listed with exactly this version and digest.
    ///
    /// # Errors
    /// The issue that refuses it: `E_CAPABILITY_DENIED` of the stage `policy`, with the reason `plugin`.
    ///
    /// # Limitations
    /// The kernel compares what the host says about the plugin; that the digest is that of what runs is the host's to prove.
    ///
    /// ```
    /// use orket_kernel::capability::Policy;
    /// use orket_kernel::{Digest, Plugin, Plugins, Profile, RunEnvelope, RunId, object};
    ///
    /// let linter = Plugin::new("linter", "1.2.0", Digest::of_bytes(b"the linter"))?;
    /// let changed = Plugin::new("linter", "1.2.0", Digest::of_bytes(b"another linter"))?;
    /// let envelope = RunEnvelope::new(
    ///     RunId::parse("run-1")?, "flow", "venue", Policy::deny_all(), Profile::orket(), object! {},
    /// );
    /// assert!(envelope.admits(&linter).is_err());
    /// let envelope = envelope.with_plugins(Plugins::new([linter.clone()])?);
    /// assert!(envelope.admits(&linter).is_ok());
    /// assert!(envelope.admits(&changed).is_err());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn admits(&self, plugin: &Plugin) -> Result<(), KernelIssue> {
        let differs = match self.plugins.get(plugin.id()) {
            Some(listed) if listed == plugin => return Ok(()),
            Some(listed) if listed.version() != plugin.version() => "in this version",
            Some(_) => "with this digest",
            None => "at all",
        };
        Err(KernelIssue::new(
            Stage::Policy,
            Code::CapabilityDenied,
            Pointer::root(),
            format!(
                "the run does not list the plugin {} {} {differs}",
                plugin.id(),
                plugin.version()
            ),
            event::details([
                ("reason", "plugin".into()),
                ("id", plugin.id().into()),
                ("version", plugin.version().into()),
                ("digest", plugin.digest().to_hex().into()),
            ]),
        ))
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

/// Names a run together with the digest of its envelope; one that does not match is refused (kernel decision 18).
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct RunHandle {
    /// The run.
    pub run_id: RunId,
    /// The digest of its envelope.
    pub envelope_digest: Digest,
}
