//! Traces: what is kept of a turn so that it can be executed again, and artifacts that a host keeps beside it.

use std::collections::BTreeMap;

use crate::canonical::{self, Value};
use crate::capability::Decision;
use crate::{
    CONTRACT_VERSION, Digest, Divergence, Payload, ReadSet, RecordedView, RunEnvelope, RunHandle,
    Stage, TurnExecution, TurnInput, TurnResult, compare_results, execute_turn,
};

/// The version that every turn trace carries.
pub const TURN_TRACE_VERSION: &str = "turn_trace/v1";
/// The version that every trace artifact carries.
pub const TRACE_ARTIFACT_VERSION: &str = "trace_artifact/v1";

const NAME_LENGTH_MAX_BYTES: usize = 128;

/// Everything that is needed to execute a turn again without the host: its input, what was read, and what came out.
///
/// Objects are named by digest; the store keeps their bytes.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct TurnTrace {
    /// [`TURN_TRACE_VERSION`].
    #[cfg_attr(feature = "schema", schemars(extend("const" = TURN_TRACE_VERSION)))]
    pub trace_version: String,
    /// The run, and the envelope under which the turn was executed.
    pub run_handle: RunHandle,
    /// What the turn proposed.
    pub turn_input: TurnInput,
    /// The digests of the raw bytes that came with it.
    pub attachments: Vec<Digest>,
    /// What the host read while it made the input.
    pub host_reads: ReadSet,
    /// Everything that was read, misses included.
    pub reads: ReadSet,
    /// One audit record per tool call.
    pub decisions: Vec<Decision>,
    /// What came out.
    pub result: TurnResult,
    /// The structural digest of the result.
    pub result_digest: Digest,
}

/// Says why a text is not a trace that can be trusted.
#[derive(Debug, thiserror::Error)]
pub enum TraceError {
    /// It is not the canonical JSON of a trace.
    #[error("it is no turn trace: {reason}")]
    Malformed {
        /// What is wrong.
        reason: String,
    },
    /// It contradicts itself.
    #[error("it contradicts itself: {reason}")]
    Contradiction {
        /// Which two parts do not agree.
        reason: &'static str,
    },
}

impl TurnTrace {
    /// Returns the trace of an execution.
    pub fn new(handle: &RunHandle, input: &TurnInput, execution: &TurnExecution) -> TurnTrace {
        TurnTrace {
            trace_version: TURN_TRACE_VERSION.to_owned(),
            run_handle: handle.clone(),
            turn_input: TurnInput {
                attachments: BTreeMap::new(),
                reads: ReadSet::default(),
                ..input.clone()
            },
            attachments: input.attachments.keys().copied().collect(),
            host_reads: input.reads.clone(),
            reads: execution.reads.clone(),
            decisions: execution.decisions.clone(),
            result: execution.result.clone(),
            result_digest: execution.result.structural_digest(),
        }
    }

    /// Returns the canonical bytes of the trace.
    ///
    /// # Errors
    /// Fails only if a value cannot be written, which no trace can cause.
    pub fn to_bytes(&self) -> Result<Vec<u8>, canonical::SerializeError> {
        canonical::serialize(self)
    }

    /// Reads a trace back.
    ///
    /// # Errors
    /// Refuses what is malformed or contradicts itself: it is never equal to anything.
    pub fn parse(bytes: &[u8]) -> Result<TurnTrace, TraceError> {
        let trace: TurnTrace =
            canonical::from_bytes(bytes).map_err(|error| TraceError::Malformed {
                reason: error.to_string(),
            })?;
        if trace.trace_version != TURN_TRACE_VERSION {
            return Err(TraceError::Malformed {
                reason: format!("the version {:?} is not known", trace.trace_version),
            });
        }
        // A member that is left out and has a default, or another spelling, is not what was written.
        if trace.to_bytes().ok().as_deref() != Some(bytes) {
            return Err(TraceError::Malformed {
                reason: "it is not written as a trace is".to_owned(),
            });
        }
        let contradiction = |reason| Err(TraceError::Contradiction { reason });
        if trace.result.contract_version != CONTRACT_VERSION {
            return contradiction("the result is of another contract version");
        }
        if trace.result.run_id != trace.run_handle.run_id.as_str() {
            return contradiction("the result is of another run");
        }
        if trace.result.turn_id != trace.turn_input.turn_id {
            return contradiction("the result is of another turn");
        }
        if trace.result.structural_digest() != trace.result_digest {
            return contradiction("the result does not match its digest");
        }
        Ok(trace)
    }

