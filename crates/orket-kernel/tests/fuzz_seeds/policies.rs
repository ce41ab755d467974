//! Any text as a policy and a request: nothing is granted that the text of the policy does not list.
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
    let read = canonical::from_bytes::<Policy>(&written);
    assert_eq!(read.as_ref(), Ok(&policy));

    let request =
        canonical::from_bytes::<ToolRequest>(request_text).unwrap_or_else(|_| words(request_text));
    let run = |text| RunId::parse(text).unwrap();
    let decision = capability::authorize(&policy, &run("run"), 0, &request);
    // Judged from the text and not from the types that decide.
    let text = canonical::parse(policy_text).unwrap();
    let rules = text.get("rules").and_then(Value::as_array);
    let lists = rules
        .unwrap_or_default()
        .iter()
        .map(|rule| listing(rule, &request));
    let best = lists.max().unwrap_or(Listing::No);
    match (text.get("enabled"), decision.verdict) {
        (Some(Value::Bool(false)), verdict) => assert_eq!(verdict, Verdict::Skipped),
        (_, Verdict::Granted) => assert_ne!(best, Listing::No, "{request:?} was granted"),
        (_, Verdict::Denied) => assert_ne!(best, Listing::Yes, "{request:?} was denied"),
        (_, Verdict::Skipped) => panic!("a policy that is on skipped {request:?}"),
    }
    assert_eq!(decision.verify(), Ok(()));

    let again = capability::authorize(&policy, &run("run"), 0, &request);
    assert_eq!(again, decision);
    let other_run = capability::authorize(&policy, &run("other"), 0, &request);
    assert_eq!(other_run.decision_id, decision.decision_id);
    let next = capability::authorize(&policy, &run("run"), 1, &request);
    assert_ne!(next.decision_id, decision.decision_id);
}

/// Whether the text of a rule lists a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Listing {
    No,
    /// All that can be said without reading paths and addresses as the jail does.
    Maybe,
    Yes,
}

fn listing(rule: &Value, request: &ToolRequest) -> Listing {
    let is = |member, text: &str| rule.get(member).and_then(Value::as_str) == Some(text);
    let names = |list: &Value, text: &str| {
        let list = list.as_array().unwrap_or_default();
        list.contains(&Value::from(text))
    };
    let lists_tool = rule
        .get("tools")
        .is_some_and(|tools| names(tools, &request.tool));
    let lists_action = rule
        .get("actions")
        .is_none_or(|actions| names(actions, request.action.as_str()));
    if !is("role", &request.role) || !is("task", &request.task) || !lists_tool || !lists_action {
        return Listing::No;
    }
    let arguments = rule.get("arguments").and_then(Value::as_object);
    let fits = arguments.into_iter().flatten().map(|(place, matcher)| {
        let value = request.arguments.pointer(place);
        value.map_or(Listing::No, |value| fit(matcher, value))
    });
    fits.min().unwrap_or(Listing::Yes)
}

/// Whether a value is what a matcher asks for.
fn fit(matcher: &Value, value: &Value) -> Listing {
    let of = |fits| if fits { Listing::Yes } else { Listing::No };
    let may = |fits| if fits { Listing::Maybe } else { Listing::No };
    let Some((kind, list)) = matcher.as_object().and_then(|it| it.first_key_value()) else {
        return Listing::No;
    };
    let list = list.as_array().unwrap_or_default();
    let mut texts = list.iter().filter_map(Value::as_str);
    match (kind.as_str(), value) {
        ("one_of", value) => of(list.contains(value)),
        ("starts_with", Value::Array(elements)) => of(elements.starts_with(list)),
        ("path_under", Value::String(text)) => {
            let leaves = text.starts_with(['/', '~']) || text.split('/').any(|it| it == "..");
            may(!leaves && texts.any(|prefix| prefix == "." || text.starts_with(prefix)))
        }
        ("host_in", Value::String(text)) => {
            let text = text.to_lowercase();
            may(texts
                .any(|host| text.contains(host.trim_start_matches("*.").to_lowercase().as_str())))
        }
        _ => Listing::No,
    }
}

fn words(text: &[u8]) -> ToolRequest {
    let text = String::from_utf8_lossy(text).into_owned();
    let mut words = text.splitn(3, ' ').map(str::to_owned);
    let mut word = || words.next().unwrap_or_default();
    ToolRequest {
        role: word(),
        task: word(),
        tool: word(),
        action: Action::CALL,
        arguments: Value::Null,
    }
}
