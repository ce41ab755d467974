//! What the server says about its models.

use serde_json::{Value, json};

use crate::Model;
use crate::settings::Flavour;

const MODIFIED_AT: &str = "2026-01-01T00:00:00Z";

/// Returns the answer to `GET /api/tags`.
pub(crate) fn tags(models: &[Model]) -> Value {
    let models: Vec<Value> = models
        .iter()
        .map(|model| {
            let mut shown = json!({
                "name": model.name, "model": model.name, "modified_at": MODIFIED_AT, "size": 1_000_000,
                "digest": model.full_digest(), "details": details(),
            });
            model.add_remote(&mut shown);
            shown
        })
        .collect();
    json!({ "models": models })
}

/// Returns the answer to `POST /api/show`.
pub(crate) fn show(model: &Model) -> Value {
    let mut shown = json!({
        "modelfile": "# scripted", "parameters": "", "template": model.template, "details": details(),
        "model_info": {"general.architecture": "scripted", "scripted.context_length": model.context_length},
        "capabilities": model.capabilities, "modified_at": MODIFIED_AT,
    });
    model.add_remote(&mut shown);
    shown
}

/// Returns the answer to `GET /api/ps` for models and the windows they are loaded with.
pub(crate) fn running(loaded: &[(Model, u64)]) -> Value {
    let models: Vec<Value> = loaded
        .iter()
        .map(|(model, window)| {
            json!({
                "name": model.name, "model": model.name, "size": 1_000_000, "digest": model.full_digest(),
                "details": details(), "expires_at": "2026-01-01T00:05:00Z", "size_vram": 0,
                "context_length": window,
            })
        })
        .collect();
    json!({ "models": models })
}

/// Returns the answer to `GET /v1/models`.
pub(crate) fn openai_models(models: &[Model], flavour: Flavour, window: u64) -> Value {
    let data: Vec<Value> = models
        .iter()
        .map(|model| {
            let mut shown = json!({
                "id": model.name, "object": "model", "created": 1_767_225_600,
                "owned_by": match flavour {
                    Flavour::Ollama => "library",
                    Flavour::LlamaCpp => "llamacpp",
                    Flavour::Vllm => "vllm",
                },
            });
            match flavour {
                Flavour::Ollama => {}
                Flavour::LlamaCpp => {
                    shown["meta"] = json!({
                        "n_ctx": window, "n_ctx_train": model.context_length, "n_params": 4_000_000_000_u64,
                        "size": 1_000_000,
                    });
                }
                Flavour::Vllm => shown["max_model_len"] = json!(window),
            }
            shown
        })
        .collect();
    json!({ "object": "list", "data": data })
}

/// Returns the answer to `GET /props`, which only llama.cpp has.
pub(crate) fn props(model: Option<&Model>, window: u64) -> Value {
    json!({
        "build_info": "b10499-6d05498",
        "chat_template": model.map_or("", |model| &model.template),
        "default_generation_settings": {"n_ctx": window},
        "total_slots": 1,
    })
}

fn details() -> Value {
    json!({
        "parent_model": "", "format": "gguf", "family": "scripted", "families": ["scripted"],
        "parameter_size": "0B", "quantization_level": "F16",
    })
}
