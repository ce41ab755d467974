//! The body of `POST /v1/chat/completions`.

use std::collections::VecDeque;

use orket_kernel::canonical::{self, Value};
use orket_kernel::object;
use orket_ports::model::{Message, ModelRequest, Speaker, Think};

use crate::wire::unsendable::{self, UnsendableRequest};
use crate::wire::value::insert;

/// Returns the body of the chat request.
///
/// Sampling and the length of the answer are always said, and the counts of tokens are asked for. The window is not: these
/// servers set it when they start, and [`preflight`](orket_ports::ModelProvider::preflight) compares it. Calls have ids that
/// follow from their place, so equal requests have equal bytes.
///
/// # Errors
/// Fails if an option is out of its range, if a schema and tools are asked for at once, or if a result of a tool follows no
/// call.
///
/// ```
/// use orket_ports::model::{Message, ModelOptions, ModelRequest, Speaker};
/// use orket_provider::wire::openai;
///
/// let request = ModelRequest {
///     model: "qwen3".to_owned(),
///     messages: vec![Message::text(Speaker::User, "Hello")],
///     tools: vec![],
///     options: ModelOptions { seed: 7, num_ctx: 8192, ..ModelOptions::default() },
///     format: None,
/// };
/// assert_eq!(
///     openai::body(&request)?.to_string(),
///     r#"{"max_tokens":1024,"messages":[{"content":"Hello","role":"user"}],"model":"qwen3","seed":7,"stream":true,"#
///         .to_owned() + r#""stream_options":{"include_usage":true},"temperature":0.0}"#
/// );
/// # Ok::<(), orket_provider::wire::UnsendableRequest>(())
/// ```
pub fn body(request: &ModelRequest) -> Result<Value, UnsendableRequest> {
    let temperature = unsendable::check(request)?;
    let mut body = object! {
        "model" => request.model.as_str(),
        "messages" => messages(&request.messages)?,
        "stream" => true,
        "stream_options" => object! { "include_usage" => true },
        "temperature" => temperature,
        "seed" => request.options.seed,
        "max_tokens" => request.options.num_predict,
    };
    if !request.tools.is_empty() {
        let tools = request.tools.iter().map(|tool| {
            object! {
                "type" => "function",
                "function" => object! {
                    "name" => tool.name.as_str(),
                    "description" => tool.description.as_str(),
                    "parameters" => tool.parameters.clone(),
                },
            }
        });
        insert(&mut body, "tools", tools.collect::<Vec<_>>().into());
    }
    if let Some(format) = &request.format {
        let schema = object! { "name" => "answer", "strict" => true, "schema" => format.clone() };
        let format = object! { "type" => "json_schema", "json_schema" => schema };
        insert(&mut body, "response_format", format);
    }
    let template = |thinks: bool| object! { "enable_thinking" => thinks };
    match request.options.think {
        None => {}
        Some(Think::Off) => insert(&mut body, "chat_template_kwargs", template(false)),
        Some(Think::On) => insert(&mut body, "chat_template_kwargs", template(true)),
        Some(Think::Low) => insert(&mut body, "reasoning_effort", "low".into()),
        Some(Think::Medium) => insert(&mut body, "reasoning_effort", "medium".into()),
        Some(Think::High) => insert(&mut body, "reasoning_effort", "high".into()),
    }
    Ok(body)
}

/// Calls that wait for their result: the id and the tool.
type Waiting<'a> = VecDeque<(String, &'a str)>;

fn messages(messages: &[Message]) -> Result<Vec<Value>, UnsendableRequest> {
    let mut waiting = Waiting::new();
    let mut wire = Vec::new();
    for (place, message) in messages.iter().enumerate() {
        wire.push(match message.speaker {
            Speaker::System => plain("system", message),
            Speaker::User => plain("user", message),
            Speaker::Assistant => assistant(place, message, &mut waiting),
            Speaker::Tool => {
                let mut result = plain("tool", message);
                let id = answered(message, &mut waiting)
                    .ok_or(UnsendableRequest::ResultWithoutCall { message: place })?;
                insert(&mut result, "tool_call_id", id.into());
                result
            }
        });
    }
    Ok(wire)
}

