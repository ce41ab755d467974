//! Policies: what each role may do in each step, as data that was checked.

use super::{PolicyError, PolicyFault, Rule, check};
use crate::canonical::{self, DeserializeError, Value};
use crate::{Digest, Pointer};

/// The version that every policy carries.
pub const POLICY_VERSION: &str = "capability_policy/v1";

/// The wire form of a policy, unchecked.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct PolicyDocument {
    /// [`POLICY_VERSION`].
    #[cfg_attr(feature = "schema", schemars(extend("const" = POLICY_VERSION)))]
    pub policy_version: String,
    /// Whether the capability module is on.
    pub enabled: bool,
    /// The rules; what none of them lists is denied.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(length(max = super::limits::RULES_MAX)))]
    pub rules: Vec<Rule>,
}

/// What each role may do in each step of the Score. What no rule lists is denied (kernel decision 16).
///
/// A policy was checked when it was made: its limits hold (1,000 rules, 64 arguments in a rule, 256 members in a list,
/// 4,096 bytes in a text or value), its patterns are well formed and its examples come out as they say. The order of
/// rules is kept, since records name a rule by its place; lists that are sets are sorted, so that a policy has one
/// digest however they were written.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(try_from = "Value", into = "PolicyDocument")]
#[cfg_attr(feature = "schema", schemars(with = "PolicyDocument"))]
pub struct Policy {
    document: PolicyDocument,
    digest: Digest,
}

impl Policy {
    /// Checks a policy.
    ///
    /// # Errors
    /// Names the first place that is wrong, what is wrong and what to do.
    pub fn new(document: PolicyDocument) -> Result<Policy, PolicyError> {
        Ok(Policy::of_checked(check::document(document)?))
    }

    /// Checks a policy given as JSON.
    ///
    /// # Errors
    /// As [`Policy::new`], and for what does not have the form of a policy.
    pub fn from_value(value: Value) -> Result<Policy, PolicyError> {
        // The version says how to read the rest, so it is looked at first.
        if let Some(found) = value.get("policy_version").and_then(Value::as_str) {
            check::version(found)?;
        }
        let document = canonical::from_value(value).map_err(|error| match error {
            DeserializeError::Shape { message, pointer } => {
                PolicyError::new(pointer, PolicyFault::Shape(message))
            }
            DeserializeError::Parse(error) => {
                PolicyError::new(Pointer::root(), PolicyFault::Shape(error.to_string()))
            }
        })?;
        Policy::new(document)
    }

    /// Returns a policy that denies everything.
    pub fn deny_all() -> Policy {
        Policy::of_checked(PolicyDocument {
            policy_version: POLICY_VERSION.into(),
            enabled: true,
            rules: Vec::new(),
        })
    }

    /// Returns a policy that decides nothing: the capability module is off, and only the tool gate remains.
    pub fn disabled() -> Policy {
        Policy::of_checked(PolicyDocument {
            enabled: false,
            ..Policy::deny_all().document
        })
    }

    /// Lets `role` use `tool` in `task`, whatever the action and the arguments.
    ///
    /// # Limitations
    /// A grant with an empty name, or one beyond the limits of a policy, is not made: the call stays denied. Where the
    /// names come from outside, use [`Policy::new`], which says so.
    #[must_use]
    pub fn grant(&self, role: &str, task: &str, tool: &str) -> Policy {
        let mut document = self.document.clone();
        let known = document
            .rules
            .iter_mut()
            .find(|rule| rule.is_of(role, task) && rule.lists_only_tools());
        match known {
            Some(rule) if rule.tools.iter().any(|listed| listed == tool) => {}
            Some(rule) => rule.tools.push(tool.to_owned()),
            None => document.rules.push(Rule::of_tools(role, task, &[tool])),
        }
        Policy::new(document).unwrap_or_else(|_| self.clone())
    }

    /// Tells whether the capability module is on; it can be turned off only in the policy, never by a request.
    pub fn is_enabled(&self) -> bool {
        self.document.enabled
    }

    /// Returns the rules, in their order.
    pub fn rules(&self) -> &[Rule] {
        &self.document.rules
    }

    /// Returns the digest that pins the policy: that of its canonical wire form.
    pub fn digest(&self) -> Digest {
        self.digest
    }

    fn of_checked(document: PolicyDocument) -> Policy {
        // A document holds texts, values and lists of them, which always have a canonical form.
        let digest = canonical::digest_of(&document).unwrap_or_else(|_| Digest::of_bytes(b""));
        Policy { document, digest }
    }
}

impl TryFrom<Value> for Policy {
    type Error = PolicyError;

    fn try_from(value: Value) -> Result<Policy, PolicyError> {
        Policy::from_value(value)
    }
}

impl TryFrom<PolicyDocument> for Policy {
    type Error = PolicyError;

    fn try_from(document: PolicyDocument) -> Result<Policy, PolicyError> {
        Policy::new(document)
    }
}

impl From<Policy> for PolicyDocument {
    fn from(policy: Policy) -> PolicyDocument {
        policy.document
    }
}
