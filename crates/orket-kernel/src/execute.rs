//! `execute_turn`: one deterministic turn, from proposal to verdict (kernel API §2.1).

use std::collections::{BTreeMap, BTreeSet};

use crate::canonical::{self, Value};
use crate::capability::{self, Decision};
use crate::issue::{KernelIssue, Stage};
use crate::pipeline::{self, Turn};
use crate::{
    CONTRACT_VERSION, Code, Digest, LSI_VERSION, Outcome, Payload, Pointer, ReadError, ReadSet,
    RecordingView, RefSource, RunEnvelope, RunHandle, StateView, Stem, TripletRecord, TurnId,
    TurnInput, TurnResult, event, object,
};

/// One object as a turn staged it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StagedTriplet {
    /// Its record.
    pub record: TripletRecord,
    /// The id that its body defines.
    pub id: String,
    /// The ids it references, each with the place of the reference; sorted.
    pub references: Vec<(String, RefSource)>,
}

/// What a turn that passed wants to change. It has changed nothing yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StagedTurn {
    /// The run.
    pub run_id: crate::RunId,
    /// The turn.
    pub turn_id: TurnId,
    /// Objects to add or replace.
    pub triplets: BTreeMap<Stem, StagedTriplet>,
    /// Stems to delete; a stem that is also in `triplets` ends up staged (kernel decision 8).
    pub deletions: BTreeSet<Stem>,
    /// The bytes of every object that the triplets name.
    pub objects: BTreeMap<Digest, Payload>,
}

impl StagedTurn {
    /// Tells whether the turn changes or deletes `stem`.
    pub fn touches(&self, stem: &Stem) -> bool {
        self.triplets.contains_key(stem) || self.deletions.contains(stem)
    }

    /// Returns the stem of this turn that defines `id`.
    pub fn defining_stem(&self, id: &str) -> Option<&Stem> {
        self.triplets
            .iter()
            .find(|(_, staged)| staged.id == id)
            .map(|(stem, _)| stem)
    }

    /// Tells whether the turn changes nothing.
    pub fn is_empty(&self) -> bool {
        self.triplets.is_empty() && self.deletions.is_empty()
    }
}

/// Everything that comes out of one turn; effects are data.
#[derive(Clone, Debug)]
pub struct TurnExecution {
    /// The result.
    pub result: TurnResult,
    /// What to promote; `None` if the turn failed.
    pub staged: Option<StagedTurn>,
    /// What the turn read, misses included.
    pub reads: ReadSet,
    /// One audit record per tool call.
    pub decisions: Vec<Decision>,
}

/// Executes one turn: runs the five stages over `input` and says what would change.
///
/// The function is given a view that cannot write (Law 1) and does nothing else than compute: the same envelope,
/// input and view give the same execution. Trouble is an issue of the result, never a panic.
pub fn execute_turn(
    envelope: &RunEnvelope,
    handle: &RunHandle,
    input: &TurnInput,
    view: &dyn StateView,
) -> TurnExecution {
    execute_with(envelope, handle, input, view, None)
}

/// As [`execute_turn`]; a refusal that the caller found before any stage ran fails the turn.
pub(crate) fn execute_with(
    envelope: &RunEnvelope,
    handle: &RunHandle,
    input: &TurnInput,
    view: &dyn StateView,
    refusal: Option<KernelIssue>,
) -> TurnExecution {
    let recording = RecordingView::new(view);
    let decisions: Vec<Decision> = input
        .tool_calls
        .iter()
        .zip(0..)
        .map(|(request, ordinal)| {
            capability::authorize(&envelope.policy, &envelope.run_id, ordinal, request)
        })
        .collect();
    let turn = Turn {
        envelope,
        input,
        decisions: &decisions,
        view: &recording,
    };
    let mut issues = check_handle(envelope, handle);
    issues.extend(refusal);
    if issues.is_empty() {
        issues = pipeline::run(&turn);
    }
    let passes = !issues.iter().any(KernelIssue::is_failure);
    let mut staged = passes.then(|| stage(envelope, input));
    let changed = staged
        .as_ref()
        .map_or_else(|| Ok(Vec::new()), |staged| changes(staged, &recording));
    let changes = changed.unwrap_or_else(|error| {
        // What cannot be read is a failure, never an absence.
        issues.push(pipeline::unreadable(Pointer::root(), &error));
        staged = None;
        Vec::new()
    });
    crate::issue::sort(&mut issues);
    let first_failure = issues
        .iter()
        .filter(|issue| issue.is_failure())
        .map(|issue| issue.stage)
        .min();
    let mut reads = input.reads.clone();
    reads.extend(recording.into_reads());
    let result = TurnResult {
        contract_version: CONTRACT_VERSION.into(),
        run_id: envelope.run_id.to_string(),
        turn_id: input.turn_id,
        outcome: if first_failure.is_none() {
            Outcome::Pass
        } else {
            Outcome::Fail
        },
        stage: first_failure.unwrap_or(Stage::Determinism),
        events: issues.iter().map(event::format).collect(),
        issues,
        transition_evidence: object! {
            "inputs_digest" => inputs_digest(input, &decisions).to_hex(),
            "reads_digest" => reads.digest().to_hex(),
            "writes_digest" => writes_digest(staged.as_ref()).to_hex(),
            "changes" => changes,
        },
    };
    TurnExecution {
        result,
        staged,
        reads,
        decisions,
    }
}

