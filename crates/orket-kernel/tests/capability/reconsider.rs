//! Reconsidering past calls under another policy.

use orket_kernel::capability::{
    Action, Decision, DecisionFault, Policy, ReconsiderError, ToolRequest, Verdict, authorize,
    reconsider,
};
use orket_kernel::{Digest, RunId, canonical, object};

fn past(policy: &Policy, tools: &[&str]) -> Vec<(ToolRequest, Decision)> {
    let run_id = RunId::parse("run-1").unwrap();
    let tools = (0..).zip(tools);
    tools
        .map(|(ordinal, tool)| {
            let request = ToolRequest {
                role: "coder".into(),
                task: "build".into(),
                tool: (*tool).into(),
                action: Action::WRITE,
                arguments: object! { "path" => format!("src/{ordinal}") },
            };
            let decision = authorize(policy, &run_id, ordinal, &request);
            (request, decision)
        })
        .collect()
}

fn granting(tools: &[&str]) -> Policy {
    let grant = |policy: Policy, tool: &&str| policy.grant("coder", "build", tool);
    tools.iter().fold(Policy::deny_all(), grant)
}

#[test]
fn only_what_would_be_decided_otherwise_is_listed() {
    let past = past(&granting(&["a", "b"]), &["a", "b", "c", "d"]);
    let same = granting(&["a", "b", "e"]);
    assert_eq!(
        reconsider(&same, &past),
        Ok(vec![]),
        "another policy, the same verdicts"
    );
    let otherwise = reconsider(&granting(&["b", "c"]), &past).unwrap();
    let told: Vec<_> = otherwise
        .iter()
        .map(|it| {
            (
                it.ordinal,
                it.request.tool.as_str(),
                it.was.verdict,
                it.would_be.verdict,
            )
        })
        .collect();
    let expected = [
        (0, "a", Verdict::Granted, Verdict::Denied),
        (2, "c", Verdict::Denied, Verdict::Granted),
    ];
    assert_eq!(told, expected);
    assert_eq!(otherwise[0].was, past[0].1);
    assert_eq!(otherwise[0].would_be.verify(), Ok(()));
    assert_eq!(otherwise[0].would_be.run_id, past[0].1.run_id);
}

#[test]
fn a_disabled_policy_decides_everything_otherwise_and_itself_the_same() {
    let past = past(&granting(&["a"]), &["a", "b"]);
    let otherwise = reconsider(&Policy::disabled(), &past).unwrap();
    assert_eq!(otherwise.len(), 2);
    assert!(
        otherwise
            .iter()
            .all(|it| it.would_be.verdict == Verdict::Skipped)
    );
    assert_eq!(reconsider(&granting(&["a"]), &past), Ok(vec![]));
}

#[test]
fn arguments_are_reconsidered_too() {
    let past = past(&granting(&["a"]), &["a", "a"]);
    let policy: Policy = canonical::from_bytes(
        br#"{"policy_version":"capability_policy/v1","enabled":true,"rules":[
            {"role":"coder","task":"build","tools":["a"],"arguments":{"/path":{"one_of":["src/1"]}}}]}"#,
    )
    .unwrap();
    let otherwise = reconsider(&policy, &past).unwrap();
    let ordinals: Vec<u64> = otherwise.iter().map(|it| it.ordinal).collect();
    assert_eq!(ordinals, [0]);
}

type Bend = (&'static str, fn(&mut ToolRequest));

#[test]
fn law_8_a_past_call_that_is_not_the_decided_one_stops_everything() {
    let bends: [Bend; 5] = [
        ("role", |it| it.role = "guard".into()),
        ("task", |it| it.task = "review".into()),
        ("tool", |it| it.tool = "b".into()),
        ("action", |it| it.action = Action::READ),
        ("digest of the arguments", |it| {
            it.arguments = object! { "path" => "src/9" }
        }),
    ];
    for (expected, bend) in bends {
        let mut past = past(&granting(&["a"]), &["a", "a"]);
        bend(&mut past[1].0);
        let error = reconsider(&Policy::deny_all(), &past).unwrap_err();
        let what = expected;
        assert_eq!(error, ReconsiderError::Request { ordinal: 1, what });
    }
}

#[test]
fn law_8_a_past_decision_that_does_not_verify_stops_everything() {
    let mut past = past(&granting(&["a"]), &["a", "b"]);
    past[1].1.decision_id = Digest::of_bytes(b"");
    let error = reconsider(&granting(&["a"]), &past).unwrap_err();
    assert!(
        matches!(
            error,
            ReconsiderError::Decision {
                ordinal: 1,
                source: DecisionFault::Id { .. }
            }
        ),
        "{error}"
    );
}
