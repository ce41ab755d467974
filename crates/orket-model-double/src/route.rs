//! Which endpoint answers a request.

use serde_json::{Value, json};

use crate::double::Shared;
use crate::reply::Reply;
use crate::request::Received;
use crate::script::Exchange;
use crate::settings::Flavour;
use crate::{catalog, chat, openai};

/// Returns the response to a request and keeps a chat exchange.
pub(crate) fn reply(shared: &Shared, request: &Received) -> Reply {
    let json = request.json.as_ref();
    let path = request.path.as_str();
    if path.starts_with("/v1/")
        && let Some(refusal) = openai::refused(shared, request.header("authorization"))
    {
        return refusal;
    }
    match (request.method.as_str(), path) {
        ("GET" | "HEAD", "/") => Reply::text(
            200,
            "text/plain; charset=utf-8",
            "Ollama is running".to_owned(),
        ),
        ("GET" | "HEAD", "/api/version") => Reply::json(200, &json!({ "version": "0.33.0" })),
        ("GET" | "HEAD", "/api/tags") => Reply::json(200, &catalog::tags(&shared.models())),
        ("GET", "/api/ps") => Reply::json(200, &catalog::running(&shared.loaded())),
        ("POST", "/api/show") => show(shared, json),
        ("GET", "/v1/models") => Reply::json(
            200,
            &catalog::openai_models(&shared.models(), shared.settings.flavour, shared.window()),
        ),
        ("GET", "/props") if shared.settings.flavour == Flavour::LlamaCpp => {
            let models = shared.models();
            Reply::json(200, &catalog::props(models.first(), shared.window()))
        }
        ("POST", "/api/chat") => kept(shared, json, chat::chat(shared, &request.body, json)),
        ("POST", "/v1/chat/completions") => kept(shared, json, openai::chat(shared, json)),
        (
            _,
            "/"
            | "/api/version"
            | "/api/tags"
            | "/api/show"
            | "/api/chat"
            | "/api/ps"
            | "/v1/models"
            | "/v1/chat/completions",
        ) => Reply::text(405, "text/plain", "405 method not allowed".to_owned()),
        _ => Reply::text(404, "text/plain", "404 page not found".to_owned()),
    }
}

fn kept(shared: &Shared, json: Option<&Value>, reply: Reply) -> Reply {
    shared.keep_exchange(Exchange {
        request: json.cloned().unwrap_or_default(),
        status: reply.status,
        lines: reply.lines(),
    });
    reply
}

fn show(shared: &Shared, request: Option<&Value>) -> Reply {
    let model = request
        .and_then(|request| request.get("model"))
        .and_then(Value::as_str);
    match model {
        None | Some("") => Reply::error(400, "model is required"),
        Some(model) => match shared.find(model) {
            Some(found) => Reply::json(200, &catalog::show(&found)),
            None => Reply::error(404, &format!("model '{model}' not found")),
        },
    }
}
