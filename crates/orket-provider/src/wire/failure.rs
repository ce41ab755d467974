//! What a server says when it gives no answer, as an error of the port.

use orket_kernel::canonical::{self, Value};
use orket_ports::model::ModelError;

/// How much of a server's message an error keeps.
const REASON_CHARACTERS: usize = 400;

/// How often an error text may itself be JSON that holds an error.
const NESTED_TEXTS: usize = 4;

/// Returns the error that an answer with a status other than 200 means.
///
/// The body is `{"error": …}`, where the error may be an object or again a JSON text, because Ollama passes on what
/// its runner said; anything else is quoted as it stands. A 404 without such a body does not come from Ollama and
/// says nothing about a model.
///
/// ```
/// use orket_ports::ModelError;
/// use orket_provider::wire::failure;
///
/// let missing = failure(404, br#"{"error":"model 'q' not found"}"#, "q");
/// assert!(matches!(missing, ModelError::ModelMissing { .. }));
///
/// let nested = br#"{"error":"{\"error\":{\"code\":400,\"type\":\"exceed_context_size_error\",\"message\":\"too long\"}}"}"#;
/// assert_eq!(failure(400, nested, "q").to_string(), "the prompt does not fit the context window: too long");
/// ```
pub fn failure(status: u16, body: &[u8], model: &str) -> ModelError {
    let parsed = canonical::parse(body).ok();
    match parsed.as_ref().and_then(|body| body.get("error")) {
        Some(error) => named_failure(status, error, model),
        None => {
            let text = String::from_utf8_lossy(body);
            let reason = match text.trim() {
                "" => "no message".to_owned(),
                text => cut(text),
            };
            unnamed_failure(status, reason)
        }
    }
}

/// Returns the error that a member `error` means; a status of 200 stands for a line inside a stream.
pub(crate) fn named_failure(status: u16, error: &Value, model: &str) -> ModelError {
    let Message {
        reason,
        is_overflow,
    } = Message::read(error);
    let model = model.to_owned();
    match status {
        200 | 400 | 413 | 500 if is_overflow => ModelError::ContextOverflow { reason },
        404 => ModelError::ModelMissing { model, reason },
        400 | 500 | 501 if speaks_of_capability(&reason) => {
            ModelError::CapabilityMissing { model, reason }
        }
        501 => ModelError::CapabilityMissing { model, reason },
        _ => unnamed_failure(status, reason),
    }
}

fn unnamed_failure(status: u16, reason: String) -> ModelError {
    match status {
        401 | 403 => ModelError::Refused { status, reason },
        429 | 503 => ModelError::Overloaded {
            reason,
            retry_after_seconds: None,
        },
        _ => ModelError::Server { status, reason },
    }
}

struct Message {
    reason: String,
    is_overflow: bool,
}

impl Message {
    fn read(error: &Value) -> Message {
        let mut error = error.clone();
        let mut is_overflow = false;
        for _ in 0..NESTED_TEXTS {
            let kind = error.get("type").and_then(Value::as_str);
            let code = error.get("code").and_then(Value::as_str);
            is_overflow |= kind == Some("exceed_context_size_error")
                || code == Some("context_length_exceeded");
            let inner = match &error {
                Value::String(text) => canonical::parse(text.as_bytes())
                    .ok()
                    .filter(|inner| inner.as_object().is_some()),
                Value::Object(members) => members
                    .get("error")
                    .or_else(|| members.get("message"))
                    .cloned(),
                _ => None,
            };
            match inner {
                Some(inner) => error = inner,
                None => break,
            }
        }
        let text = error
            .as_str()
            .map_or_else(|| error.to_string(), str::to_owned);
        Message {
            is_overflow: is_overflow || speaks_of_overflow(&text),
            reason: cut(text.trim()),
        }
    }
}

/// Tells whether a message is one of those by which servers say that model or server cannot do something at all.
fn speaks_of_capability(text: &str) -> bool {
    let text = text.to_lowercase();
    ["does not support ", "requires --jinja", "not_supported"]
        .iter()
        .any(|words| text.contains(words))
}

