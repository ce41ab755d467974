//! Any text as a policy and a request: nothing is granted that the text of the policy does not name.
//!
//! The input is the policy, a line feed, and the request: either its JSON, or role, task and tool with a space between.

use orket_kernel::canonical::{self, Value};
use orket_kernel::capability::{self, Policy, ToolRequest, Verdict};

/// Panics if the jail breaks a promise on `bytes`.
pub(crate) fn check(bytes: &[u8]) {
    let mut lines = bytes.splitn(2, |byte| *byte == b'\n');
    let policy_text = lines.next().unwrap_or_default();
    let request_text = lines.next().unwrap_or_default();
    let Ok(policy) = canonical::from_bytes::<Policy>(policy_text) else {
        return;
    };
    let written = canonical::serialize(&policy).unwrap();
    assert_eq!(
        canonical::from_bytes::<Policy>(&written).as_ref(),
        Ok(&policy)
    );

    let request =
        canonical::from_bytes::<ToolRequest>(request_text).unwrap_or_else(|_| words(request_text));
    let decision = capability::authorize(&policy, "run", 0, &request);
    // Judged from the text and not from the type that decides.
    let text = canonical::parse(policy_text).unwrap();
    let is_enabled = text.get("enabled") == Some(&Value::Bool(true));
    let expected = match (is_enabled, names(&text, &request)) {
        (false, _) => Verdict::Skipped,
        (true, true) => Verdict::Granted,
        (true, false) => Verdict::Denied,
    };
    assert_eq!(decision.verdict, expected, "{request:?}");

    assert_eq!(capability::authorize(&policy, "run", 0, &request), decision);
    let other_run = capability::authorize(&policy, "other", 0, &request);
    assert_eq!(other_run.decision_id, decision.decision_id);
    let next = capability::authorize(&policy, "run", 1, &request);
    assert_ne!(next.decision_id, decision.decision_id);
}

/// Tells whether the text of the policy lists the tool for this role and task.
fn names(policy: &Value, request: &ToolRequest) -> bool {
    let tools = || {
        policy
            .get("grants")?
            .get(&request.role)?
            .get(&request.task)?
            .as_array()
    };
    tools().is_some_and(|tools| tools.contains(&Value::from(request.tool.as_str())))
}

fn words(text: &[u8]) -> ToolRequest {
    let text = String::from_utf8_lossy(text).into_owned();
    let mut words = text.splitn(3, ' ').map(str::to_owned);
    let mut word = || words.next().unwrap_or_default();
    ToolRequest {
        role: word(),
        task: word(),
        tool: word(),
        arguments: Value::Null,
    }
}
