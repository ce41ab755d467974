//! Comparing a turn that was executed again with its record.

use crate::canonical;
use crate::{Digest, RunId, Stage, TurnId, TurnResult};

/// One place where two results of a turn differ.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Divergence {
    /// The turn.
    pub turn_id: TurnId,
    /// The stage that the difference belongs to.
    pub stage: Stage,
    /// The pointer into the result.
    pub location: String,
    /// What the record holds: canonical JSON, or for an issue its level, stage, code, location and details; `absent` if nothing.
    pub recorded: String,
    /// What came out now, in the same form.
    pub replayed: String,
}

/// Names the run that is to be replayed.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct RunDescriptor {
    /// The run.
    pub run_id: RunId,
    /// The digest of its envelope, if the caller pins it: then a run with another one is refused.
    #[serde(default)]
    pub envelope_digest: Option<Digest>,
}

/// Names every structural difference between a recorded and a replayed result, in a fixed order.
///
/// Empty means that the structural digests are equal; messages and events are narrative and are not compared.
pub fn compare_results(recorded: &TurnResult, replayed: &TurnResult) -> Vec<Divergence> {
    let mut divergences = Vec::new();
    let mut differ = |stage, location: String, one: String, two: String| {
        if one != two {
            divergences.push(Divergence {
                turn_id: recorded.turn_id,
                stage,
                location,
                recorded: one,
                replayed: two,
            });
        }
    };
    let quoted = |text: String| canonical::to_string(&text.into());
    differ(
        Stage::BaseShape,
        "/contract_version".into(),
        quoted(recorded.contract_version.clone()),
        quoted(replayed.contract_version.clone()),
    );
    differ(
        Stage::BaseShape,
        "/turn_id".into(),
        quoted(recorded.turn_id.to_string()),
        quoted(replayed.turn_id.to_string()),
    );
    differ(
        replayed.stage.min(recorded.stage),
        "/outcome".into(),
        quoted(recorded.outcome.to_string()),
        quoted(replayed.outcome.to_string()),
    );
    differ(
        replayed.stage.min(recorded.stage),
        "/stage".into(),
        quoted(recorded.stage.to_string()),
        quoted(replayed.stage.to_string()),
    );
    let count = recorded.issues.len().max(replayed.issues.len());
    for index in 0..count {
        let (one, two) = (recorded.issues.get(index), replayed.issues.get(index));
        let text = |issue: Option<&crate::KernelIssue>| {
            issue.map_or("absent".to_owned(), |issue| {
                format!(
                    "{} {} {} {} {}",
                    issue.level,
                    issue.stage,
                    issue.code,
                    issue.location,
                    canonical::to_string(&issue.details)
                )
            })
        };
        let stage = one.or(two).map_or(Stage::Determinism, |issue| issue.stage);
        differ(stage, format!("/issues/{index}"), text(one), text(two));
    }
    for key in ["inputs_digest", "reads_digest", "writes_digest", "changes"] {
        let text = |result: &TurnResult| {
            result
                .transition_evidence
                .get(key)
                .map_or("absent".to_owned(), canonical::to_string)
        };
        differ(
            Stage::Determinism,
            format!("/transition_evidence/{key}"),
            text(recorded),
            text(replayed),
        );
    }
    // Whatever else the digest covers must not slip through this list.
    if divergences.is_empty() && recorded.structural_digest() != replayed.structural_digest() {
        divergences.push(Divergence {
            turn_id: recorded.turn_id,
            stage: Stage::Determinism,
            location: "/transition_evidence".into(),
            recorded: canonical::to_string(&recorded.transition_evidence),
            replayed: canonical::to_string(&replayed.transition_evidence),
        });
    }
    divergences
}
