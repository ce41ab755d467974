//! Tool calls that arrive in fragments.

use std::collections::BTreeMap;

use orket_kernel::canonical::{self, Value};
use orket_kernel::object;
use orket_ports::model::{ModelError, ToolCall};

use crate::wire::value::{count, present, text};

/// How many calls an answer may have.
const CALLS_MAX: usize = 256;

/// The calls of an answer, by their index.
#[derive(Debug, Default)]
pub(super) struct Calls(BTreeMap<u64, Fragments>);

#[derive(Debug, Default)]
struct Fragments {
    id: Option<String>,
    name: String,
    arguments: String,
}

impl Calls {
    /// Takes one element of `tool_calls`; returns how many bytes it brought.
    pub(super) fn take(&mut self, fragment: &Value) -> Result<usize, String> {
        // A server that sends calls whole may leave the index out; then each is a call of its own.
        let next = self.0.keys().next_back().map_or(0, |last| last + 1);
        let id = text(fragment, "id")?.filter(|id| !id.is_empty());
        let mut index = count(fragment, "index")?.unwrap_or(next);
        let is_another =
            |known: &Fragments| matches!((&known.id, id), (Some(known), Some(id)) if known != id);
        // Some servers give every call the index 0; the id tells them apart.
        if self.0.get(&index).is_some_and(is_another) {
            index = next;
        }
        if !self.0.contains_key(&index) && self.0.len() == CALLS_MAX {
            return Err(format!("it has more than {CALLS_MAX} tool calls"));
        }
        let call = self.0.entry(index).or_default();
        if let Some(id) = id {
            call.id.get_or_insert_with(|| id.to_owned());
        }
        let Some(function) = present(fragment, "function") else {
            return Ok(0);
        };
        let mut bytes = 0;
        if let Some(name) = text(function, "name")? {
            // The name comes once; servers that repeat it repeat the same.
            if call.name.is_empty() {
                call.name = name.to_owned();
                bytes += name.len();
            } else if !name.is_empty() && call.name != name {
                return Err(format!(
                    "one tool call is named {:?} and {name:?}",
                    call.name
                ));
            }
        }
        match present(function, "arguments") {
            None => {}
            Some(Value::String(piece)) => {
                call.arguments.push_str(piece);
                bytes += piece.len();
            }
            // Some servers send an object, as Ollama's own protocol does.
            Some(object) => {
                let piece = canonical::to_string(object);
                bytes += piece.len();
                call.arguments.push_str(&piece);
            }
        }
        Ok(bytes)
    }

    /// Returns the calls in the order of their index.
    ///
    /// Arguments that are not JSON stay a text: whether they fit is not for the wire to judge, and nothing is guessed.
    pub(super) fn finish(self) -> Result<Vec<ToolCall>, ModelError> {
        let calls = self.0.into_values().map(|call| {
            if call.name.is_empty() {
                return Err(ModelError::Protocol {
                    reason: "a tool call has no name".to_owned(),
                });
            }
            let arguments = if call.arguments.trim().is_empty() {
                object! {}
            } else {
                canonical::parse(call.arguments.as_bytes()).unwrap_or(Value::String(call.arguments))
            };
            Ok(ToolCall {
                name: call.name,
                arguments,
            })
        });
        calls.collect()
    }
}
