//! The body of `POST /api/chat`.

use orket_kernel::canonical::Value;
use orket_kernel::object;
use orket_ports::model::{Message, ModelRequest, Speaker, Think, ToolCall, ToolOffer};

use crate::wire::unsendable::{self, UnsendableRequest};
use crate::wire::value::insert;

/// Returns the body of the chat request.
///
/// Everything that a server could otherwise decide is said: the window, the seed, the length of the answer, and that
/// nothing may be cut from the prompt (`truncate`) or from the window while the answer grows (`shift`). The body
/// holds nothing that differs between two equal requests, so its digest is the key of a recording.
///
/// # Errors
/// Fails if an option is out of its range, or if a schema and tools are asked for at once.
///
/// ```
/// use orket_ports::model::{Message, ModelOptions, ModelRequest, Speaker};
/// use orket_provider::wire::ollama;
///
/// let request = ModelRequest {
///     model: "qwen3:4b".to_owned(),
///     messages: vec![Message::text(Speaker::User, "Hello")],
///     tools: vec![],
///     options: ModelOptions { seed: 7, num_ctx: 8192, ..ModelOptions::default() },
///     format: None,
/// };
/// assert_eq!(
///     ollama::body(&request)?.to_string(),
///     r#"{"keep_alive":"5m","messages":[{"content":"Hello","role":"user"}],"model":"qwen3:4b","options":"#.to_owned()
///         + r#"{"num_ctx":8192,"num_predict":1024,"seed":7,"temperature":0.0},"shift":false,"stream":true,"#
///         + r#""truncate":false}"#
/// );
/// # Ok::<(), orket_provider::wire::UnsendableRequest>(())
/// ```
pub fn body(request: &ModelRequest) -> Result<Value, UnsendableRequest> {
    let temperature = unsendable::check(request)?;
    let keep_alive = match request.options.keep_alive_seconds {
        None => "5m".to_owned(),
        Some(seconds) => format!("{seconds}s"),
    };
    let messages: Vec<Value> = request.messages.iter().map(message).collect();
    let mut body = object! {
        "model" => request.model.as_str(),
        "messages" => messages,
        "stream" => true,
        "truncate" => false,
        "shift" => false,
        "keep_alive" => keep_alive,
        "options" => object! {
            "temperature" => temperature,
            "seed" => request.options.seed,
            "num_ctx" => request.options.num_ctx,
            "num_predict" => request.options.num_predict,
        },
    };
    if !request.tools.is_empty() {
        let tools: Vec<Value> = request.tools.iter().map(tool).collect();
        insert(&mut body, "tools", tools.into());
    }
    if let Some(format) = &request.format {
        insert(&mut body, "format", format.clone());
    }
    if let Some(think) = request.options.think {
        insert(&mut body, "think", thinking(think));
    }
    Ok(body)
}

fn thinking(think: Think) -> Value {
    match think {
        Think::Off => false.into(),
        Think::On => true.into(),
        Think::Low => "low".into(),
        Think::Medium => "medium".into(),
        Think::High => "high".into(),
    }
}

fn message(message: &Message) -> Value {
    let role = match message.speaker {
        Speaker::System => "system",
        Speaker::User => "user",
        Speaker::Assistant => "assistant",
        Speaker::Tool => "tool",
    };
    let mut wire = object! { "role" => role, "content" => message.content.as_str() };
    if !message.tool_calls.is_empty() {
        let calls: Vec<Value> = message.tool_calls.iter().map(call).collect();
        insert(&mut wire, "tool_calls", calls.into());
    }
    if message.speaker == Speaker::Tool
        && let Some(name) = &message.tool_name
    {
        insert(&mut wire, "tool_name", name.as_str().into());
    }
    wire
}

fn call(call: &ToolCall) -> Value {
    object! {
        "function" => object! { "name" => call.name.as_str(), "arguments" => call.arguments.clone() },
    }
}

