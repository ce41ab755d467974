//! Replay: every turn comes out as it was recorded, and a record that was touched never does.

use std::collections::BTreeMap;

use orket_kernel::canonical::{self, Value};
use orket_kernel::capability::{Action, ToolRequest};
use orket_kernel::{
    CommittedView, Digest, Kernel, MemoryStore, Outcome, ParityReport, PromotionPlan,
    RunDescriptor, StateStore, StoreTransaction, TurnInput, TurnTrace, execute_turn, object,
    plan_promotion,
};

use crate::world::{MemoryKernel, card, envelope, reason, run_id, turn, turn_id};

/// The turns of a run: one creates, one changes with a tool call, an outcome and an attachment, one deletes.
fn inputs() -> [TurnInput; 3] {
    let attachment = b"raw".to_vec();
    let call = ToolRequest {
        role: "coder".into(),
        task: "build".into(),
        tool: "write_file".into(),
        action: Action::default(),
        arguments: object! { "path" => "a" },
    };
    let change = turn(
        2,
        vec![card("Y", Some("X"), "new"), card("Z", None, "")],
        &["W"],
    );
    [
        turn(
            1,
            vec![
                card("X", None, ""),
                card("Y", None, "old"),
                card("W", None, ""),
            ],
            &[],
        ),
        TurnInput {
            tool_calls: vec![call],
            outcomes: vec![object! { "exit" => 0_u64 }],
            attachments: BTreeMap::from([(Digest::of_bytes(&attachment), attachment.into())]),
            ..change
        },
        turn(3, vec![], &["Z"]),
    ]
}

/// Plan and record of every turn.
fn recorded() -> Vec<(PromotionPlan, Vec<u8>)> {
    let store = MemoryStore::new();
    let envelope = envelope("a");
    let handle = envelope.handle().unwrap();
    let mut transaction = store.begin().unwrap();
    transaction.start_run(&envelope).unwrap();
    let mut turns = Vec::new();
    for input in inputs() {
        let (plan, record) = {
            let state = transaction.state().unwrap();
            let execution = execute_turn(&envelope, &handle, &input, &state);
            let trace = TurnTrace::new(&handle, &input, &execution);
            let issues = &execution.result.issues;
            let staged = execution.staged.unwrap_or_else(|| panic!("{issues:?}"));
            (
                plan_promotion(&staged, &state).unwrap().0,
                trace.to_bytes().unwrap(),
            )
        };
        transaction.promote(&plan, &record).unwrap();
        turns.push((plan, record));
    }
    turns
}

fn kernel(turns: &[(PromotionPlan, Vec<u8>)]) -> MemoryKernel {
    let store = MemoryStore::new();
    let mut transaction = store.begin().unwrap();
    transaction.start_run(&envelope("a")).unwrap();
    for (plan, record) in turns {
        transaction.promote(plan, record).unwrap();
    }
    transaction.commit().unwrap();
    Kernel::new(store)
}

fn replay(kernel: &MemoryKernel) -> ParityReport {
    let descriptor = RunDescriptor {
        run_id: run_id("a"),
        envelope_digest: None,
    };
    kernel.replay_run(&descriptor).unwrap()
}

#[test]
fn every_turn_replays() {
    let report = replay(&kernel(&recorded()));
    assert_eq!(report.outcome, Outcome::Pass, "{:?}", report.issues);
    assert_eq!(report.turns_compared, 3);
}

#[test]
fn a_turn_that_changes_nothing_replays_with_what_came_with_it() {
    let kernel = MemoryKernel::default();
    let mut run = crate::world::start(&kernel, "a");
    let raw = b"raw".to_vec();
    crate::world::play(
        &mut run,
        &TurnInput {
            attachments: BTreeMap::from([(Digest::of_bytes(&raw), raw.into())]),
            ..turn(1, vec![], &[])
        },
    );
    let report = replay(&kernel);
    assert_eq!(report.outcome, Outcome::Pass, "{:?}", report.issues);
}

