//! Turns: their ids, their input and their result (Law 2, Spec-003).

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use crate::canonical::{self, Value};
use crate::capability::ToolRequest;
use crate::issue::{KernelIssue, Stage};
use crate::{Digest, InvalidName, Payload, ReadSet, Stem};

/// The place of a turn in its run: `turn-0001`, strictly sequential, without an upper bound (Law 2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TurnId(u64);

impl TurnId {
    /// The first turn of every run.
    pub const FIRST: TurnId = TurnId(1);

    /// Returns the turn with this number, counted from 1; `None` for 0.
    pub fn new(number: u64) -> Option<TurnId> {
        (number > 0).then_some(TurnId(number))
    }

    /// Returns the number, counted from 1.
    pub fn number(self) -> u64 {
        self.0
    }

    /// Returns the turn after this one. After the last number there is none: it is its own successor, which Law 2 refuses
    /// as a repetition.
    #[must_use]
    pub fn next(self) -> TurnId {
        TurnId(self.0.saturating_add(1))
    }
}

impl fmt::Display for TurnId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "turn-{:04}", self.0)
    }
}

impl FromStr for TurnId {
    type Err = InvalidName;

    /// Takes `turn-0007`, `007` or `7`.
    fn from_str(text: &str) -> Result<TurnId, InvalidName> {
        let invalid = |reason| InvalidName {
            kind: "the turn id",
            text: text.chars().take(80).collect(),
            reason,
        };
        let digits = text.strip_prefix("turn-").unwrap_or(text);
        if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(invalid("it must be a number such as 7, 007 or turn-0007"));
        }
        let number: u64 = digits
            .parse()
            .map_err(|_| invalid("the number is too large"))?;
        TurnId::new(number).ok_or_else(|| invalid("turns are counted from 1"))
    }
}

impl serde::Serialize for TurnId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for TurnId {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <String as serde::Deserialize>::deserialize(deserializer)?;
        let id: TurnId = text.parse().map_err(serde::de::Error::custom)?;
        if id.to_string() == text {
            Ok(id)
        } else {
            Err(serde::de::Error::custom(format!(
                "{text:?} is not how a turn id is written"
            )))
        }
    }
}

/// Body, links and manifest of one stem, as a turn proposes them.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Triplet {
    /// The stem.
    pub stem: Stem,
    /// What the object is: an object with at least `dto_type` and `id`.
    pub body: Value,
    /// What it references: an object of slots.
    pub links: Value,
    /// How to read it: an object.
    pub manifest: Value,
}

/// A call that the host's gate refused: a path outside the writable space, a status that may not follow.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct GateRefusal {
    /// The place of the call in its turn, counted from 0; `None` if the turn as a whole was refused.
    pub call: Option<u64>,
    /// A stable word for the rule.
    pub reason: String,
    /// What was refused and why.
    pub message: String,
}

/// Everything that one turn proposes; a function of it and of the view decides.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct TurnInput {
    /// The id of the turn.
    pub turn_id: TurnId,
    /// Objects to add or replace.
    #[cfg_attr(feature = "schema", schemars(length(max = crate::limits::TRIPLETS_MAX)))]
    pub triplets: Vec<Triplet>,
    /// Stems to delete (Law 6); absence is never deletion.
    #[cfg_attr(feature = "schema", schemars(length(max = crate::limits::DELETIONS_MAX)))]
    pub deletions: Vec<Stem>,
    /// The tool calls of the turn, in order; each is decided again by the policy stage.
    #[cfg_attr(feature = "schema", schemars(length(max = crate::limits::TOOL_CALLS_MAX)))]
    pub tool_calls: Vec<ToolRequest>,
    /// Calls that the host's gate refused although the policy lists their tools.
    #[cfg_attr(feature = "schema", schemars(length(max = crate::limits::REFUSALS_MAX)))]
    pub refusals: Vec<GateRefusal>,
    /// Outcomes of work that is recorded and not re-executed, in order.
    #[cfg_attr(feature = "schema", schemars(length(max = crate::limits::OUTCOMES_MAX)))]
    pub outcomes: Vec<Value>,
    /// Raw bytes that bodies name by digest, each at most
    /// [`ATTACHMENT_LENGTH_MAX_BYTES`](crate::limits::ATTACHMENT_LENGTH_MAX_BYTES).
    #[serde(skip)]
    pub attachments: BTreeMap<Digest, Payload>,
    /// What the host read while it made the input; it counts as read by the turn.
    #[serde(skip)]
    pub reads: ReadSet,
}

impl TurnInput {
    /// Returns an input that changes nothing.
    pub fn empty(turn_id: TurnId) -> TurnInput {
        TurnInput {
            turn_id,
            triplets: Vec::new(),
            deletions: Vec::new(),
            tool_calls: Vec::new(),
            refusals: Vec::new(),
            outcomes: Vec::new(),
            attachments: BTreeMap::new(),
            reads: ReadSet::default(),
        }
    }
}

/// Whether a turn may be promoted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "UPPERCASE")]
pub enum Outcome {
    /// It may.
    Pass,
    /// It may not.
    Fail,
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Outcome::Pass => "PASS",
            Outcome::Fail => "FAIL",
        })
    }
}

/// The result of one turn: the eight fields of Spec-003.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct TurnResult {
    /// [`CONTRACT_VERSION`](crate::CONTRACT_VERSION).
    #[cfg_attr(feature = "schema", schemars(extend("const" = crate::CONTRACT_VERSION)))]
    pub contract_version: String,
    /// The run.
    pub run_id: String,
    /// The turn.
    pub turn_id: TurnId,
    /// Whether the turn may be promoted.
    pub outcome: Outcome,
    /// The first stage that failed, else `determinism`.
    pub stage: Stage,
    /// What was found, in the total order of issues.
    pub issues: Vec<KernelIssue>,
    /// What the decision rests on: digests of inputs, reads and writes, and what changed per stem.
    pub transition_evidence: Value,
    /// The same as event lines.
    pub events: Vec<String>,
}

impl TurnResult {
    /// Returns the structural digest: over the result with `run_id`, `events` and every `message` set to null
    /// (kernel decision 12). It says what happened, not who asked.
    pub fn structural_digest(&self) -> Digest {
        let issues: Vec<Value> = self
            .issues
            .iter()
            .map(|issue| {
                crate::object! {
                    "level" => issue.level.to_string(),
                    "stage" => issue.stage.as_str(),
                    "code" => issue.code.as_str(),
                    "location" => issue.location.as_str(),
                    "message" => Value::Null,
                    "details" => issue.details.clone(),
                }
            })
            .collect();
        canonical::digest(&crate::object! {
            "contract_version" => self.contract_version.as_str(),
            "run_id" => Value::Null,
            "turn_id" => self.turn_id.to_string(),
            "outcome" => self.outcome.to_string(),
            "stage" => self.stage.as_str(),
            "issues" => issues,
            "transition_evidence" => self.transition_evidence.clone(),
            "events" => Value::Null,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn law_2_turn_ids_are_written_one_way_and_read_in_three() {
        for text in ["7", "007", "turn-0007"] {
            assert_eq!(text.parse::<TurnId>().unwrap().to_string(), "turn-0007");
        }
        assert_eq!("12345".parse::<TurnId>().unwrap().to_string(), "turn-12345");
        for text in [
            "",
            "0",
            "turn-",
            "-1",
            "+1",
            "7 ",
            "turn-0000",
            "99999999999999999999999",
        ] {
            assert!(text.parse::<TurnId>().is_err(), "{text:?} was accepted");
        }
    }
}
