//! Decisions: the audit record of what the jail said to one call.

use super::Action;
use crate::canonical::{self, Value};
use crate::{Digest, Pointer, RunId};

/// The version that every decision carries.
pub const DECISION_VERSION: &str = "capability_decision/v1";

/// What the jail says to one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// A rule matches.
    Granted,
    /// No rule matches.
    Denied,
    /// The module is disabled in the envelope; the tool gate still applies.
    Skipped,
}

/// Why the jail says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// A rule matches.
    Rule,
    /// No rule of the role in the task lists the tool.
    NoRule,
    /// The nearest rule lists the tool and not the action.
    Action,
    /// The nearest rule lists the tool and the action, and an argument is missing or does not fit.
    Argument,
    /// The module is disabled.
    Disabled,
}

/// The audit record of one decision.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Decision {
    /// [`DECISION_VERSION`].
    #[cfg_attr(feature = "schema", schemars(extend("const" = DECISION_VERSION)))]
    pub record_version: String,
    /// The digest of the canonical record without this member and with `run_id` null (kernel decision 16).
    pub decision_id: Digest,
    /// The run.
    pub run_id: Option<RunId>,
    /// The place of the request in its turn, counted from 0.
    pub ordinal: u64,
    /// The role that asked.
    pub role: String,
    /// The Score step in which it asked.
    pub task: String,
    /// The tool it asked for.
    pub tool: String,
    /// The action of the tool.
    pub action: Action,
    /// The digest of the arguments.
    pub arguments_digest: Digest,
    /// The digest of the policy that decided.
    pub policy_digest: Digest,
    /// The decision.
    pub verdict: Verdict,
    /// Why.
    pub reason: Reason,
    /// The place of the rule that matches, counted from 0; the first if several do.
    pub rule: Option<u64>,
    /// Of a denied request: the place of the rule that came nearest, the one that failed last in the order tool, action,
    /// argument, and of several the first.
    pub nearest_rule: Option<u64>,
    /// The first argument that is missing or does not fit the nearest rule.
    pub argument: Option<Pointer>,
}

/// Says why a decision is not a record that the jail made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecisionFault {
    /// It is of another version.
    #[error("the decision has the version {found:?}, which is not {DECISION_VERSION:?}")]
    Version {
        /// The version.
        found: String,
    },
    /// The id is not the digest of the record.
    #[error("the decision is not what its id names: its record has the digest {found}")]
    Id {
        /// The digest of the record.
        found: Digest,
    },
    /// The members contradict each other.
    #[error(
        "the decision contradicts itself: its verdict does not follow from its reason and rules"
    )]
    Contradiction,
}

impl Verdict {
    /// Returns the wire name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Verdict::Granted => "granted",
            Verdict::Denied => "denied",
            Verdict::Skipped => "skipped",
        }
    }
}

impl Reason {
    /// Returns the wire name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Reason::Rule => "rule",
            Reason::NoRule => "no_rule",
            Reason::Action => "action",
            Reason::Argument => "argument",
            Reason::Disabled => "disabled",
        }
    }
}

impl Decision {
    /// Checks that the record is whole: of this version, named by its id and free of contradiction.
    ///
    /// # Errors
    /// Says what is wrong.
    ///
    /// # Limitations
    /// The id does not cover `run_id`, so that the same decision of two runs has one id; and it is no signature.
    pub fn verify(&self) -> Result<(), DecisionFault> {
        if self.record_version != DECISION_VERSION {
            let found = self.record_version.chars().take(80).collect();
            return Err(DecisionFault::Version { found });
        }
        let found = self.identity();
        if found != self.decision_id {
            return Err(DecisionFault::Id { found });
        }
        let places = (
            self.rule.is_some(),
            self.nearest_rule.is_some(),
            self.argument.is_some(),
        );
        let is_consistent = match self.reason {
            Reason::Rule => self.verdict == Verdict::Granted && places == (true, false, false),
            Reason::NoRule => self.verdict == Verdict::Denied && places == (false, false, false),
            Reason::Action => self.verdict == Verdict::Denied && places == (false, true, false),
            Reason::Argument => self.verdict == Verdict::Denied && places == (false, true, true),
            Reason::Disabled => self.verdict == Verdict::Skipped && places == (false, false, false),
        };
        if is_consistent {
            Ok(())
        } else {
            Err(DecisionFault::Contradiction)
        }
    }

    /// Returns the decision in one sentence, for people; it is part of no digest.
    pub fn sentence(&self) -> String {
        let Decision {
            role, task, tool, ..
        } = self;
        let nearest = self.nearest_rule.unwrap_or_default();
        match self.reason {
            Reason::Rule => {
                let rule = self.rule.unwrap_or_default();
                format!("the role {role} may use {tool} in the step {task}: rule {rule} allows it")
            }
            Reason::NoRule => format!(
                "the role {role} may not use {tool} in the step {task}: no rule of the policy lists it"
            ),
            Reason::Action => format!(
                "the role {role} may not use {tool} in the step {task} like this: rule {nearest} does not list the action {}",
                self.action
            ),
            Reason::Argument => format!(
                "the role {role} may not use {tool} in the step {task} like this: the argument {} is missing or does not fit rule {nearest}",
                self.argument.as_ref().map_or("", Pointer::as_str)
            ),
            Reason::Disabled => "the capability module is disabled".to_owned(),
        }
    }

    /// Returns the digest that the id of this record must be: the one place that computes it.
    pub(super) fn identity(&self) -> Digest {
        // A decision holds only texts, numbers and nulls, so it always has a canonical form.
        let mut record = canonical::to_value(self).unwrap_or_default();
        if let Value::Object(members) = &mut record {
            members.remove("decision_id");
            members.insert("run_id".into(), Value::Null);
        }
        canonical::digest(&record)
    }
}
