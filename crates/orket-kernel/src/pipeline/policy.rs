//! Stage 4: every tool call was allowed by the policy of the run (Law 8).

use super::Turn;
use crate::canonical::Value;
use crate::capability::{Decision, Verdict};
use crate::{Code, KernelIssue, Pointer, Stage, event};

pub(super) fn check(turn: &Turn<'_>) -> Vec<KernelIssue> {
    let calls = Pointer::root().key("tool_calls");
    let refused = turn.input.refusals.iter().map(|refusal| {
        KernelIssue::new(
            Stage::Policy,
            Code::CapabilityDenied,
            refusal
                .call
                .map_or_else(|| calls.clone(), |call| calls.key(&call.to_string())),
            refusal.message.clone(),
            event::details([("reason", Value::from(refusal.reason.as_str()))]),
        )
    });
    let decided = turn
        .decisions
        .iter()
        .enumerate()
        .filter_map(|(index, decision)| finding(decision, calls.index(index)));
    refused.chain(decided).collect()
}

/// Returns what there is to say of a decision about the call at `place`; nothing if it was granted.
pub(crate) fn finding(decision: &Decision, place: Pointer) -> Option<KernelIssue> {
    let code = match decision.verdict {
        Verdict::Granted => return None,
        Verdict::Denied => Code::CapabilityDenied,
        Verdict::Skipped => Code::CapabilitySkipped,
    };
    Some(KernelIssue::new(
        Stage::Policy,
        code,
        place,
        decision.sentence(),
        event::details([
            ("role", Value::from(decision.role.as_str())),
            ("task", Value::from(decision.task.as_str())),
            ("tool", Value::from(decision.tool.as_str())),
            ("action", Value::from(decision.action.as_str())),
            ("reason", Value::from(decision.reason.as_str())),
            ("nearest_rule", Value::from(decision.nearest_rule)),
            (
                "argument",
                Value::from(decision.argument.as_ref().map(Pointer::as_str)),
            ),
            ("decision_id", Value::from(decision.decision_id.to_hex())),
        ]),
    ))
}