/// Returns every text that differs from `value` in one place: a value changed, a member or an element left out. Each comes
/// with its place.
fn touched(value: &Value, place: &str) -> Vec<(String, Value)> {
    let mut all = Vec::new();
    let mut change = |value: Value| all.push((place.to_owned(), value));
    match value {
        Value::Null => change("null".into()),
        Value::Bool(is) => change((!is).into()),
        Value::Number(_) => change(77_u64.into()),
        Value::String(text) => {
            change(format!("{text}x").into());
            // A digest that is one still.
            if text.parse::<Digest>().is_ok() {
                change(Digest::of_bytes(text.as_bytes()).to_hex().into());
            }
        }
        Value::Array(elements) => {
            for (index, element) in elements.iter().enumerate() {
                let mut shorter = elements.clone();
                shorter.remove(index);
                all.push((format!("{place}/{index} left out"), Value::Array(shorter)));
                for (inner, other) in touched(element, &format!("{place}/{index}")) {
                    let mut elements = elements.clone();
                    elements[index] = other;
                    all.push((inner, Value::Array(elements)));
                }
            }
        }
        Value::Object(members) => {
            for (name, member) in members {
                let mut smaller = members.clone();
                smaller.remove(name);
                all.push((format!("{place}/{name} left out"), Value::Object(smaller)));
                for (inner, other) in touched(member, &format!("{place}/{name}")) {
                    let mut members = members.clone();
                    members.insert(name.clone(), other);
                    all.push((inner, Value::Object(members)));
                }
            }
        }
    }
    all
}

#[test]
fn a_record_that_was_touched_anywhere_never_passes() {
    let turns = recorded();
    let mut count = 0;
    let mut passed = Vec::new();
    for (index, (_, record)) in turns.iter().enumerate() {
        let value = canonical::parse(record).unwrap();
        for (place, value) in touched(&value, "") {
            let mut turns = turns.clone();
            turns[index].1 = canonical::to_bytes(&value);
            let report = replay(&kernel(&turns));
            assert_eq!(report.outcome == Outcome::Pass, report.issues.is_empty());
            if report.outcome == Outcome::Pass {
                passed.push(format!("turn {} {place}", index + 1));
            }
            count += 1;
        }
    }
    // That raw bytes came with a turn is no part of its result; only the digest of the whole record tells that one was dropped.
    assert_eq!(passed, ["turn 2 /attachments/0 left out"]);
    assert!(count > 200, "{count}");
}

/// Changes the result together with its digest, so that the record agrees with itself.
#[test]
fn a_result_that_was_changed_together_with_its_digest_diverges() {
    let turns = recorded();
    let mut trace = TurnTrace::parse(&turns[1].1).unwrap();
    trace.result.transition_evidence = object! { "inputs_digest" => "0" };
    trace.result_digest = trace.result.structural_digest();
    let mut touched = turns.clone();
    touched[1].1 = trace.to_bytes().unwrap();
    let report = replay(&kernel(&touched));
    assert_eq!(report.outcome, Outcome::Fail);
    assert_eq!(report.divergences[0].turn_id, turn_id(2));
    assert!(report.first_divergence.is_some());
}

#[test]
fn a_record_of_another_turn_or_no_record_at_all_fails() {
    let turns = recorded();
    for (name, record) in [
        ("that of the turn before", turns[0].1.clone()),
        ("empty", Vec::new()),
        ("no object", b"[]".to_vec()),
        ("cut", turns[1].1[..turns[1].1.len() - 1].to_vec()),
        ("no canonical text", [&turns[1].1[..], b"\n"].concat()),
    ] {
        let mut touched = turns.clone();
        touched[1].1 = record;
        let report = replay(&kernel(&touched));
        assert_eq!(report.outcome, Outcome::Fail, "{name}");
        assert_eq!(reason(&report.issues[0]), "trace", "{name}");
        assert_eq!(report.turns_compared, 2, "{name}");
    }
}

#[test]
fn a_run_that_has_no_turn_or_is_unknown_or_pinned_otherwise_fails() {
    let kernel = kernel(&recorded());
    crate::world::start(&kernel, "empty");
    for (run, pin, expected) in [
        ("empty", None, "empty_run"),
        ("nobody", None, "unknown_run"),
        ("a", Some(Digest::of_bytes(b"another")), "handle_mismatch"),
    ] {
        let descriptor = RunDescriptor {
            run_id: run_id(run),
            envelope_digest: pin,
        };
        let report = kernel.replay_run(&descriptor).unwrap();
        assert_eq!(report.outcome, Outcome::Fail, "{run}");
        assert_eq!(reason(&report.issues[0]), expected, "{run}");
    }
    assert!(
        kernel
            .store()
            .committed()
            .unwrap()
            .run(&run_id("nobody"))
            .unwrap()
            .is_none()
    );
}
