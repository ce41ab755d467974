//! What the server says about its models.

use serde_json::{Value, json};

const MODIFIED_AT: &str = "2026-01-01T00:00:00Z";

/// Returns the answer to `GET /api/tags`; a model's digest follows from its name.
pub(crate) fn tags(models: &[String]) -> Value {
    let models: Vec<Value> = models
        .iter()
        .map(|name| {
            json!({
                "name": name, "model": name, "modified_at": MODIFIED_AT, "size": 1_000_000,
                "digest": crate::digest(&json!(name)), "details": details(),
            })
        })
        .collect();
    json!({ "models": models })
}

/// Returns the answer to `POST /api/show`.
pub(crate) fn show() -> Value {
    json!({
        "modelfile": "# scripted", "parameters": "", "template": "{{ .Prompt }}", "details": details(),
        "model_info": {"general.architecture": "scripted", "scripted.context_length": 131_072},
        "capabilities": ["completion", "tools", "thinking"], "modified_at": MODIFIED_AT,
    })
}

fn details() -> Value {
    json!({
        "parent_model": "", "format": "gguf", "family": "scripted", "families": ["scripted"],
        "parameter_size": "0B", "quantization_level": "F16",
    })
}
