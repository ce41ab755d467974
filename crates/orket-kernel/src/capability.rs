//! The capability jail (Law 8): deny by default, decided by the policy that was fixed at the start of the run.

use std::collections::{BTreeMap, BTreeSet};

use crate::canonical::{self, Value};
use crate::{Digest, object};

/// What each role may do in each step of the Score. A list that is missing denies (kernel decision 16).
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    /// Whether the capability module is on; it can be turned off only here, never by a request.
    pub enabled: bool,
    /// Role → task (the name of the Score step) → tools.
    pub grants: BTreeMap<String, BTreeMap<String, BTreeSet<String>>>,
}

impl Policy {
    /// Returns a policy that denies everything.
    pub fn deny_all() -> Policy {
        Policy {
            enabled: true,
            grants: BTreeMap::new(),
        }
    }

    /// Lets `role` use `tool` in `task`.
    #[must_use]
    pub fn grant(mut self, role: &str, task: &str, tool: &str) -> Policy {
        let tasks = self.grants.entry(role.to_owned()).or_default();
        tasks
            .entry(task.to_owned())
            .or_default()
            .insert(tool.to_owned());
        self
    }

    /// Returns the tools that `role` may use in `task`, sorted: the capability plan.
    pub fn plan(&self, role: &str, task: &str) -> BTreeSet<String> {
        self.grants
            .get(role)
            .and_then(|tasks| tasks.get(task))
            .cloned()
            .unwrap_or_default()
    }
}

/// One tool call as it asks to be allowed. It carries no rights of its own.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ToolRequest {
    /// The role that acts.
    pub role: String,
    /// The name of the Score step.
    pub task: String,
    /// The tool.
    pub tool: String,
    /// The arguments.
    pub arguments: Value,
}

/// What the jail says to one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The policy lists the tool.
    Granted,
    /// The policy does not list it.
    Denied,
    /// The module is disabled in the envelope; the tool gate still applies.
    Skipped,
}

/// The audit record of one decision.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Decision {
    /// The digest of the record with `run_id` null.
    pub decision_id: Digest,
    /// The run.
    pub run_id: Option<String>,
    /// The place of the request in its turn, counted from 0.
    pub ordinal: u64,
    /// The role that asked.
    pub role: String,
    /// The Score step in which it asked.
    pub task: String,
    /// The tool it asked for.
    pub tool: String,
    /// The digest of the arguments.
    pub arguments_digest: Digest,
    /// The digest of the policy that decided.
    pub policy_digest: Digest,
    /// The decision.
    pub verdict: Verdict,
}

/// Decides one request. Deny by default; the request cannot widen the policy.
pub fn authorize(policy: &Policy, run_id: &str, ordinal: u64, request: &ToolRequest) -> Decision {
    let verdict = if !policy.enabled {
        Verdict::Skipped
    } else if policy
        .plan(&request.role, &request.task)
        .contains(&request.tool)
    {
        Verdict::Granted
    } else {
        Verdict::Denied
    };
    let arguments_digest = canonical::digest(&request.arguments);
    let policy_digest = policy_digest(policy);
    let identity = object! {
        "run_id" => Value::Null,
        "ordinal" => ordinal,
        "role" => request.role.as_str(),
        "task" => request.task.as_str(),
        "tool" => request.tool.as_str(),
        "arguments_digest" => arguments_digest.to_hex(),
        "policy_digest" => policy_digest.to_hex(),
        "verdict" => match verdict {
            Verdict::Granted => "granted",
            Verdict::Denied => "denied",
            Verdict::Skipped => "skipped",
        },
    };
    Decision {
        decision_id: canonical::digest(&identity),
        run_id: Some(run_id.to_owned()),
        ordinal,
        role: request.role.clone(),
        task: request.task.clone(),
        tool: request.tool.clone(),
        arguments_digest,
        policy_digest,
        verdict,
    }
}

/// Returns the digest that pins a policy.
pub fn policy_digest(policy: &Policy) -> Digest {
    let grants: BTreeMap<String, Value> = policy
        .grants
        .iter()
        .map(|(role, tasks)| {
            let tasks: BTreeMap<String, Value> = tasks
                .iter()
                .map(|(task, tools)| {
                    let tools: Vec<Value> = tools.iter().map(|t| Value::from(t.as_str())).collect();
                    (task.clone(), Value::from(tools))
                })
                .collect();
            (role.clone(), Value::from(tasks))
        })
        .collect();
    canonical::digest(&object! { "enabled" => policy.enabled, "grants" => grants })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(role: &str, task: &str, tool: &str) -> ToolRequest {
        ToolRequest {
            role: role.into(),
            task: task.into(),
            tool: tool.into(),
            // What lesson 16 tells: the earlier system let the request grant itself.
            arguments: object! { "allow_tool_call" => true, "enforcement" => false },
        }
    }

    #[test]
    fn law_8_only_the_listed_triple_of_role_task_and_tool_is_granted() {
        let policy = Policy::deny_all().grant("coder", "build", "write_file");
        let verdict =
            |role, task, tool| authorize(&policy, "r", 0, &request(role, task, tool)).verdict;
        assert_eq!(verdict("coder", "build", "write_file"), Verdict::Granted);
        assert_eq!(verdict("coder", "build", "read_file"), Verdict::Denied);
        assert_eq!(verdict("coder", "review", "write_file"), Verdict::Denied);
        assert_eq!(verdict("architect", "build", "write_file"), Verdict::Denied);
    }

    #[test]
    fn a_decision_id_does_not_name_the_run() {
        let policy = Policy::deny_all();
        let one = authorize(&policy, "a", 3, &request("coder", "build", "write_file"));
        let two = authorize(&policy, "b", 3, &request("coder", "build", "write_file"));
        assert_eq!(one.decision_id, two.decision_id);
        let other = authorize(&policy, "b", 4, &request("coder", "build", "write_file"));
        assert_ne!(one.decision_id, other.decision_id);
    }
}
