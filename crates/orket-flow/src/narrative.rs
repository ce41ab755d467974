//! Events: what a run tells.

use std::collections::BTreeSet;

use orket_cards::{CallRecord, Card, Cause, TurnRecord};
use orket_kernel::canonical::Value;
use orket_kernel::{Digest, RunId, object};
use orket_ports::event::EVENT_VERSION;
use orket_ports::{Clock, Event};

use crate::play::Play;
use crate::verification::Verified;

/// Writes the events of one run.
pub(crate) struct Narrator<'a> {
    pub(crate) run_id: RunId,
    pub(crate) clock: &'a dyn Clock,
}

impl Narrator<'_> {
    /// Makes an event without a sequence number; the store numbers it if it is committed.
    pub(crate) fn event(&self, name: &str, data: Value) -> Event {
        Event {
            version: EVENT_VERSION.into(),
            run_id: self.run_id.to_string(),
            seq: None,
            time: self.clock.now(),
            event: name.into(),
            data,
        }
    }

    pub(crate) fn run_start(&self, play: &Play, tier: &str, cards: &[Card]) -> Event {
        self.event(
            "run_start",
            object! {
                "epic" => play.epic.name.as_str(),
                "flow" => play.flow.name.as_str(),
                "venue" => play.venue.name.as_str(),
                "model" => play.venue.model.as_str(),
                "sandbox_tier" => tier,
                "cards" => cards.iter().map(|card| Value::from(card.id.as_str())).collect::<Vec<_>>(),
            },
        )
    }

    pub(crate) fn verification(&self, card: &Card, verified: &Verified) -> Event {
        let checks = verified
            .evidence()
            .and_then(|outcome| outcome.get("checks"))
            .cloned();
        self.event(
            "verification",
            object! {
                "card" => card.id.as_str(),
                "state" => verified.state().as_str(),
                "checks" => checks.unwrap_or_else(|| Value::from(Vec::<Value>::new())),
            },
        )
    }

    pub(crate) fn turn_complete(
        &self,
        record: &TurnRecord,
        from: &str,
        to: &str,
        files: &[String],
        removed: &BTreeSet<String>,
    ) -> Event {
        let digest = record
            .result
            .as_ref()
            .map(|result| result.structural_digest());
        self.event(
            "turn_complete",
            object! {
                "turn" => record.turn_id.to_string(),
                "card" => card(record),
                "role" => record.role.as_str(),
                "step" => record.step.as_str(),
                "attempt" => record.attempt,
                "exchanges" => record.exchanges.len() as u64,
                "from" => from,
                "to" => to,
                "files" => files.iter().map(|path| Value::from(path.as_str())).collect::<Vec<_>>(),
                "removed" => removed.iter().map(|path| Value::from(path.as_str())).collect::<Vec<_>>(),
                "calls" => record.calls.iter().map(call).collect::<Vec<_>>(),
                "result_digest" => digest.map_or(Value::Null, |digest: Digest| digest.to_hex().into()),
                "tokens" => tokens(record),
            },
        )
    }

    /// Tells who did what in an operator's turn.
    pub(crate) fn operator(&self, record: &TurnRecord) -> Event {
        let author = match &record.cause {
            Cause::Operator { author, .. } => Value::from(author.as_str()),
            _ => Value::Null,
        };
        let result = record.result.as_ref();
        let changes = result.and_then(|result| result.transition_evidence.get("changes"));
        self.event(
            "operator",
            object! {
                "turn" => record.turn_id.to_string(),
                "author" => author,
                "action" => record.step.as_str(),
                "changes" => changes.cloned().unwrap_or_else(|| Value::from(Vec::<Value>::new())),
            },
        )
    }

    pub(crate) fn turn_failed(&self, record: &TurnRecord) -> Event {
        self.event(
            "turn_failed",
            object! {
                "turn" => record.turn_id.to_string(),
                "card" => card(record),
                "role" => record.role.as_str(),
                "step" => record.step.as_str(),
                "attempt" => record.attempt,
                "refusals" => record.refusals.iter().map(|r| Value::from(r.as_str())).collect::<Vec<_>>(),
                "codes" => codes(record),
                "tokens" => tokens(record),
            },
        )
    }

    pub(crate) fn step_end(&self, record: &TurnRecord, outcome: &str) -> Event {
        self.event(
            "step_end",
            object! {
                "turn" => record.turn_id.to_string(),
                "card" => card(record),
                "role" => record.role.as_str(),
                "step" => record.step.as_str(),
                "outcome" => outcome,
            },
        )
    }
}

fn card(record: &TurnRecord) -> Value {
    record
        .card
        .as_ref()
        .map_or(Value::Null, |card| card.as_str().into())
}

fn tokens(record: &TurnRecord) -> Value {
    object! { "prompt" => record.tokens.prompt, "completion" => record.tokens.completion }
}

fn codes(record: &TurnRecord) -> Vec<Value> {
    let issues = record.result.iter().flat_map(|result| &result.issues);
    let mut codes: Vec<&str> = issues
        .filter(|issue| issue.is_failure())
        .map(|issue| issue.code.as_str())
        .collect();
    codes.sort_unstable();
    codes.dedup();
    codes.into_iter().map(Value::from).collect()
}

fn call(record: &CallRecord) -> Value {
    object! { "tool" => record.tool.as_str(), "target" => target(&record.tool, &record.arguments) }
}

/// Says in a few words what a call is about.
pub(crate) fn target(tool: &str, arguments: &Value) -> String {
    let text = |key| arguments.get(key).and_then(Value::as_str);
    let target = match tool {
        "update_issue_status" => {
            let status = text("status").unwrap_or("?");
            text("issue_id").map_or_else(|| status.to_owned(), |card| format!("{card} {status}"))
        }
        "run_command" => {
            let words = arguments.get("command").and_then(Value::as_array);
            let words = words.into_iter().flatten().filter_map(Value::as_str);
            words.collect::<Vec<_>>().join(" ")
        }
        "add_issue_comment" => text("comment").unwrap_or_default().to_owned(),
        "create_issue" => text("title").unwrap_or_default().to_owned(),
        "get_issue_context" => text("issue_id").unwrap_or_default().to_owned(),
        "search_files" => text("text").unwrap_or_default().to_owned(),
        _ => text("path").unwrap_or_default().to_owned(),
    };
    let line: String = target
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    if line.chars().count() > 60 {
        let cut: String = line.chars().take(59).collect();
        return format!("{cut}…");
    }
    line
}
