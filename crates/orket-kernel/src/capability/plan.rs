//! The capability plan: what a role may use in a step, known before it asks.

use std::collections::{BTreeMap, BTreeSet};

use super::{Action, Matcher, Policy};
use crate::Digest;

/// The version that every plan carries.
pub const PLAN_VERSION: &str = "capability_plan/v1";

/// Whether the capability module decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// It does.
    Enabled,
    /// It decides nothing; only the tool gate remains.
    Disabled,
}

/// What a role may use in a step. It is a function of the policy, the role and the task alone.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct CapabilityPlan {
    /// [`PLAN_VERSION`].
    #[cfg_attr(feature = "schema", schemars(extend("const" = PLAN_VERSION)))]
    pub plan_version: String,
    /// Whether the module decides.
    pub mode: Mode,
    /// The role.
    pub role: String,
    /// The Score step.
    pub task: String,
    /// The digest of the policy.
    pub policy_digest: Digest,
    /// The rules of the role in the task, in the order of the policy.
    pub rules: Vec<PlannedRule>,
    /// The tools that these rules list, also if the module is disabled. A listed tool may still be limited to some
    /// actions and arguments.
    pub tools: BTreeSet<String>,
}

/// One rule of a plan.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct PlannedRule {
    /// The place of the rule in the policy, counted from 0.
    pub rule: u64,
    /// Its tools, sorted.
    pub tools: Vec<String>,
    /// Its actions, sorted; `None` if it allows any.
    pub actions: Option<Vec<Action>>,
    /// What the arguments must be, by pointer.
    pub arguments: BTreeMap<String, Matcher>,
}

/// Says what `role` may use in `task`.
pub fn resolve_capability(policy: &Policy, role: &str, task: &str) -> CapabilityPlan {
    let rules: Vec<PlannedRule> = (0..)
        .zip(policy.rules())
        .filter(|(_, rule)| rule.is_of(role, task))
        .map(|(place, rule)| PlannedRule {
            rule: place,
            tools: rule.tools.clone(),
            actions: rule.actions.clone(),
            arguments: rule.arguments.clone(),
        })
        .collect();
    let tools = rules.iter().flat_map(|rule| rule.tools.iter().cloned());
    CapabilityPlan {
        plan_version: PLAN_VERSION.into(),
        mode: if policy.is_enabled() {
            Mode::Enabled
        } else {
            Mode::Disabled
        },
        role: role.to_owned(),
        task: task.to_owned(),
        policy_digest: policy.digest(),
        tools: tools.collect(),
        rules,
    }
}
