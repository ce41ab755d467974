//! The chat endpoint.

use serde_json::{Value, json};

use crate::difference::first_difference;
use crate::double::Shared;
use crate::reply::Reply;
use crate::script::{Exchange, Script};
use crate::{Model, stream, strict, window};

/// Returns the response to a chat request.
pub(crate) fn chat(shared: &Shared, body: &[u8], json: Option<&Value>) -> Reply {
    let request = match json {
        Some(request) => request,
        None if body.is_empty() => return Reply::error(400, "missing request body"),
        None => return Reply::error(400, "invalid JSON in the request body"),
    };
    let model = match check(shared, request) {
        Ok(model) => model,
        Err(reply) => return *reply,
    };
    let is_empty = request["messages"].as_array().is_none_or(Vec::is_empty);
    if is_empty {
        return load(request, &model.name);
    }
    let options = &request["options"];
    let counts = shared.settings.window.as_ref();
    let count = match counts
        .map(|window| window::ollama(window, request))
        .transpose()
    {
        Ok(count) => count,
        Err(reply) => return *reply,
    };
    shared.load(&model.name, options["num_ctx"].as_u64());
    match &shared.script {
        Script::Exchanges(exchanges) => exchanged(exchanges, request, stream::NDJSON),
        Script::Sequence(answers) => match shared.next_answer(answers) {
            Some(answer) => {
                let is_streamed = request["stream"].as_bool().unwrap_or(true);
                let mut answer = answer.counted(count, options["num_predict"].as_u64());
                if request.get("format").is_some() {
                    // Many models call no tool when their text has a schema.
                    answer.tool_calls.clear();
                }
                if request["think"] == false {
                    answer.thinking = None;
                }
                if answer.faults.remote_host.is_none() {
                    answer.faults.remote_host.clone_from(&model.remote_host);
                }
                stream::reply(&answer, &model.name, is_streamed)
            }
            None => Reply::error(500, "the script has no answer left"),
        },
    }
}

/// Returns the model if the request is one that the server takes.
fn check(shared: &Shared, request: &Value) -> Result<Model, Box<Reply>> {
    let refuse = |error: &str| Err(Box::new(Reply::error(400, error)));
    let Some(members) = request.as_object() else {
        return refuse("the request is not an object");
    };
    let model = match members.get("model").and_then(Value::as_str) {
        None | Some("") => return refuse("model is required"),
        Some(model) => model,
    };
    let has_type = |key: &str, is_right: fn(&Value) -> bool| members.get(key).is_none_or(is_right);
    if !has_type("messages", Value::is_array)
        || !has_type("stream", Value::is_boolean)
        || !has_type("options", Value::is_object)
        || !has_type("tools", Value::is_array)
        || !has_type("truncate", Value::is_boolean)
        || !has_type("shift", Value::is_boolean)
    {
        return refuse("json: cannot unmarshal a member of the request into its type");
    }
    if !has_type("format", |format| format.is_object() || format == "json") {
        return refuse("invalid format; expected \"json\" or a valid JSON Schema object");
    }
    if shared.settings.is_strict
        && let Some(place) = strict::first_unexpected(request)
    {
        return refuse(&format!("unexpected member {place} in the request"));
    }
    let Some(found) = shared.find(model) else {
        return Err(Box::new(Reply::error(
            404,
            &format!("model '{model}' not found"),
        )));
    };
    let has_tools = request["tools"]
        .as_array()
        .is_some_and(|tools| !tools.is_empty());
    let thinks = request["think"] == true || request["think"].is_string();
    for (capability, is_asked) in [("tools", has_tools), ("thinking", thinks)] {
        if is_asked && !found.can(capability) {
            return refuse(&format!("{model:?} does not support {capability}"));
        }
    }
    Ok(found)
}

/// Answers a request without messages, which only loads or unloads the model.
fn load(request: &Value, model: &str) -> Reply {
    let reason = if request["keep_alive"] == 0 {
        "unload"
    } else {
        "load"
    };
    let record = json!({
        "model": model, "created_at": "2026-01-01T00:00:00Z",
        "message": {"role": "assistant", "content": ""}, "done": true, "done_reason": reason,
    });
    Reply::json(200, &record)
}

pub(crate) fn exchanged(
    exchanges: &[Exchange],
    request: &Value,
    content_type: &'static str,
) -> Reply {
    if let Some(found) = exchanges
        .iter()
        .find(|exchange| exchange.request == *request)
    {
        return stream::replayed(found.status, &found.lines, content_type);
    }
    let nearest = exchanges
        .iter()
        .rev()
        .max_by_key(|exchange| equal_messages(&exchange.request, request));
    let difference = nearest
        .and_then(|exchange| first_difference(&exchange.request, request))
        .unwrap_or_else(|| "the script has no exchange".to_owned());
    Reply::error(
        404,
        &format!("the request is not in the script: {difference}"),
    )
}

/// Counts the messages at the beginning that two requests share.
fn equal_messages(scripted: &Value, asked: &Value) -> usize {
    match (
        scripted["messages"].as_array(),
        asked["messages"].as_array(),
    ) {
        (Some(scripted), Some(asked)) => {
            let pairs = scripted.iter().zip(asked);
            pairs
                .take_while(|(scripted, asked)| scripted == asked)
                .count()
        }
        _ => 0,
    }
}
