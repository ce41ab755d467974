//! Deciding one request.

use super::rule::Misfit;
use super::{DECISION_VERSION, Decision, Policy, Reason, ToolRequest, Verdict};
use crate::{Digest, Pointer, RunId, canonical};

/// Decides one request. Deny by default; the request cannot widen the policy.
pub fn authorize(policy: &Policy, run_id: &RunId, ordinal: u64, request: &ToolRequest) -> Decision {
    decide(policy, Some(run_id), ordinal, request)
}

pub(super) fn decide(
    policy: &Policy,
    run_id: Option<&RunId>,
    ordinal: u64,
    request: &ToolRequest,
) -> Decision {
    let finding = find(policy, request);
    let (verdict, reason) = match &finding {
        Finding::Disabled => (Verdict::Skipped, Reason::Disabled),
        Finding::Matched(_) => (Verdict::Granted, Reason::Rule),
        Finding::Unlisted => (Verdict::Denied, Reason::NoRule),
        Finding::Action(_) => (Verdict::Denied, Reason::Action),
        Finding::Argument(..) => (Verdict::Denied, Reason::Argument),
    };
    let (rule, nearest_rule, argument) = match finding {
        Finding::Disabled | Finding::Unlisted => (None, None, None),
        Finding::Matched(rule) => (Some(rule), None, None),
        Finding::Action(nearest) => (None, Some(nearest), None),
        Finding::Argument(nearest, argument) => (None, Some(nearest), Some(argument)),
    };
    let mut decision = Decision {
        record_version: DECISION_VERSION.into(),
        decision_id: Digest::from_bytes([0; 32]),
        run_id: run_id.cloned(),
        ordinal,
        role: request.role.clone(),
        task: request.task.clone(),
        tool: request.tool.clone(),
        action: request.action.clone(),
        arguments_digest: canonical::digest(&request.arguments),
        policy_digest: policy.digest(),
        verdict,
        reason,
        rule,
        nearest_rule,
        argument,
    };
    decision.decision_id = decision.identity();
    decision
}

/// What the policy says, with the places of the rules.
enum Finding {
    Disabled,
    Matched(u64),
    Unlisted,
    Action(u64),
    Argument(u64, Pointer),
}

fn find(policy: &Policy, request: &ToolRequest) -> Finding {
    if !policy.is_enabled() {
        return Finding::Disabled;
    }
    let mut nearest = Finding::Unlisted;
    for (place, rule) in (0..).zip(policy.rules()) {
        nearest = match (rule.misfit(request), nearest) {
            (None, _) => return Finding::Matched(place),
            (Some(Misfit::Action), Finding::Unlisted) => Finding::Action(place),
            (Some(Misfit::Argument(at)), Finding::Unlisted | Finding::Action(_)) => {
                Finding::Argument(place, at)
            }
            (Some(_), nearest) => nearest,
        };
    }
    nearest
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capability::Action;
    use crate::object;

    fn request(role: &str, task: &str, tool: &str) -> ToolRequest {
        ToolRequest {
            role: role.into(),
            task: task.into(),
            tool: tool.into(),
            action: Action::CALL,
            // What lesson 16 tells: the earlier system let the request grant itself.
            arguments: object! { "allow_tool_call" => true, "enforcement" => false },
        }
    }

    fn run(text: &str) -> RunId {
        RunId::parse(text).unwrap()
    }

    #[test]
    fn law_8_only_the_listed_triple_of_role_task_and_tool_is_granted() {
        let policy = Policy::deny_all().grant("coder", "build", "write_file");
        let verdict =
            |role, task, tool| authorize(&policy, &run("r"), 0, &request(role, task, tool)).verdict;
        assert_eq!(verdict("coder", "build", "write_file"), Verdict::Granted);
        assert_eq!(verdict("coder", "build", "read_file"), Verdict::Denied);
        assert_eq!(verdict("coder", "review", "write_file"), Verdict::Denied);
        assert_eq!(verdict("architect", "build", "write_file"), Verdict::Denied);
    }

    #[test]
    fn a_decision_id_does_not_name_the_run() {
        let policy = Policy::deny_all();
        let request = request("coder", "build", "write_file");
        let one = authorize(&policy, &run("a"), 3, &request);
        let two = authorize(&policy, &run("b"), 3, &request);
        assert_eq!(one.decision_id, two.decision_id);
        let other = authorize(&policy, &run("b"), 4, &request);
        assert_ne!(one.decision_id, other.decision_id);
    }
}