fn check_handle(envelope: &RunEnvelope, handle: &RunHandle) -> Vec<KernelIssue> {
    let matches = envelope.handle().is_ok_and(|own| own == *handle);
    if matches {
        return Vec::new();
    }
    vec![KernelIssue::new(
        Stage::BaseShape,
        Code::BaseShapeInvalid,
        Pointer::root(),
        "the run handle does not match the envelope of the run",
        event::details([("reason", Value::from("handle_mismatch"))]),
    )]
}

fn stage(envelope: &RunEnvelope, input: &TurnInput) -> StagedTurn {
    let mut staged = StagedTurn {
        run_id: envelope.run_id.clone(),
        turn_id: input.turn_id,
        triplets: BTreeMap::new(),
        deletions: input.deletions.iter().cloned().collect(),
        objects: input.attachments.clone(),
    };
    for triplet in &input.triplets {
        let mut keep = |value: &Value| {
            let bytes = canonical::to_bytes(value);
            let digest = Digest::of_bytes(&bytes);
            staged.objects.insert(digest, bytes.into());
            digest
        };
        let record = TripletRecord {
            stem: triplet.stem.clone(),
            body_digest: keep(&triplet.body),
            links_digest: keep(&triplet.links),
            manifest_digest: keep(&triplet.manifest),
            updated_at_turn: input.turn_id,
            lsi_version: LSI_VERSION.into(),
        };
        let references = references_of(&triplet.stem, &triplet.links, record.links_digest);
        let id = triplet
            .body
            .get("id")
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned();
        staged.triplets.insert(
            triplet.stem.clone(),
            StagedTriplet {
                record,
                id,
                references,
            },
        );
    }
    staged
}

/// Lists what a links object references: each id with the place of the reference, sorted. `links_digest` is the digest
/// of the links object.
pub fn references_of(stem: &Stem, links: &Value, links_digest: Digest) -> Vec<(String, RefSource)> {
    let mut references: Vec<(String, RefSource)> = pipeline::references(links)
        .map(|reference| {
            let source = RefSource {
                stem: stem.clone(),
                location: reference.place(&Pointer::root()).to_string(),
                relationship: reference.relationship().to_owned(),
                artifact_digest: links_digest,
            };
            (reference.id().to_owned(), source)
        })
        .collect();
    references.sort();
    references
}

/// Digests what the turn was given: proposals, calls, decisions and recorded outcomes (kernel decision 11).
fn inputs_digest(input: &TurnInput, decisions: &[Decision]) -> Digest {
    let triplets: Vec<Value> = input
        .triplets
        .iter()
        .map(|triplet| {
            object! {
                "stem" => triplet.stem.as_str(),
                "body" => triplet.body.clone(),
                "links" => triplet.links.clone(),
                "manifest" => triplet.manifest.clone(),
            }
        })
        .collect();
    let deletions: Vec<Value> = input
        .deletions
        .iter()
        .map(|s| Value::from(s.as_str()))
        .collect();
    let calls: Vec<Value> = input
        .tool_calls
        .iter()
        .map(|call| {
            object! {
                "role" => call.role.as_str(),
                "task" => call.task.as_str(),
                "tool" => call.tool.as_str(),
                "action" => call.action.as_str(),
                "arguments" => call.arguments.clone(),
            }
        })
        .collect();
    let decisions: Vec<Value> = decisions
        .iter()
        .map(|decision| Value::from(decision.decision_id.to_hex()))
        .collect();
    let refusals: Vec<Value> = input
        .refusals
        .iter()
        .map(|refusal| object! { "call" => refusal.call, "reason" => refusal.reason.as_str() })
        .collect();
    canonical::digest(&object! {
        "triplets" => triplets,
        "deletions" => deletions,
        "tool_calls" => calls,
        "refusals" => refusals,
        "decisions" => decisions,
        "outcomes" => input.outcomes.clone(),
    })
}

fn writes_digest(staged: Option<&StagedTurn>) -> Digest {
    let Some(staged) = staged else {
        return canonical::digest(&Value::Null);
    };
    let triplets: BTreeMap<String, Value> = staged
        .triplets
        .iter()
        .map(|(stem, staged)| (stem.to_string(), record_digests(&staged.record)))
        .collect();
    let deletions: Vec<Value> = staged
        .deletions
        .iter()
        .map(|s| Value::from(s.as_str()))
        .collect();
    canonical::digest(&object! { "triplets" => triplets, "deletions" => deletions })
}

pub(crate) fn record_digests(record: &TripletRecord) -> Value {
    object! {
        "body" => record.body_digest.to_hex(),
        "links" => record.links_digest.to_hex(),
        "manifest" => record.manifest_digest.to_hex(),
    }
}

/// Says per stem what was added, changed or deleted; a stem staged with its old content is not listed.
fn changes(staged: &StagedTurn, view: &dyn StateView) -> Result<Vec<Value>, ReadError> {
    let mut changes = BTreeMap::new();
    for stem in &staged.deletions {
        changes.insert(stem.clone(), "deleted");
    }
    for (stem, staged) in &staged.triplets {
        match view.triplet(stem)? {
            None => {
                changes.insert(stem.clone(), "added");
            }
            Some(before) if record_digests(&before) == record_digests(&staged.record) => {
                changes.remove(stem);
            }
            Some(_) => {
                changes.insert(stem.clone(), "changed");
            }
        }
    }
    let told = changes.into_iter();
    Ok(told
        .map(|(stem, change)| object! { "stem" => stem.as_str(), "change" => change })
        .collect())
}
