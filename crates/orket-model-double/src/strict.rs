//! Which members a chat request may have.

use serde_json::{Map, Value};

const REQUEST: &[&str] = &[
    "model",
    "messages",
    "stream",
    "format",
    "keep_alive",
    "tools",
    "options",
    "think",
    "truncate",
    "shift",
    "logprobs",
    "top_logprobs",
    "_debug_render_only",
];
const MESSAGE: &[&str] = &[
    "role",
    "content",
    "thinking",
    "images",
    "tool_calls",
    "tool_name",
    "tool_call_id",
];
const TOOL: &[&str] = &["type", "function"];
const TOOL_FUNCTION: &[&str] = &["name", "description", "parameters"];
const CALL: &[&str] = &["id", "function"];
const CALL_FUNCTION: &[&str] = &["index", "name", "arguments"];
const OPTIONS: &[&str] = &[
    "num_keep",
    "seed",
    "num_predict",
    "top_k",
    "top_p",
    "min_p",
    "typical_p",
    "repeat_last_n",
    "temperature",
    "repeat_penalty",
    "presence_penalty",
    "frequency_penalty",
    "stop",
    "num_ctx",
    "num_batch",
    "num_gpu",
    "main_gpu",
    "use_mmap",
    "num_thread",
    "draft_num_predict",
];

const OPENAI_REQUEST: &[&str] = &[
    "model",
    "messages",
    "stream",
    "stream_options",
    "temperature",
    "top_p",
    "seed",
    "max_tokens",
    "max_completion_tokens",
    "stop",
    "n",
    "presence_penalty",
    "frequency_penalty",
    "tools",
    "tool_choice",
    "parallel_tool_calls",
    "response_format",
    "reasoning_effort",
    "chat_template_kwargs",
    "cache_prompt",
    "user",
];
const OPENAI_MESSAGE: &[&str] = &["role", "content", "name", "tool_calls", "tool_call_id"];
const OPENAI_TOOL_FUNCTION: &[&str] = &["name", "description", "parameters", "strict"];
const OPENAI_CALL: &[&str] = &["id", "type", "function"];
const OPENAI_CALL_FUNCTION: &[&str] = &["name", "arguments"];

/// Names the first member of a request for a chat that the protocol of OpenAI does not know.
pub(crate) fn first_unexpected_of_openai(request: &Value) -> Option<String> {
    let members = request.as_object()?;
    unknown(members, OPENAI_REQUEST, "")
        .or_else(|| {
            each(members.get("messages"), "/messages", |message, place| {
                unknown(message, OPENAI_MESSAGE, place).or_else(|| {
                    let place = format!("{place}/tool_calls");
                    each(message.get("tool_calls"), &place, |call, place| {
                        with_function(call, place, OPENAI_CALL, OPENAI_CALL_FUNCTION)
                    })
                })
            })
        })
        .or_else(|| {
            each(members.get("tools"), "/tools", |tool, place| {
                with_function(tool, place, TOOL, OPENAI_TOOL_FUNCTION)
            })
        })
}

/// Names the first member of a chat request that Ollama does not know.
///
/// Ollama itself ignores such members, and a client that misspells one never learns of it.
pub(crate) fn first_unexpected(request: &Value) -> Option<String> {
    let request = request.as_object()?;
    unknown(request, REQUEST, "")
        .or_else(|| {
            let options = request.get("options")?.as_object()?;
            unknown(options, OPTIONS, "/options")
        })
        .or_else(|| each(request.get("messages"), "/messages", message))
        .or_else(|| {
            each(request.get("tools"), "/tools", |tool, place| {
                with_function(tool, place, TOOL, TOOL_FUNCTION)
            })
        })
}

fn message(message: &Map<String, Value>, place: &str) -> Option<String> {
    unknown(message, MESSAGE, place).or_else(|| {
        let place = format!("{place}/tool_calls");
        each(message.get("tool_calls"), &place, |call, place| {
            with_function(call, place, CALL, CALL_FUNCTION)
        })
    })
}

fn with_function(
    object: &Map<String, Value>,
    place: &str,
    known: &[&str],
    known_inside: &[&str],
) -> Option<String> {
    unknown(object, known, place).or_else(|| {
        let function = object.get("function")?.as_object()?;
        unknown(function, known_inside, &format!("{place}/function"))
    })
}

fn each(
    array: Option<&Value>,
    place: &str,
    check: impl Fn(&Map<String, Value>, &str) -> Option<String>,
) -> Option<String> {
    let elements = array?.as_array()?.iter().enumerate();
    elements
        .filter_map(|(index, element)| Some((index, element.as_object()?)))
        .find_map(|(index, element)| check(element, &format!("{place}/{index}")))
}

fn unknown(object: &Map<String, Value>, known: &[&str], place: &str) -> Option<String> {
    let mut keys = object.keys();
    let key = keys.find(|key| !known.contains(&key.as_str()))?;
    Some(format!("{place}/{key}"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_level_is_looked_at() {
        let function = json!({"name": "f", "description": "", "parameters": {"any": 1}});
        let good = json!({
            "model": "m", "stream": true, "options": {"seed": 1},
            "messages": [{"role": "assistant", "content": "", "tool_calls": [
                {"id": "x", "function": {"index": 0, "name": "f", "arguments": {"any": 1}}}]}],
            "tools": [{"type": "function", "function": function}],
        });
        assert_eq!(first_unexpected(&good), None);
        for place in [
            "",
            "/options",
            "/messages/0",
            "/messages/0/tool_calls/0",
            "/messages/0/tool_calls/0/function",
            "/tools/0",
            "/tools/0/function",
        ] {
            let mut bad = good.clone();
            bad.pointer_mut(place).unwrap()["odd"] = json!(1);
            assert_eq!(first_unexpected(&bad), Some(format!("{place}/odd")));
        }
    }
}
