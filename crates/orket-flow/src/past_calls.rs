//! The calls of a run that the capability jail decided, read back with their decisions.

use orket_cards::{TurnRecord, TurnSnapshot};
use orket_kernel::capability::{Decision, ToolRequest};
use orket_kernel::{RunId, TurnId};

use crate::replay::{ReplayError, corrupt, find_run, recorded_result};

/// The decided calls of one promoted turn, or of one failed attempt at it.
#[derive(Clone, Debug)]
pub struct PastCalls {
    /// The turn.
    pub turn_id: TurnId,
    /// The attempt, counted from 1.
    pub attempt: u64,
    /// Whether the attempt was promoted.
    pub is_promoted: bool,
    /// The calls of the judged answer with their decisions, in order.
    pub calls: Vec<(ToolRequest, Decision)>,
}

/// Reads every decision of a run with its call, in the order of turns and attempts. Attempts without a judged answer are
/// left out.
///
/// # Errors
/// Says which record is missing, malformed or does not fit the journal; a part of the decisions is never returned.
///
/// # Limitations
/// Returned are the decisions about the answer that was judged. Those about an answer that was malformed and then put right
/// are kept with its exchange and not returned.
pub fn past_calls(
    snapshot: &dyn TurnSnapshot,
    run_id: &RunId,
) -> Result<Vec<PastCalls>, ReplayError> {
    find_run(snapshot, run_id)?;
    let mut past = Vec::new();
    for row in snapshot.attempts(run_id)? {
        let record = snapshot.turn_record(&row.record_digest)?;
        if record.turn_id != row.turn_id || record.attempt != row.attempt {
            return Err(corrupt(&format!(
                "{} attempt {} of the run {run_id}: the record is of another attempt",
                row.turn_id, row.attempt
            )));
        }
        past.extend(decided(run_id, record, false)?);
    }
    for row in snapshot.turns(run_id)? {
        let (record, _) = recorded_result(snapshot, run_id, &row)?;
        past.extend(decided(run_id, record, true)?);
    }
    past.sort_by_key(|calls| (calls.turn_id, calls.attempt));
    Ok(past)
}

fn decided(
    run_id: &RunId,
    record: TurnRecord,
    is_promoted: bool,
) -> Result<Option<PastCalls>, ReplayError> {
    let fault = |what: &str| {
        Err(corrupt(&format!(
            "{} attempt {} of the run {run_id}: {what}",
            record.turn_id, record.attempt
        )))
    };
    if record.run_id != run_id.as_str() {
        return fault("the record is of another run");
    }
    // Calls beyond the most that an answer may hold are refused together and not decided one by one.
    if record.decisions.len() != record.calls.len().min(crate::govern::CALLS_MAX) {
        return fault("there is not one decision for each call");
    }
    let mut calls = Vec::new();
    for ((ordinal, decision), call) in (0..).zip(&record.decisions).zip(&record.calls) {
        if decision.ordinal != ordinal || decision.run_id.as_ref() != Some(run_id) {
            return fault("a decision is of another call");
        }
        let request = ToolRequest {
            role: record.role.clone(),
            task: record.step.clone(),
            tool: call.tool.clone(),
            // The tool said it then; it may say otherwise now.
            action: decision.action.clone(),
            arguments: call.arguments.clone(),
        };
        calls.push((request, decision.clone()));
    }
    Ok((!calls.is_empty()).then_some(PastCalls {
        turn_id: record.turn_id,
        attempt: record.attempt,
        is_promoted,
        calls,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use orket_cards::{CallRecord, Cause, TURN_RECORD_VERSION, Tokens};
    use orket_kernel::canonical::Value;
    use orket_kernel::capability::{Action, Policy, authorize, reconsider};
    use orket_kernel::object;

    fn run() -> RunId {
        "run-1".parse().unwrap()
    }

    /// Makes the record of an attempt that wrote two files.
    fn record() -> TurnRecord {
        let policy = Policy::deny_all().grant("coder", "build", "write_file");
        let arguments = |ordinal: u64| object! { "path" => format!("agent_output/{ordinal}") };
        let decide = |ordinal| {
            let request = ToolRequest {
                role: "coder".into(),
                task: "build".into(),
                tool: "write_file".into(),
                action: Action::WRITE,
                arguments: arguments(ordinal),
            };
            authorize(&policy, &run(), ordinal, &request)
        };
        let call = |ordinal| CallRecord {
            tool: "write_file".into(),
            arguments: arguments(ordinal),
            result: Value::Null,
        };
        TurnRecord {
            version: TURN_RECORD_VERSION.into(),
            run_id: "run-1".into(),
            turn_id: TurnId::FIRST,
            attempt: 1,
            card: None,
            role: "coder".into(),
            step: "build".into(),
            cause: Cause::Answer,
            exchanges: Vec::new(),
            judged: true,
            said: String::new(),
            calls: vec![call(0), call(1)],
            decisions: vec![decide(0), decide(1)],
            outcomes: Vec::new(),
            reads: Value::Null,
            result: None,
            refusals: Vec::new(),
            tokens: Tokens::default(),
            notes: Value::Null,
        }
    }

    #[test]
    fn each_call_comes_back_with_its_decision() {
        let past = decided(&run(), record(), false).unwrap().unwrap();
        assert_eq!(
            (past.attempt, past.is_promoted, past.calls.len()),
            (1, false, 2)
        );
        let otherwise = reconsider(&Policy::deny_all(), &past.calls).unwrap();
        assert_eq!(otherwise.len(), 2);
    }

    #[test]
    fn an_attempt_without_calls_is_left_out() {
        let mut record = record();
        record.calls.clear();
        record.decisions.clear();
        assert!(decided(&run(), record, false).unwrap().is_none());
    }

    type Bend = (&'static str, fn(&mut TurnRecord));

    #[test]
    fn law_8_a_record_with_calls_and_decisions_that_do_not_fit_is_refused() {
        let bends: [Bend; 6] = [
            ("one decision is missing", |it| it.decisions.truncate(1)),
            ("one call is missing", |it| it.calls.truncate(1)),
            ("the decisions change places", |it| it.decisions.swap(0, 1)),
            ("a decision of another run", |it| {
                it.decisions[1].run_id = "run-2".parse().ok();
            }),
            ("a decision of no run", |it| it.decisions[1].run_id = None),
            ("another run", |it| it.run_id = "run-2".into()),
        ];
        for (name, bend) in bends {
            let mut record = record();
            bend(&mut record);
            assert!(decided(&run(), record, true).is_err(), "{name}");
        }
        // What fits by number and place and not by content is refused when it is reconsidered.
        let bends: [Bend; 3] = [
            ("other arguments", |it| it.calls[1].arguments = object! {}),
            ("another role", |it| it.role = "guard".into()),
            ("another verdict", |it| {
                it.decisions[0].verdict = orket_kernel::capability::Verdict::Denied;
            }),
        ];
        for (name, bend) in bends {
            let mut record = record();
            bend(&mut record);
            let past = decided(&run(), record, true).unwrap().unwrap();
            assert!(
                reconsider(&Policy::deny_all(), &past.calls).is_err(),
                "{name}"
            );
        }
    }
}
