//! Which endpoint answers a request.

use serde_json::{Value, json};

use crate::double::Shared;
use crate::reply::Reply;
use crate::request::Received;
use crate::script::Exchange;
use crate::{catalog, chat};

/// Returns the response to a request and keeps a chat exchange.
pub(crate) fn reply(shared: &Shared, request: &Received) -> Reply {
    let json = request.json.as_ref();
    match (request.method.as_str(), request.path.as_str()) {
        ("GET" | "HEAD", "/") => Reply::text(
            200,
            "text/plain; charset=utf-8",
            "Ollama is running".to_owned(),
        ),
        ("GET" | "HEAD", "/api/version") => Reply::json(200, &json!({ "version": "0.33.0" })),
        ("GET" | "HEAD", "/api/tags") => Reply::json(200, &catalog::tags(&shared.models())),
        ("POST", "/api/show") => show(shared, json),
        ("POST", "/api/chat") => {
            let reply = chat::chat(shared, &request.body, json);
            shared.keep_exchange(Exchange {
                request: json.cloned().unwrap_or_default(),
                status: reply.status,
                lines: reply.lines(),
            });
            reply
        }
        (_, "/" | "/api/version" | "/api/tags" | "/api/show" | "/api/chat") => {
            Reply::text(405, "text/plain", "405 method not allowed".to_owned())
        }
        _ => Reply::text(404, "text/plain", "404 page not found".to_owned()),
    }
}

fn show(shared: &Shared, request: Option<&Value>) -> Reply {
    let model = request
        .and_then(|request| request.get("model"))
        .and_then(Value::as_str);
    match model {
        None | Some("") => Reply::error(400, "model is required"),
        Some(model) if shared.knows(model) => Reply::json(200, &catalog::show()),
        Some(model) => Reply::error(404, &format!("model '{model}' not found")),
    }
}
