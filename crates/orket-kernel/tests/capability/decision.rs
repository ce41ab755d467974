//! The audit record: its id is that of its content, and it cannot be bent unseen.

use orket_kernel::canonical::{self, Value};
use orket_kernel::capability::{
    Action, Decision, DecisionFault, Policy, Reason, ToolRequest, Verdict, authorize,
};
use orket_kernel::{Digest, Pointer, RunId, object};

fn request() -> ToolRequest {
    ToolRequest {
        role: "coder".into(),
        task: "build".into(),
        tool: "write_file".into(),
        action: Action::WRITE,
        arguments: object! { "path" => "a" },
    }
}

fn decision() -> Decision {
    let policy = Policy::deny_all().grant("coder", "build", "write_file");
    authorize(&policy, &RunId::parse("run-1").unwrap(), 3, &request())
}

/// The record is written out here by hand, so that no member can be forgotten on both sides.
#[test]
fn decision_16_the_id_is_the_digest_of_the_record_with_the_run_null_and_without_the_id() {
    let policy_digest = canonical::digest(&object! {
        "policy_version" => "capability_policy/v1",
        "enabled" => true,
        "rules" => vec![object! {
            "role" => "coder", "task" => "build", "tools" => vec![Value::from("write_file")],
        }],
    });
    let record = object! {
        "record_version" => "capability_decision/v1",
        "run_id" => Value::Null,
        "ordinal" => 3_u64,
        "role" => "coder",
        "task" => "build",
        "tool" => "write_file",
        "action" => "write",
        "arguments_digest" => canonical::digest(&object! { "path" => "a" }).to_hex(),
        "policy_digest" => policy_digest.to_hex(),
        "verdict" => "granted",
        "reason" => "rule",
        "rule" => 0_u64,
        "nearest_rule" => Value::Null,
        "argument" => Value::Null,
    };
    let decision = decision();
    assert_eq!(decision.decision_id, canonical::digest(&record));
    let Value::Object(mut members) = record else {
        panic!("an object");
    };
    members.insert("run_id".into(), "run-1".into());
    members.insert("decision_id".into(), decision.decision_id.to_hex().into());
    assert_eq!(canonical::to_value(&decision), Ok(Value::Object(members)));
}

type Bend = (&'static str, fn(&mut Decision));

#[test]
fn a_record_that_was_bent_does_not_verify() {
    let bends: [Bend; 13] = [
        ("record_version", |it| it.record_version.push('x')),
        ("decision_id", |it| it.decision_id = Digest::of_bytes(b"")),
        ("ordinal", |it| it.ordinal += 1),
        ("role", |it| it.role.push('x')),
        ("task", |it| it.task.push('x')),
        ("tool", |it| it.tool.push('x')),
        ("action", |it| it.action = Action::READ),
        ("arguments_digest", |it| {
            it.arguments_digest = Digest::of_bytes(b"")
        }),
        ("policy_digest", |it| {
            it.policy_digest = Digest::of_bytes(b"")
        }),
        ("verdict", |it| it.verdict = Verdict::Denied),
        ("reason", |it| it.reason = Reason::NoRule),
        ("rule", |it| it.rule = Some(1)),
        ("argument", |it| it.argument = Some(Pointer::root())),
    ];
    assert_eq!(decision().verify(), Ok(()));
    for (member, bend) in bends {
        let mut bent = decision();
        bend(&mut bent);
        assert!(bent.verify().is_err(), "{member} is not covered");
    }
    let mut of_another_run = decision();
    of_another_run.run_id = None;
    assert_eq!(
        of_another_run.verify(),
        Ok(()),
        "the id does not name the run"
    );
}

/// Whoever bends a record can also compute its id; what contradicts itself is refused all the same.
#[test]
fn a_record_that_contradicts_itself_does_not_verify() {
    let bends: [Bend; 6] = [
        ("granted without a rule", |it| it.rule = None),
        ("denied by a matching rule", |it| {
            it.verdict = Verdict::Denied
        }),
        ("skipped by a rule", |it| it.verdict = Verdict::Skipped),
        ("granted for lack of a rule", |it| {
            it.reason = Reason::NoRule
        }),
        ("granted although disabled", |it| {
            it.reason = Reason::Disabled
        }),
        ("granted beside a nearest rule", |it| {
            it.nearest_rule = Some(0)
        }),
    ];
    for (name, bend) in bends {
        let mut bent = decision();
        bend(&mut bent);
        let Err(DecisionFault::Id { found }) = bent.verify() else {
            panic!("{name}: the id still fits");
        };
        bent.decision_id = found;
        assert_eq!(bent.verify(), Err(DecisionFault::Contradiction), "{name}");
    }
}

#[test]
fn a_request_without_an_action_asks_for_a_call_and_says_so_when_written() {
    let text = br#"{"role":"r","task":"t","tool":"x","arguments":{}}"#;
    let request: ToolRequest = canonical::from_bytes(text).unwrap();
    assert_eq!(request.action, Action::CALL);
    let written = canonical::to_value(&request).unwrap();
    assert_eq!(written.get("action"), Some(&"call".into()));
}

#[test]
fn the_sentence_names_the_reason_and_the_rule() {
    let policy: Policy = canonical::from_bytes(
        br#"{"policy_version":"capability_policy/v1","enabled":true,"rules":[
            {"role":"other","task":"build","tools":["write_file"]},
            {"role":"coder","task":"build","tools":["write_file"],"actions":["write"],
             "arguments":{"/path":{"path_under":["src"]}}}]}"#,
    )
    .unwrap();
    let run_id = RunId::parse("r").unwrap();
    let sentence = |change: fn(&mut ToolRequest)| {
        let mut request = request();
        change(&mut request);
        authorize(&policy, &run_id, 0, &request).sentence()
    };
    assert_eq!(
        sentence(|it| it.tool = "read_file".into()),
        "the role coder may not use read_file in the step build: no rule of the policy lists it"
    );
    assert_eq!(
        sentence(|it| it.action = Action::READ),
        "the role coder may not use write_file in the step build like this: rule 1 does not list the action read"
    );
    assert_eq!(
        sentence(|_| ()),
        "the role coder may not use write_file in the step build like this: the argument /path is missing or does not fit rule 1"
    );
    assert_eq!(
        sentence(|it| it.arguments = object! { "path" => "src/a" }),
        "the role coder may use write_file in the step build: rule 1 allows it"
    );
}
