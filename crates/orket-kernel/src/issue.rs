//! Issues: what the pipeline has to say about a turn (Spec-003).

use std::cmp::Ordering;
use std::fmt;

use crate::canonical::{self, Value};
use crate::{Code, Pointer};

/// How grave an issue is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "UPPERCASE")]
pub enum Level {
    /// The turn cannot be promoted.
    Fail,
    /// The turn can be promoted; this is worth knowing.
    Info,
}

/// A stage of the fixed pipeline, in its order (kernel decision 3).
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize,
)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// The input has the shape that the contract demands.
    BaseShape,
    /// Links fit their slots and name visible ids.
    DtoLinks,
    /// Relationship labels are known and fit their ends.
    RelVocab,
    /// Every action was allowed by the policy of the run.
    Policy,
    /// What is declared to be ordered is ordered; promotion and replay agree.
    Determinism,
}

impl Stage {
    /// Lists the stages in pipeline order.
    pub const ALL: [Stage; 5] = [
        Stage::BaseShape,
        Stage::DtoLinks,
        Stage::RelVocab,
        Stage::Policy,
        Stage::Determinism,
    ];

    /// Returns the wire name of the stage.
    pub const fn as_str(self) -> &'static str {
        match self {
            Stage::BaseShape => "base_shape",
            Stage::DtoLinks => "dto_links",
            Stage::RelVocab => "rel_vocab",
            Stage::Policy => "policy",
            Stage::Determinism => "determinism",
        }
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Level::Fail => "FAIL",
            Level::Info => "INFO",
        })
    }
}

/// One finding about a turn (Spec-003): where, which code, and the facts.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(try_from = "IssueText")]
#[cfg_attr(
    feature = "schema",
    schemars(!try_from, deny_unknown_fields),
    schemars(extend(
        "if" = { "properties": { "code": { "pattern": "^E_" } } },
        "then" = { "properties": { "level": { "const": "FAIL" } } },
        "else" = { "properties": { "level": { "const": "INFO" } } }
    ))
)]
pub struct KernelIssue {
    /// How grave it is.
    pub level: Level,
    /// The stage that found it.
    pub stage: Stage,
    /// The registered code.
    pub code: Code,
    /// Where in the turn input it was found.
    pub location: Pointer,
    /// A deterministic sentence for people; not part of the structural digest.
    pub message: String,
    /// The facts, as canonical JSON.
    pub details: Value,
}

/// The wire form of an issue, unchecked.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct IssueText {
    level: Level,
    stage: Stage,
    code: Code,
    location: Pointer,
    message: String,
    details: Value,
}

/// Says that the level of an issue does not follow from its code: a failure that is told as an information, or the other way
/// round.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the level {level} does not follow from the code {code}; E_ fails, I_ informs")]
struct LevelMismatch {
    level: Level,
    code: Code,
}

impl TryFrom<IssueText> for KernelIssue {
    type Error = LevelMismatch;

    fn try_from(text: IssueText) -> Result<KernelIssue, LevelMismatch> {
        let IssueText { level, code, .. } = text;
        let issue = KernelIssue::new(text.stage, code, text.location, text.message, text.details);
        if issue.level == level {
            Ok(issue)
        } else {
            Err(LevelMismatch { level, code })
        }
    }
}

impl KernelIssue {
    /// Makes an issue whose level follows from its code: `E_` fails, `I_` informs.
    pub fn new(
        stage: Stage,
        code: Code,
        location: Pointer,
        message: impl Into<String>,
        details: Value,
    ) -> KernelIssue {
        let level = if code.is_error() {
            Level::Fail
        } else {
            Level::Info
        };
        KernelIssue {
            level,
            stage,
            code,
            location,
            message: message.into(),
            details,
        }
    }

    /// Tells whether the issue keeps the turn from being promoted.
    pub fn is_failure(&self) -> bool {
        self.level == Level::Fail
    }

    /// Compares by (stage, location, code, canonical details): the total order of issues (kernel decision 4).
    pub fn order(&self, other: &KernelIssue) -> Ordering {
        self.stage
            .cmp(&other.stage)
            .then_with(|| self.location.cmp(&other.location))
            .then_with(|| self.code.as_str().cmp(other.code.as_str()))
            .then_with(|| {
                canonical::to_bytes(&self.details).cmp(&canonical::to_bytes(&other.details))
            })
    }
}

/// Sorts issues into their total order and drops exact repetitions.
pub(crate) fn sort(issues: &mut Vec<KernelIssue>) {
    issues.sort_by(KernelIssue::order);
    issues.dedup();
}
