//! The body of `POST /api/chat`.

use orket_kernel::canonical::{Number, Value};
use orket_kernel::object;
use orket_ports::model::{Message, ModelError, ModelRequest, Speaker, ToolCall, ToolOffer};

/// Says why a request has no wire form.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnsendableRequest {
    /// The temperature is NaN or infinite.
    #[error("the temperature {text} is not a finite number")]
    Temperature {
        /// The temperature as Rust prints it.
        text: String,
    },
}

impl From<UnsendableRequest> for ModelError {
    /// The port has no variant for a request that cannot be sent; 400 is what a server would say, and is not retried.
    fn from(error: UnsendableRequest) -> ModelError {
        ModelError::Server {
            status: 400,
            reason: format!("not sent: {error}"),
        }
    }
}

/// Returns the body of the chat request.
///
/// Everything that a server could otherwise decide is said: the window, the seed, the length of the answer, and that
/// nothing may be cut from the prompt (`truncate`) or from the window while the answer grows (`shift`). The body
/// holds nothing that differs between two equal requests, so its digest is the key of a recording.
///
/// # Errors
/// Fails if the temperature is not a finite number.
///
/// ```
/// use orket_ports::model::{Message, ModelOptions, ModelRequest, Speaker};
/// use orket_provider::wire::ollama;
///
/// let request = ModelRequest {
///     model: "qwen3:4b".to_owned(),
///     messages: vec![Message::text(Speaker::User, "Hello")],
///     tools: vec![],
///     options: ModelOptions { temperature: 0.0, seed: 7, num_ctx: 8192, num_predict: 1024 },
/// };
/// assert_eq!(
///     ollama::body(&request)?.to_string(),
///     r#"{"keep_alive":"5m","messages":[{"content":"Hello","role":"user"}],"model":"qwen3:4b","options":"#.to_owned()
///         + r#"{"num_ctx":8192,"num_predict":1024,"seed":7,"temperature":0.0},"shift":false,"stream":true,"#
///         + r#""truncate":false}"#
/// );
/// # Ok::<(), ollama::UnsendableRequest>(())
/// ```
pub fn body(request: &ModelRequest) -> Result<Value, UnsendableRequest> {
    let temperature = request.options.temperature;
    let temperature = Number::from_f64(temperature).ok_or(UnsendableRequest::Temperature {
        text: temperature.to_string(),
    })?;
    let messages: Vec<Value> = request.messages.iter().map(message).collect();
    let mut body = object! {
        "model" => request.model.as_str(),
        "messages" => messages,
        "stream" => true,
        "truncate" => false,
        "shift" => false,
        "keep_alive" => "5m",
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
    Ok(body)
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

fn insert(object: &mut Value, key: &str, value: Value) {
    if let Value::Object(members) = object {
        members.insert(key.to_owned(), value);
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
            },
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
    fn a_temperature_without_a_text_is_refused() {
        let refused = body(&request(vec![], vec![], f64::NAN)).unwrap_err();
        assert_eq!(
            refused.to_string(),
            "the temperature NaN is not a finite number"
        );
        assert!(!ModelError::from(refused).is_worth_retrying());
    }
}
