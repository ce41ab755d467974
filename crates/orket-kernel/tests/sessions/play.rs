//! Plays every session over a store in memory.

use orket_kernel::canonical::{self, Value};
use orket_kernel::wire::{self, Operation};
use orket_kernel::{Kernel, MemoryStore, Outcome, event};

use crate::session::{Session, Step, load, mismatch};

const SESSIONS_MIN: usize = 160;

/// Carries out one request; returns the exit code as the command line has it, and the answer as it is printed.
fn carry_out(kernel: &Kernel<MemoryStore>, step: &Step) -> (u64, Vec<u8>) {
    let operation = Operation::parse(&step.operation).unwrap();
    match wire::call(Some(kernel), operation, &step.request) {
        Ok(answer) => {
            let exit = match answer.outcome {
                Outcome::Pass => 0,
                Outcome::Fail => 1,
            };
            (exit, answer.to_bytes().unwrap())
        }
        Err(error) => {
            let answer = error.answer(operation);
            let answer = answer.unwrap_or_else(|| panic!("the store failed: {error}"));
            (2, canonical::serialize(&answer).unwrap())
        }
    }
}

/// Says what is wrong with an answer, if anything is.
fn judge(step: &Step, exit: u64, printed: &[u8]) -> Result<(), String> {
    let answer = canonical::parse(printed).map_err(|error| error.to_string())?;
    if canonical::to_bytes(&answer) != printed {
        return Err("the answer is not canonical".into());
    }
    if exit != step.exit {
        return Err(format!(
            "exit code {exit}, expected {}: {answer}",
            step.exit
        ));
    }
    match mismatch(&step.answer, &answer, "") {
        Some(mismatch) => Err(mismatch),
        None => check_events(&answer, ""),
    }
}

/// Wherever issues and events stand side by side, the events are the issues, line by line.
fn check_events(value: &Value, place: &str) -> Result<(), String> {
    let children: Vec<(String, &Value)> = match value {
        Value::Object(members) => members.iter().map(|(k, v)| (k.clone(), v)).collect(),
        Value::Array(items) => (0..).map(|n: u32| n.to_string()).zip(items).collect(),
        _ => return Ok(()),
    };
    if let (Some(issues), Some(events)) = (value.get("issues"), value.get("events")) {
        let issues = issues.as_array().unwrap();
        let parsed: Vec<Value> = events
            .as_array()
            .unwrap()
            .iter()
            .map(|line| event::parse(line.as_str().unwrap()))
            .map(|issue| canonical::to_value(&issue).unwrap())
            .collect();
        if parsed != issues {
            return Err(format!("{place}/events are not the issues"));
        }
    }
    children
        .into_iter()
        .try_for_each(|(key, child)| check_events(child, &format!("{place}/{key}")))
}

fn play(session: &Session) -> Result<(), String> {
    let kernel = Kernel::new(MemoryStore::new());
    for (number, step) in session.steps.iter().enumerate() {
        let (exit, printed) = carry_out(&kernel, step);
        judge(step, exit, &printed).map_err(|found| {
            let Session { slug, name, .. } = session;
            format!(
                "{slug}: {name}\n  step {number}, {}: {found}",
                step.operation
            )
        })?;
    }
    Ok(())
}

#[test]
fn every_session_is_answered_as_the_oracle_says() {
    let sessions = load();
    let count = sessions.len();
    assert!(count >= SESSIONS_MIN, "{count} sessions were found");
    let wrong: Vec<String> = sessions
        .iter()
        .filter_map(|session| play(session).err())
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}
