//! Any text as a policy and a request: nothing is granted that the text of the policy does not name.
//!
//! The input is the policy, a line feed, and the request: either its JSON, or role, task and tool with a space between.

use orket_kernel::RunId;
use orket_kernel::canonical::{self, Value};
use orket_kernel::capability::{self, Action, Policy, ToolRequest, Verdict};

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
    let (run, other) = (run("run"), run("other"));
    let decision = capability::authorize(&policy, &run, 0, &request);
    // Judged from the text and not from the type that decides.
    let text = canonical::parse(policy_text).unwrap();
    let is_enabled = text.get("enabled") == Some(&Value::Bool(true));
    let rules = naming(&text, &request);
    match decision.verdict {
        Verdict::Skipped => assert!(!is_enabled, "{request:?}"),
        Verdict::Granted => assert!(is_enabled && !rules.is_empty(), "{request:?}"),
        Verdict::Denied => {
            assert!(
                is_enabled && rules.iter().all(|rule| narrows(rule)),
                "{request:?}"
            );
        }
    }

    assert_eq!(decision.verify(), Ok(()));
    assert_eq!(capability::authorize(&policy, &run, 0, &request), decision);
    let of_other = capability::authorize(&policy, &other, 0, &request);
    assert_eq!(of_other.decision_id, decision.decision_id);
    let next = capability::authorize(&policy, &run, 1, &request);
    assert_ne!(next.decision_id, decision.decision_id);
}

fn run(name: &str) -> RunId {
    RunId::parse(name).unwrap()
}

/// Returns the rules in the text of the policy that list the tool for this role and task.
fn naming<'a>(policy: &'a Value, request: &ToolRequest) -> Vec<&'a Value> {
    let rules = policy.get("rules").and_then(Value::as_array);
    let is =
        |rule: &Value, key: &str, text: &str| rule.get(key).and_then(Value::as_str) == Some(text);
    let lists = |rule: &Value| {
        let tools = rule.get("tools").and_then(Value::as_array);
        tools.is_some_and(|tools| tools.contains(&Value::from(request.tool.as_str())))
    };
    let fits = |rule: &&Value| {
        is(rule, "role", &request.role) && is(rule, "task", &request.task) && lists(rule)
    };
    rules.into_iter().flatten().filter(fits).collect()
}

/// Tells whether a rule asks for more than role, task and tool.
fn narrows(rule: &Value) -> bool {
    ["actions", "arguments"]
        .iter()
        .any(|key| rule.get(key).is_some_and(|value| !value.is_null()))
}

fn words(text: &[u8]) -> ToolRequest {
    let text = String::from_utf8_lossy(text).into_owned();
    let mut words = text.splitn(3, ' ').map(str::to_owned);
    let mut word = || words.next().unwrap_or_default();
    ToolRequest {
        role: word(),
        task: word(),
        tool: word(),
        action: Action::default(),
        arguments: Value::Null,
    }
}
