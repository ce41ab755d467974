//! One line of an answer.

use orket_kernel::canonical::{self, Limits, Value};
use orket_ports::model::{Delta, ModelError, ToolCall};

use super::cloud::refuse_remote;
use crate::wire::failure::named_failure;
use crate::wire::value::{count, present, text};

/// How many arrays and objects may lie inside each other in a line.
const DEPTH: usize = 128;

/// What a line says.
pub(super) struct Record {
    /// What it adds to the answer, in order.
    pub(super) deltas: Vec<Delta>,
    /// How the answer ended, if this is the terminal record.
    pub(super) end: Option<End>,
}

/// The facts of the terminal record.
pub(super) struct End {
    pub(super) done_reason: Option<String>,
    pub(super) prompt_tokens: Option<u64>,
    pub(super) completion_tokens: Option<u64>,
}

impl Record {
    /// Reads a line without its line ending.
    pub(super) fn read(line: &[u8], number: u64, model: &str) -> Result<Record, ModelError> {
        let not_understood = |reason: String| ModelError::Protocol {
            reason: format!("line {number} of the answer: {reason}"),
        };
        let limits = Limits {
            max_depth: DEPTH,
            ..Limits::default()
        };
        let record = canonical::parse_with(line, &limits)
            .map_err(|error| not_understood(error.to_string()))?;
        if record.as_object().is_none() {
            return Err(not_understood("it is not an object".to_owned()));
        }
        refuse_remote(&record, model)?;
        if let Some(error) = present(&record, "error") {
            return Err(named_failure(200, error, model));
        }
        Record::from_object(&record).map_err(not_understood)
    }

    fn from_object(record: &Value) -> Result<Record, String> {
        let done = record
            .get("done")
            .and_then(Value::as_bool)
            .ok_or("it does not say whether the answer is done")?;
        let deltas = match present(record, "message") {
            Some(message) => deltas(message)?,
            None => Vec::new(),
        };
        let end = if done { Some(End::read(record)?) } else { None };
        Ok(Record { deltas, end })
    }
}

impl End {
    fn read(record: &Value) -> Result<End, String> {
        Ok(End {
            done_reason: text(record, "done_reason")?.map(str::to_owned),
            prompt_tokens: count(record, "prompt_eval_count")?,
            completion_tokens: count(record, "eval_count")?,
        })
    }
}

fn deltas(message: &Value) -> Result<Vec<Delta>, String> {
    if message.as_object().is_none() {
        return Err("`message` is not an object".to_owned());
    }
    match text(message, "role")? {
        None | Some("assistant") => {}
        Some(role) => return Err(format!("the role of the message is {role:?}")),
    }
    let mut deltas = Vec::new();
    let pieces = [
        (
            text(message, "thinking")?,
            Delta::Thinking as fn(String) -> Delta,
        ),
        (
            text(message, "content")?,
            Delta::Content as fn(String) -> Delta,
        ),
    ];
    for (piece, delta) in pieces {
        match piece {
            None | Some("") => {}
            Some(piece) => deltas.push(delta(piece.to_owned())),
        }
    }
    if let Some(calls) = present(message, "tool_calls") {
        let calls = calls.as_array().ok_or("`tool_calls` is not an array")?;
        for call in calls {
            deltas.push(Delta::ToolCall(tool_call(call)?));
        }
    }
    Ok(deltas)
}

/// Reads a call; its arguments stay as they are, right or wrong: whether they fit is not for the wire to judge.
///
/// The call's `id` is drawn at random by the server and is left behind.
fn tool_call(call: &Value) -> Result<ToolCall, String> {
    let function = call
        .get("function")
        .ok_or("a tool call has no `function`")?;
    let name = text(function, "name")?.ok_or("a tool call has no name")?;
    Ok(ToolCall {
        name: name.to_owned(),
        arguments: function.get("arguments").cloned().unwrap_or_default(),
    })
}