fn plain(role: &str, message: &Message) -> Value {
    object! { "role" => role, "content" => message.content.as_str() }
}

fn assistant<'a>(place: usize, message: &'a Message, waiting: &mut Waiting<'a>) -> Value {
    let mut wire = plain("assistant", message);
    let mut calls = Vec::new();
    for (number, call) in message.tool_calls.iter().enumerate() {
        let id = format!("call_{place}_{number}");
        calls.push(object! {
            "id" => id.as_str(),
            "type" => "function",
            "function" => object! {
                "name" => call.name.as_str(),
                "arguments" => canonical::to_string(&call.arguments),
            },
        });
        waiting.push_back((id, &call.name));
    }
    if !calls.is_empty() {
        insert(&mut wire, "tool_calls", calls.into());
    }
    wire
}

/// Takes the id of the first waiting call of the tool whose result a message is; of any tool if it does not say.
fn answered(message: &Message, waiting: &mut Waiting<'_>) -> Option<String> {
    let place = match &message.tool_name {
        Some(name) => waiting.iter().position(|(_, tool)| tool == name)?,
        None => 0,
    };
    waiting.remove(place).map(|(id, _)| id)
}

#[cfg(test)]
mod tests {
    use orket_ports::model::{ModelOptions, ToolCall, ToolOffer};

    use super::*;

    fn request(messages: Vec<Message>) -> ModelRequest {
        ModelRequest {
            model: "m".to_owned(),
            messages,
            tools: vec![],
            options: ModelOptions::default(),
            format: None,
        }
    }

    fn call(name: &str) -> ToolCall {
        ToolCall {
            name: name.to_owned(),
            arguments: object! { "a" => 1u64 },
        }
    }

    fn result(name: &str) -> Message {
        Message {
            tool_name: Some(name.to_owned()),
            ..Message::text(Speaker::Tool, "done")
        }
    }

    #[test]
    fn results_name_the_call_they_belong_to() {
        let mut asks = Message::text(Speaker::Assistant, "");
        asks.tool_calls = vec![call("f"), call("g"), call("f")];
        let body = body(&request(vec![asks, result("g"), result("f"), result("f")])).unwrap();
        let shown = |pointer: &str| body.pointer(pointer).unwrap().to_string();
        assert_eq!(
            shown("/messages/0/tool_calls/1"),
            r#"{"function":{"arguments":"{\"a\":1}","name":"g"},"id":"call_0_1","type":"function"}"#
        );
        let ids = [1, 2, 3].map(|place| shown(&format!("/messages/{place}/tool_call_id")));
        assert_eq!(ids, [r#""call_0_1""#, r#""call_0_0""#, r#""call_0_2""#]);
    }

    #[test]
    fn a_result_without_a_call_is_refused() {
        let mut asks = Message::text(Speaker::Assistant, "");
        asks.tool_calls = vec![call("f")];
        for results in [vec![result("g")], vec![result("f"), result("f")]] {
            let mut messages = vec![asks.clone()];
            messages.extend(results);
            let error = body(&request(messages)).unwrap_err();
            assert!(matches!(error, UnsendableRequest::ResultWithoutCall { .. }));
        }
    }

    #[test]
    fn tools_schema_and_thinking_have_their_members() {
        let mut asked = request(vec![]);
        asked.format = Some(object! { "type" => "object" });
        asked.options.think = Some(Think::Off);
        let shown = body(&asked).unwrap().to_string();
        for part in [
            r#""chat_template_kwargs":{"enable_thinking":false}"#,
            r#""response_format":{"json_schema":{"name":"answer","schema":{"type":"object"},"strict":true},"type":"json_schema"}"#,
        ] {
            assert!(shown.contains(part), "{shown}");
        }
        let mut asked = request(vec![]);
        asked.options.think = Some(Think::High);
        asked.tools.push(ToolOffer {
            name: "f".to_owned(),
            description: "F.".to_owned(),
            parameters: object! {},
        });
        let shown = body(&asked).unwrap().to_string();
        for part in [
            r#""reasoning_effort":"high""#,
            r#""tools":[{"function":{"description":"F.","name":"f","parameters":{}},"type":"function"}]"#,
        ] {
            assert!(shown.contains(part), "{shown}");
        }
    }
}
