//! What a server says about its models before one is asked.

use std::time::Duration;

use orket_kernel::canonical::{self, Value};
use orket_ports::model::{Cancellation, ModelError, ModelFacts, ModelListing, ModelRequest};

use super::OpenAiCompatible;
use crate::http::Method;
use crate::wire::ollama::loaded_window;
use crate::wire::openai::{self as wire, Owner};
use crate::wire::value::text;

/// How long the server may take to say what it has.
const TIMEOUT: Duration = Duration::from_secs(30);

/// The media type of what it says.
const JSON: &str = "application/json";

/// Looks whether the server has the model and the window for it.
///
/// llama.cpp answers with the model that it has, whatever name it is asked for, so the name is compared here.
pub(super) fn preflight(
    provider: &OpenAiCompatible,
    request: &ModelRequest,
    cancellation: &Cancellation,
) -> Result<ModelFacts, ModelError> {
    let model = &request.model;
    crate::ollama::refuse_cloud_name(model)?;
    let listings = listings(provider, model, cancellation)?;
    let Some((listing, owner)) = listings.iter().find(|(it, _)| it.name == *model) else {
        let names: Vec<&str> = listings.iter().map(|(it, _)| it.name.as_str()).collect();
        let reason = if names.is_empty() {
            "it has none".to_owned()
        } else {
            format!("it has {}", names.join(", "))
        };
        return Err(ModelError::ModelMissing {
            model: model.clone(),
            reason,
        });
    };
    let get = |path| get(provider, path, model, cancellation);
    let mut window = listing.context_tokens;
    let mut facts = listing.facts.clone();
    match owner {
        // A model that is not loaded yet has no window; it is looked at again before the next call.
        Owner::Ollama => window = window.or(loaded_window(&get("/api/ps")?, model)),
        Owner::Another => match get("/props") {
            Ok(props) => add_props(&props, &mut facts),
            Err(ModelError::Cancelled) => return Err(ModelError::Cancelled),
            // Only llama.cpp has this page.
            Err(_) => {}
        },
    }
    match window {
        Some(has_tokens) if has_tokens < request.options.num_ctx => {
            Err(ModelError::WindowTooSmall {
                model: model.clone(),
                has_tokens,
                needs_tokens: request.options.num_ctx,
            })
        }
        _ => Ok(facts),
    }
}

pub(super) fn listings(
    provider: &OpenAiCompatible,
    model: &str,
    cancellation: &Cancellation,
) -> Result<Vec<(ModelListing, Owner)>, ModelError> {
    let models = get(provider, "/v1/models", model, cancellation)?;
    wire::listings(&models).map_err(|reason| ModelError::Protocol {
        reason: format!("/v1/models: {reason}"),
    })
}

fn get(
    provider: &OpenAiCompatible,
    path: &str,
    model: &str,
    cancellation: &Cancellation,
) -> Result<Value, ModelError> {
    let timeout = TIMEOUT.min(provider.patience.budget());
    provider
        .call(timeout, JSON, cancellation)
        .send(Method::Get, path)?
        .json(model)
}

/// Takes what llama.cpp says about itself: its build and the template it makes prompts with.
fn add_props(props: &Value, facts: &mut ModelFacts) {
    let said = |key| text(props, key).ok().flatten();
    facts.server = said("build_info").map(|build| format!("llama.cpp {build}"));
    facts.template =
        said("chat_template").map(|template| canonical::digest(&template.into()).to_hex());
}