fn tool(offer: &ToolOffer) -> Value {
    object! {
        "type" => "function",
        "function" => object! {
            "name" => offer.name.as_str(),
            "description" => offer.description.as_str(),
            "parameters" => offer.parameters.clone(),
        },
    }
}

#[cfg(test)]
mod tests {
    use orket_ports::model::ModelOptions;

    use super::*;

    fn request(messages: Vec<Message>, tools: Vec<ToolOffer>, temperature: f64) -> ModelRequest {
        ModelRequest {
            model: "m".to_owned(),
            messages,
            tools,
            options: ModelOptions {
                temperature,
                seed: -1,
                num_ctx: 4096,
                num_predict: 64,
                ..ModelOptions::default()
            },
            format: None,
        }
    }

    #[test]
    fn calls_tool_answers_and_tools_have_ollamas_shape() {
        let mut asks = Message::text(Speaker::Assistant, "");
        asks.tool_calls.push(ToolCall {
            name: "read_file".to_owned(),
            arguments: object! { "path" => "a.txt" },
        });
        let mut told = Message::text(Speaker::Tool, "text");
        told.tool_name = Some("read_file".to_owned());
        let offer = ToolOffer {
            name: "read_file".to_owned(),
            description: "Reads.".to_owned(),
            parameters: object! { "type" => "object" },
        };
        let body = body(&request(vec![asks, told], vec![offer], 0.5)).unwrap();
        let shown = |pointer: &str| body.pointer(pointer).unwrap().to_string();
        assert_eq!(
            shown("/messages"),
            r#"[{"content":"","role":"assistant","tool_calls":[{"function":{"arguments":{"path":"a.txt"},"name":"read_file"}}]},{"content":"text","role":"tool","tool_name":"read_file"}]"#
        );
        assert_eq!(
            shown("/tools"),
            r#"[{"function":{"description":"Reads.","name":"read_file","parameters":{"type":"object"}},"type":"function"}]"#
        );
        assert_eq!(
            shown("/options"),
            r#"{"num_ctx":4096,"num_predict":64,"seed":-1,"temperature":0.5}"#
        );
    }

    #[test]
    fn what_is_not_said_by_default_is_said_when_asked_for() {
        let mut asked = request(vec![], vec![], 0.0);
        asked.options.keep_alive_seconds = Some(0);
        asked.format = Some(object! { "type" => "object" });
        for (think, shown) in [
            (Think::Off, "false"),
            (Think::On, "true"),
            (Think::Low, "\"low\""),
            (Think::Medium, "\"medium\""),
            (Think::High, "\"high\""),
        ] {
            asked.options.think = Some(think);
            let body = body(&asked).unwrap();
            assert_eq!(body.get("think").unwrap().to_string(), shown);
            assert_eq!(body.get("keep_alive").unwrap().as_str(), Some("0s"));
            assert_eq!(
                body.get("format").unwrap().to_string(),
                r#"{"type":"object"}"#
            );
        }
    }

    #[test]
    fn what_no_server_could_do_right_is_refused() {
        let refused = |change: &dyn Fn(&mut ModelRequest)| {
            let mut asked = request(vec![], vec![], 0.0);
            change(&mut asked);
            body(&asked).unwrap_err().to_string()
        };
        assert_eq!(
            refused(&|asked| asked.options.temperature = f64::NAN),
            "the temperature NaN is not a finite number"
        );
        for num_predict in [0, 4096] {
            assert_eq!(
                refused(&|asked| asked.options.num_predict = num_predict),
                format!(
                    "options.num_predict is {num_predict}; it must be at least 1 and less than options.num_ctx, 4096"
                )
            );
        }
        let both = refused(&|asked| {
            asked.format = Some(object! {});
            asked.tools.push(ToolOffer {
                name: "f".to_owned(),
                description: String::new(),
                parameters: object! {},
            });
        });
        assert_eq!(
            both,
            "a schema for the answer and tools cannot be sent in one request"
        );
    }
}