/// Tells whether a message is one of those by which servers refuse a prompt that is too long: Ollama and its runner, vLLM.
fn speaks_of_overflow(text: &str) -> bool {
    let text = text.to_lowercase();
    let names_window = ["context length", "context size", "context window"]
        .iter()
        .any(|name| text.contains(name));
    let says_too_long = [
        "exceed",
        "longer",
        "too long",
        "too large",
        "does not fit",
        "reduce the length",
    ]
    .iter()
    .any(|word| text.contains(word));
    text.contains("exceed_context_size_error") || (names_window && says_too_long)
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(REASON_CHARACTERS) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}…", &text[..end]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_known_message_has_its_error() {
        let cases: [(u16, &str, &str); 19] = [
            (
                401,
                r#"{"error":{"code":401,"message":"Invalid API Key","type":"authentication_error"}}"#,
                "the model server refused the call with 401: Invalid API Key",
            ),
            (403, "no", "the model server refused the call with 403: no"),
            (
                503,
                r#"{"error":{"code":503,"message":"Loading model","type":"unavailable_error"}}"#,
                "the model server has no room for the call now: Loading model",
            ),
            (
                500,
                r#"{"error":{"code":500,"message":"tools param requires --jinja flag","type":"server_error"}}"#,
                "the model m cannot do what is asked of it: tools param requires --jinja flag",
            ),
            (
                501,
                r#"{"error":{"code":501,"message":"This server does not know it","type":"not_supported_error"}}"#,
                "the model m cannot do what is asked of it: This server does not know it",
            ),
            (
                400,
                r#"{"error":{"message":"This model's maximum context length is 4096 tokens. However, you requested 5000 tokens. Please reduce the length of the messages.","type":"BadRequestError","param":null,"code":400}}"#,
                "the prompt does not fit the context window: This model's maximum context length is 4096 tokens. However, you requested 5000 tokens. Please reduce the length of the messages.",
            ),
            (
                400,
                r#"{"error":{"message":"too many","code":"context_length_exceeded"}}"#,
                "the prompt does not fit the context window: too many",
            ),
            (
                404,
                r#"{"error":"model \"m\" not found, try pulling it first"}"#,
                r#"the model server does not have the model m: model "m" not found, try pulling it first"#,
            ),
            (
                404,
                "404 page not found",
                "the model server answered 404: 404 page not found",
            ),
            (
                400,
                r#"{"error":"\"m\" does not support tools"}"#,
                r#"the model m cannot do what is asked of it: "m" does not support tools"#,
            ),
            (
                400,
                r#"{"error":"the prompt is longer than the context length currently available to the model; shorten it"}"#,
                "the prompt does not fit the context window: the prompt is longer than the context length currently available to the model; shorten it",
            ),
            (
                400,
                r#"{"error":{"code":400,"message":"request (2009 tokens) exceeds the available context size (512 tokens), try increasing it","type":"exceed_context_size_error"}}"#,
                "the prompt does not fit the context window: request (2009 tokens) exceeds the available context size (512 tokens), try increasing it",
            ),
            (
                500,
                r#"{"error":"{\"error\":{\"type\":\"exceed_context_size_error\"}}"}"#,
                r#"the prompt does not fit the context window: {"type":"exceed_context_size_error"}"#,
            ),
            (
                503,
                r#"{"error":"server busy, please try again.  maximum pending requests exceeded"}"#,
                "the model server has no room for the call now: server busy, please try again.  maximum pending requests exceeded",
            ),
            (500, "", "the model server answered 500: no message"),
            (502, "<html>", "the model server answered 502: <html>"),
            (
                500,
                r#"{"error":null}"#,
                "the model server answered 500: null",
            ),
            (
                500,
                r#"{"error":"{\"error\":\"{\\\"message\\\":\\\"deep\\\"}\"}"}"#,
                "the model server answered 500: deep",
            ),
            (
                500,
                "\u{ff}{\"error\":1}",
                "the model server answered 500: \u{ff}{\"error\":1}",
            ),
        ];
        for (status, body, expected) in cases {
            assert_eq!(
                failure(status, body.as_bytes(), "m").to_string(),
                expected,
                "{body}"
            );
        }
    }

    #[test]
    fn a_long_message_is_cut() {
        let body = format!(r#"{{"error":"{}"}}"#, "é".repeat(5000));
        let shown = failure(500, body.as_bytes(), "m").to_string();
        assert!(
            shown.chars().count() < 450 && shown.ends_with("é…"),
            "{shown}"
        );
    }
}