    /// Returns the digests of all objects that a replay needs.
    pub fn objects(&self) -> Vec<Digest> {
        let mut digests = self.reads.objects();
        digests.extend(&self.attachments);
        digests.sort();
        digests.dedup();
        digests
    }

    /// Returns the input as it was executed, with the attachments that `objects` holds.
    pub(crate) fn input(&self, objects: &BTreeMap<Digest, Payload>) -> TurnInput {
        let attached = self.attachments.iter().filter_map(|digest| {
            let payload = objects.get(digest)?;
            Some((*digest, payload.clone()))
        });
        TurnInput {
            attachments: attached.collect(),
            reads: self.host_reads.clone(),
            ..self.turn_input.clone()
        }
    }

    /// Executes the turn again over what it read then, and names every structural difference: of the result, and of what
    /// the trace keeps beside it (`/attachments`, `/decisions`, `/reads`, each told by its digest).
    ///
    /// `objects` holds the payloads of [`TurnTrace::objects`]; one that is missing makes the replay fail, it is never taken
    /// for absent.
    pub fn replay(
        &self,
        envelope: &RunEnvelope,
        objects: &BTreeMap<Digest, Payload>,
    ) -> (TurnExecution, Vec<Divergence>) {
        let view = RecordedView::new(&self.reads, objects);
        let input = self.input(objects);
        let execution = execute_turn(envelope, &self.run_handle, &input, &view);
        let mut divergences = compare_results(&self.result, &execution.result);
        let again = TurnTrace::new(&self.run_handle, &input, &execution);
        let kept = self.kept().into_iter().zip(again.kept());
        divergences.extend(
            kept.filter(|((_, recorded), (_, replayed))| recorded != replayed)
                .map(|((location, recorded), (_, replayed))| Divergence {
                    turn_id: self.turn_input.turn_id,
                    stage: Stage::Determinism,
                    location: location.to_owned(),
                    recorded,
                    replayed,
                }),
        );
        (execution, divergences)
    }

    /// Returns what is kept beside the result and comes out of the execution, each part by its digest as canonical JSON.
    fn kept(&self) -> [(&'static str, String); 3] {
        fn digest(part: &impl serde::Serialize) -> String {
            let digest = canonical::digest_of(part).map(|digest| digest.to_hex());
            canonical::to_string(&digest.unwrap_or_default().into())
        }
        [
            ("/attachments", digest(&self.attachments)),
            ("/decisions", digest(&self.decisions)),
            ("/reads", digest(&self.reads)),
        ]
    }
}

/// What a host wants to keep beside the turns of a run: canonical JSON under a name.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct TraceArtifact {
    /// The name: letters, digits, `.`, `_` and `-`, at most 128 bytes, beginning with a letter or digit.
    #[cfg_attr(
        feature = "schema",
        schemars(pattern("^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$"))
    )]
    pub name: String,
    /// What the content is, with its version: `prompt/v1`, say.
    #[cfg_attr(feature = "schema", schemars(pattern("/v[0-9.]+$")))]
    pub schema: String,
    /// The content.
    pub content: Value,
}

impl TraceArtifact {
    /// Returns the canonical bytes under which the artifact is kept: with the versions and the run that it belongs to.
    pub(crate) fn to_bytes(&self, handle: &RunHandle) -> Vec<u8> {
        canonical::to_bytes(&crate::object! {
            "artifact_version" => TRACE_ARTIFACT_VERSION,
            "contract_version" => CONTRACT_VERSION,
            "run_id" => handle.run_id.as_str(),
            "envelope_digest" => handle.envelope_digest.to_hex(),
            "name" => self.name.as_str(),
            "schema" => self.schema.as_str(),
            "content" => self.content.clone(),
        })
    }

    /// Tells what is wrong with the names of the artifact, if anything is.
    pub(crate) fn fault(&self) -> Option<(&'static str, &'static str)> {
        let mut bytes = self.name.bytes();
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
        if self.name.len() > NAME_LENGTH_MAX_BYTES
            || !bytes
                .next()
                .is_some_and(|byte| byte.is_ascii_alphanumeric())
            || !bytes.all(is_plain)
        {
            return Some((
                "name",
                "the name must be 1 to 128 letters, digits, '.', '_' and '-'",
            ));
        }
        let version = self.schema.rsplit_once("/v").map(|(_, version)| version);
        let is_version = |text: &str| {
            !text.is_empty()
                && text
                    .bytes()
                    .all(|byte| byte.is_ascii_digit() || byte == b'.')
        };
        if !version.is_some_and(is_version) {
            return Some((
                "schema",
                "the schema must name its version, as in prompt/v1",
            ));
        }
        None
    }
}
