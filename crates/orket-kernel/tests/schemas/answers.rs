//! What the kernel answers is what its schemas say, and what it is asked too.

use std::collections::{BTreeMap, BTreeSet};

use orket_kernel::capability::Policy;
use orket_kernel::wire::Operation;
use orket_kernel::{
    EmptyView, Profile, RunEnvelope, StagedTurn, TurnInput, TurnTrace, canonical, execute_turn,
    plan_promotion,
};
use serde_json::{Value, json};

use crate::{published, session};

#[track_caller]
fn is_taken(schema: &str, document: &Value) {
    let why = published::refusal(&published::validator(schema), document);
    assert_eq!(why, None, "{schema} refuses {document}");
}

fn json_of(value: &impl serde::Serialize) -> Value {
    serde_json::from_slice(&canonical::serialize(value).unwrap()).unwrap()
}

#[test]
fn every_exchange_of_a_session_is_as_the_schemas_say() {
    let mut with_result = BTreeSet::new();
    let mut outcomes: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for exchange in session::exchanges() {
        let operation = exchange.operation.as_str();
        is_taken(&format!("{operation}-request"), &exchange.request);
        is_taken(&format!("{operation}-answer"), &exchange.answer);
        let outcome = exchange.answer["outcome"].to_string();
        outcomes.entry(operation).or_default().insert(outcome);
        if !exchange.answer["result"].is_null() {
            with_result.insert(operation);
        }
    }
    // The session is worth something only if it holds every operation, with a result where there can be one.
    let all: BTreeSet<&str> = Operation::ALL.iter().map(|it| it.as_str()).collect();
    assert_eq!(outcomes.keys().copied().collect::<BTreeSet<_>>(), all);
    let without = ["validate-triplet", "validate-links-against-index"];
    let expected = all.into_iter().filter(|it| !without.contains(it));
    assert_eq!(with_result, expected.collect());
    for both in [
        "execute-turn",
        "commit-turn",
        "finish-run",
        "authorize-tool-call",
        "replay-run",
        "compare-runs",
    ] {
        assert_eq!(outcomes[both].len(), 2, "{both}: {:?}", outcomes[both]);
    }
}

#[test]
fn no_member_of_an_answer_may_be_missing_and_none_added() {
    for exchange in session::exchanges() {
        let schema = format!("{}-answer", exchange.operation);
        let validator = published::validator(&schema);
        let members: Vec<String> = exchange
            .answer
            .as_object()
            .unwrap()
            .keys()
            .cloned()
            .collect();
        for member in members {
            let mut answer = exchange.answer.clone();
            answer.as_object_mut().unwrap().remove(&member);
            assert!(
                published::refusal(&validator, &answer).is_some(),
                "{schema} without {member}"
            );
        }
        let mut answer = exchange.answer.clone();
        answer["also"] = json!(1);
        assert!(
            published::refusal(&validator, &answer).is_some(),
            "{schema} with a member more"
        );
        let mut answer = exchange.answer;
        answer["operation"] = json!("no-such-operation");
        assert!(
            published::refusal(&validator, &answer).is_some(),
            "{schema} of no operation"
        );
    }
}

#[test]
fn an_answer_to_a_request_that_cannot_be_read_has_its_own_schema() {
    for answer in session::invalid_answers() {
        is_taken("invalid-request", &answer);
    }
}

#[test]
fn what_the_kernel_makes_of_a_turn_is_as_the_schemas_say() {
    let envelope: RunEnvelope =
        canonical::from_bytes(&serde_json::to_vec(&session::envelope("run-1")).unwrap()).unwrap();
    is_taken("run-envelope", &json_of(&envelope));
    let input: TurnInput =
        canonical::from_bytes(&serde_json::to_vec(&session::turn("turn-0001")).unwrap()).unwrap();
    is_taken("turn-input", &json_of(&input));
    let handle = envelope.handle().unwrap();
    let input = TurnInput {
        tool_calls: Vec::new(),
        ..input
    };
    let execution = execute_turn(&envelope, &handle, &input, &EmptyView);
    let trace = TurnTrace::new(&handle, &input, &execution);
    is_taken("turn-trace", &json_of(&trace));
    is_taken("turn-result", &json_of(&execution.result));
    let staged: &StagedTurn = execution.staged.as_ref().expect("the turn passes");
    let (plan, _) = plan_promotion(staged, &EmptyView).unwrap();
    assert!(plan.put.len() == 2 && plan.insert.len() == 1);
    for (record, _) in &plan.put {
        is_taken("triplet-record", &json_of(record));
    }
    for (_, source) in &plan.insert {
        is_taken("ref-source", &json_of(source));
    }
}

#[test]
fn built_in_policies_and_profiles_are_as_the_schemas_say() {
    for policy in [
        Policy::deny_all(),
        Policy::disabled(),
        Policy::deny_all().grant("a", "b", "c"),
    ] {
        is_taken("capability-policy", &json_of(&policy));
    }
    for profile in [Profile::orket(), Profile::reference()] {
        is_taken("profile", &json_of(&profile));
    }
}
