//! What a run came to, as it is recorded: the results of its turns and the state that they reached.

use crate::issue::{self, KernelIssue, Stage};
use crate::{CONTRACT_VERSION, Digest, Outcome, TurnId, TurnResult};

/// The results of a run and the state digest after its last turn.
///
/// It holds at least one turn, its turns are numbered from 1 without a gap, and each result agrees with itself: what is
/// empty or malformed cannot be made, so that it cannot be equal to anything (kernel decision 19).
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(try_from = "Wire", into = "Wire")]
#[cfg_attr(feature = "schema", schemars(with = "Wire"))]
pub struct RecordedRun {
    turns: Vec<TurnResult>,
    state_digest: Digest,
}

#[derive(serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
struct Wire {
    #[cfg_attr(feature = "schema", schemars(extend("const" = CONTRACT_VERSION)))]
    contract_version: String,
    #[cfg_attr(feature = "schema", schemars(length(min = 1)))]
    turns: Vec<TurnResult>,
    state_digest: Digest,
}

/// Says why something is not the record of a run.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MalformedRun {
    /// It has no turn; nothing is equal to nothing.
    #[error("the run has no turn")]
    Empty,
    /// It speaks another version of the contract.
    #[error("the contract version {found:?} is not supported; it must be {CONTRACT_VERSION:?}")]
    Version {
        /// The version that was found.
        found: String,
    },
    /// A turn is missing or stands twice.
    #[error("{found} stands where {expected} should come")]
    Order {
        /// The turn that should come.
        expected: TurnId,
        /// The turn that stands there.
        found: TurnId,
    },
    /// The results are of more than one run.
    #[error("{turn_id} is of the run {found:?}, the turns before it are of {expected:?}")]
    Mixed {
        /// The turn.
        turn_id: TurnId,
        /// The run of the first turn.
        expected: String,
        /// The run of this turn.
        found: String,
    },
    /// A result does not agree with itself.
    #[error("the result of {turn_id} contradicts itself: {reason}")]
    Contradiction {
        /// The turn.
        turn_id: TurnId,
        /// Which two parts do not agree.
        reason: &'static str,
    },
}

impl RecordedRun {
    /// Takes the results of the turns of a run, in order, and the state digest after the last of them.
    ///
    /// # Errors
    /// Refuses what is empty or malformed.
    pub fn new(turns: Vec<TurnResult>, state_digest: Digest) -> Result<RecordedRun, MalformedRun> {
        let mut expected = TurnId::FIRST;
        let run_id = turns.first().ok_or(MalformedRun::Empty)?.run_id.clone();
        for turn in &turns {
            if turn.contract_version != CONTRACT_VERSION {
                return Err(MalformedRun::Version {
                    found: turn.contract_version.clone(),
                });
            }
            if turn.turn_id != expected {
                return Err(MalformedRun::Order {
                    expected,
                    found: turn.turn_id,
                });
            }
            if turn.run_id != run_id {
                return Err(MalformedRun::Mixed {
                    turn_id: turn.turn_id,
                    expected: run_id,
                    found: turn.run_id.clone(),
                });
            }
            if let Some(reason) = contradiction(turn) {
                return Err(MalformedRun::Contradiction {
                    turn_id: turn.turn_id,
                    reason,
                });
            }
            expected = expected.next();
        }
        Ok(RecordedRun {
            turns,
            state_digest,
        })
    }

    /// Returns the results, in order.
    pub fn turns(&self) -> &[TurnResult] {
        &self.turns
    }

    /// Returns the state digest after the last turn.
    pub fn state_digest(&self) -> Digest {
        self.state_digest
    }

    /// Returns the last turn.
    pub fn last_turn(&self) -> TurnId {
        self.turns.last().map_or(TurnId::FIRST, |turn| turn.turn_id)
    }
}

/// Tells which parts of a result do not agree: outcome and stage follow from the issues, and these stand in their order.
fn contradiction(result: &TurnResult) -> Option<&'static str> {
    let mut sorted = result.issues.clone();
    issue::sort(&mut sorted);
    if sorted != result.issues {
        return Some("its issues do not stand in their order");
    }
    let failures = result.issues.iter().filter(|issue| issue.is_failure());
    let first = failures.map(|issue: &KernelIssue| issue.stage).min();
    if (result.outcome == Outcome::Fail) != first.is_some() {
        return Some("its outcome does not follow from its issues");
    }
    (result.stage != first.unwrap_or(Stage::Determinism))
        .then_some("its stage does not follow from its issues")
}

impl TryFrom<Wire> for RecordedRun {
    type Error = MalformedRun;

    fn try_from(wire: Wire) -> Result<RecordedRun, MalformedRun> {
        if wire.contract_version != CONTRACT_VERSION {
            return Err(MalformedRun::Version {
                found: wire.contract_version,
            });
        }
        RecordedRun::new(wire.turns, wire.state_digest)
    }
}

impl From<RecordedRun> for Wire {
    fn from(run: RecordedRun) -> Wire {
        Wire {
            contract_version: CONTRACT_VERSION.to_owned(),
            turns: run.turns,
            state_digest: run.state_digest,
        }
    }
}
