//! Reconsidering: what another policy would have said to past calls.

use super::authorize::decide;
use super::{Decision, DecisionFault, Policy, ToolRequest};
use crate::canonical;

/// A past call that a policy would decide otherwise.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reconsidered {
    /// The place of the call in its turn, counted from 0.
    pub ordinal: u64,
    /// The call.
    pub request: ToolRequest,
    /// What was decided.
    pub was: Decision,
    /// What would be decided.
    pub would_be: Decision,
}

/// Says which past decision cannot be reconsidered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReconsiderError {
    /// The record is not one that the jail made.
    #[error("the decision on call {ordinal} cannot be relied on: {source}")]
    Decision {
        /// The place of the call in its turn.
        ordinal: u64,
        /// Why.
        #[source]
        source: DecisionFault,
    },
    /// The request is not the one that was decided.
    #[error("the decision on call {ordinal} is about another call: the recorded {what} differs")]
    Request {
        /// The place of the call in its turn.
        ordinal: u64,
        /// What differs.
        what: &'static str,
    },
}

/// Lists the past calls to which `policy` would give another verdict, in their order.
///
/// # Errors
/// Names the first decision that does not verify or is about another call than the one it is given with. Nothing is
/// told about the others then: a list with a gap would look like an answer.
pub fn reconsider(
    policy: &Policy,
    past: &[(ToolRequest, Decision)],
) -> Result<Vec<Reconsidered>, ReconsiderError> {
    let mut otherwise = Vec::new();
    for (request, was) in past {
        check(request, was)?;
        let would_be = decide(policy, was.run_id.as_ref(), was.ordinal, request);
        if would_be.verdict != was.verdict {
            otherwise.push(Reconsidered {
                ordinal: was.ordinal,
                request: request.clone(),
                was: was.clone(),
                would_be,
            });
        }
    }
    Ok(otherwise)
}

fn check(request: &ToolRequest, was: &Decision) -> Result<(), ReconsiderError> {
    let ordinal = was.ordinal;
    was.verify()
        .map_err(|source| ReconsiderError::Decision { ordinal, source })?;
    let facts = [
        ("role", request.role == was.role),
        ("task", request.task == was.task),
        ("tool", request.tool == was.tool),
        ("action", request.action == was.action),
        (
            "digest of the arguments",
            canonical::digest(&request.arguments) == was.arguments_digest,
        ),
    ];
    match facts.iter().find(|(_, is_same)| !is_same) {
        None => Ok(()),
        Some((what, _)) => Err(ReconsiderError::Request { ordinal, what }),
    }
}
