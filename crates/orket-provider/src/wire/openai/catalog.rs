//! What these servers say about their models: `/v1/models`.

use orket_kernel::canonical::Value;
use orket_ports::model::{ModelFacts, ModelListing};

use crate::wire::value::{present, text};

/// Whose server it seems to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Owner {
    /// Ollama, whose window this protocol cannot set.
    Ollama,
    Another,
}

/// Reads `/v1/models`, sorted by name.
pub(crate) fn listings(models: &Value) -> Result<Vec<(ModelListing, Owner)>, String> {
    let data = present(models, "data")
        .and_then(Value::as_array)
        .ok_or("`data` is not an array")?;
    let mut listings = Vec::new();
    for model in data {
        let name = text(model, "id")?.ok_or("a model has no id")?;
        let owned_by = text(model, "owned_by")?.unwrap_or_default();
        let meta = model.get("meta");
        // llama.cpp says the window it runs with, vLLM the longest request it takes.
        let window = meta
            .and_then(|meta| meta.get("n_ctx"))
            .or_else(|| model.get("max_model_len"))
            .and_then(Value::as_u64);
        // No server of this protocol tells a digest; the size and the number of parameters change with most models.
        let size = meta
            .and_then(|meta| meta.get("size"))
            .and_then(Value::as_u64);
        let parameters = meta
            .and_then(|meta| meta.get("n_params"))
            .and_then(Value::as_u64);
        let digest = match (size, parameters) {
            (Some(size), Some(parameters)) => {
                Some(format!("{size} bytes, {parameters} parameters"))
            }
            _ => None,
        };
        let listing = ModelListing {
            name: name.to_owned(),
            capabilities: None,
            context_tokens: window,
            facts: ModelFacts {
                digest,
                ..ModelFacts::default()
            },
            remote_host: None,
        };
        let owner = if owned_by == "library" {
            Owner::Ollama
        } else {
            Owner::Another
        };
        listings.push((listing, owner));
    }
    listings.sort_by(|(one, _), (two, _)| one.name.cmp(&two.name));
    Ok(listings)
}
