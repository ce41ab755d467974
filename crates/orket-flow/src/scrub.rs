//! Taking secrets out of what comes from outside, before anything parses, judges, digests or keeps it.
//!
//! What a turn sees is what its record holds, so a replay needs neither the secrets nor the scrubber.

use std::collections::BTreeMap;

use orket_cards::AssetError;
use orket_kernel::canonical::{self, Value};
use orket_ports::model::{Message, ModelAnswer, ModelRequest, ToolCall};
use orket_ports::{ModelError, Refusal};
use orket_secrets::Scrubber;

use crate::error::{RunError, bug};
use crate::play::Play;

/// Members of assets that hold text for people and models; everything else is a name that something refers to.
const PROSE: &[&str] = &["base_url", "description", "none", "prompt", "title"];

/// Takes secrets out of all texts of a value: those of members, elements, names and numbers.
pub fn value(scrubber: &Scrubber, value: Value) -> Value {
    member(scrubber, "", value)
}

fn member(scrubber: &Scrubber, name: &str, value: Value) -> Value {
    match value {
        Value::String(text) => Value::String(scrubber.member(name, &text).into_owned()),
        // A value of digits may arrive as a number.
        Value::Number(number) => {
            let text = number.to_string();
            match scrubber.text(&text) {
                scrubbed if scrubbed == text => Value::Number(number),
                scrubbed => Value::String(scrubbed.into_owned()),
            }
        }
        Value::Array(elements) => {
            let scrubbed = elements.into_iter().map(|it| member(scrubber, name, it));
            Value::Array(scrubbed.collect())
        }
        Value::Object(members) => {
            let scrubbed = members.into_iter().map(|(name, value)| {
                let value = member(scrubber, &name, value);
                (scrubber.text(&name).into_owned(), value)
            });
            Value::Object(scrubbed.collect::<BTreeMap<_, _>>())
        }
        Value::Null | Value::Bool(_) => value,
    }
}

pub(crate) fn text(scrubber: &Scrubber, text: String) -> String {
    scrubber.text(&text).into_owned()
}

/// Takes secrets out of a request, before its digest becomes the key of its answer.
pub(crate) fn request(scrubber: &Scrubber, request: ModelRequest) -> ModelRequest {
    let message = |message: Message| Message {
        content: text(scrubber, message.content),
        tool_calls: calls(scrubber, message.tool_calls),
        ..message
    };
    ModelRequest {
        messages: request.messages.into_iter().map(message).collect(),
        ..request
    }
}

/// Takes secrets out of an answer, before anything parses or keeps it.
pub(crate) fn answer(scrubber: &Scrubber, answer: ModelAnswer) -> ModelAnswer {
    ModelAnswer {
        content: text(scrubber, answer.content),
        thinking: answer.thinking.map(|thinking| text(scrubber, thinking)),
        tool_calls: calls(scrubber, answer.tool_calls),
        done_reason: answer.done_reason.map(|reason| text(scrubber, reason)),
        prompt_tokens: answer.prompt_tokens,
        completion_tokens: answer.completion_tokens,
        cached_tokens: answer.cached_tokens,
    }
}

fn calls(scrubber: &Scrubber, calls: Vec<ToolCall>) -> Vec<ToolCall> {
    let scrubbed = calls.into_iter().map(|call| ToolCall {
        name: text(scrubber, call.name),
        arguments: value(scrubber, call.arguments),
    });
    scrubbed.collect()
}

pub(crate) fn refusal(scrubber: &Scrubber, refusal: Refusal) -> Refusal {
    Refusal {
        message: text(scrubber, refusal.message),
        ..refusal
    }
}

/// Takes secrets out of what a server said when it failed.
pub(crate) fn error(scrubber: &Scrubber, error: ModelError) -> ModelError {
    use ModelError::*;
    let text = |it| text(scrubber, it);
    match error {
        Unreachable { url, reason } => Unreachable {
            url: text(url),
            reason: text(reason),
        },
        ModelMissing { model, reason } => ModelMissing {
            model: text(model),
            reason: text(reason),
        },
        ContextOverflow { reason } => ContextOverflow {
            reason: text(reason),
        },
        Overloaded {
            reason,
            retry_after_seconds,
        } => Overloaded {
            reason: text(reason),
            retry_after_seconds,
        },
        CapabilityMissing { model, reason } => CapabilityMissing {
            model: text(model),
            reason: text(reason),
        },
        WindowTooSmall {
            model,
            has_tokens,
            needs_tokens,
        } => WindowTooSmall {
            model: text(model),
            has_tokens,
            needs_tokens,
        },
        Changed {
            model,
            what,
            then,
            now,
        } => Changed {
            model: text(model),
            what,
            then: text(then),
            now: text(now),
        },
        PromptCut { reason } => PromptCut {
            reason: text(reason),
        },
        Refused { status, reason } => Refused {
            status,
            reason: text(reason),
        },
        Unsendable { reason } => Unsendable {
            reason: text(reason),
        },
        Truncated { reason } => Truncated {
            reason: text(reason),
        },
        Server { status, reason } => Server {
            status,
            reason: text(reason),
        },
        Protocol { reason } => Protocol {
            reason: text(reason),
        },
        NotLocal { model, host } => NotLocal {
            model: text(model),
            host: text(host),
        },
        NotRecorded { digest, difference } => NotRecorded {
            digest,
            difference: text(difference),
        },
        BadRecording { place, reason } => BadRecording {
            place: text(place),
            reason: text(reason),
        },
        Timeout { .. } | TooLong { .. } | Cancelled => error,
    }
}

/// Takes secrets out of what a run plays from, before it is fixed in the envelope of the run.
///
/// # Errors
/// Names the place of a secret in a name: what refers to it would not find it any more.
pub(crate) fn play(scrubber: &Scrubber, play: Play) -> Result<Play, RunError> {
    let before = canonical::to_value(&play)?;
    let after = value(scrubber, before.clone());
    if before == after {
        return Ok(play);
    }
    if let Some(pointer) = changed_name(&before, &after, "", "") {
        let reason =
            format!("what it plays from holds a secret in a name, at {pointer}; take it out");
        let file = text(scrubber, play.epic_file);
        return Err(AssetError {
            file,
            line: None,
            reason,
        }
        .into());
    }
    canonical::from_value(after)
        .map_err(|error| bug(&format!("the scrubbed play cannot be read: {error}")))
}

/// Returns where two values differ in something else than prose.
fn changed_name(before: &Value, after: &Value, name: &str, pointer: &str) -> Option<String> {
    match (before, after) {
        (Value::Object(before), Value::Object(after)) => {
            let names = before.keys().zip(after.keys());
            if before.len() != after.len() || names.clone().any(|(before, after)| before != after) {
                return Some(format!("{pointer}/"));
            }
            let mut members = before.iter().zip(after.values());
            members.find_map(|((name, before), after)| {
                changed_name(before, after, name, &format!("{pointer}/{name}"))
            })
        }
        (Value::Array(before), Value::Array(after)) => {
            let mut elements = (0..).zip(before.iter().zip(after));
            elements.find_map(|(index, (before, after))| {
                changed_name(before, after, name, &format!("{pointer}/{index}"))
            })
        }
        _ if before == after || PROSE.contains(&name) => None,
        _ => Some(pointer.to_owned()),
    }
}
