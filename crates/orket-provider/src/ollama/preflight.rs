//! What an Ollama server says about its models before one is asked.

use std::time::Duration;

use orket_kernel::canonical::{self, Value};
use orket_kernel::object;
use orket_ports::model::{Cancellation, ModelError, ModelFacts, ModelListing, ModelRequest, Think};

use super::Ollama;
use crate::http::Method;
use crate::wire::ollama::{self as wire, Shown};

/// How long the server may take to say what it has.
const TIMEOUT: Duration = Duration::from_secs(30);

/// How long the server may take to say with which window the model is loaded, when the answer is there already.
const AFTERWARDS: Duration = Duration::from_secs(5);

pub(crate) fn refuse_cloud_name(model: &str) -> Result<(), ModelError> {
    if wire::is_cloud_name(model) {
        return Err(ModelError::NotLocal {
            model: model.to_owned(),
            host: "the cloud that its tag names".to_owned(),
        });
    }
    Ok(())
}

/// Looks whether the server has the model, on this machine, and whether it can do what the request needs.
pub(super) fn preflight(
    provider: &Ollama,
    request: &ModelRequest,
    cancellation: &Cancellation,
) -> Result<ModelFacts, ModelError> {
    let model = &request.model;
    refuse_cloud_name(model)?;
    let asked = Asked {
        provider,
        model,
        cancellation,
    };
    let shown = match asked.shown() {
        Err(ModelError::ModelMissing { .. }) => return Err(asked.missing()?),
        shown => shown?,
    };
    let listings = asked.listings()?;
    let Some(listing) = find(&listings, model) else {
        return Err(asked.missing()?);
    };
    if let Some(host) = listing.remote_host.clone().or(shown.remote_host) {
        return Err(ModelError::NotLocal {
            model: model.clone(),
            host,
        });
    }
    let thinks = matches!(
        request.options.think,
        Some(Think::On | Think::Low | Think::Medium | Think::High)
    );
    let needs = [
        ("completion", true),
        ("tools", !request.tools.is_empty()),
        ("thinking", thinks),
    ];
    let capabilities = shown
        .capabilities
        .as_ref()
        .or(listing.capabilities.as_ref());
    for (capability, is_needed) in needs {
        if is_needed && capabilities.is_some_and(|known| !known.contains(capability)) {
            return Err(ModelError::CapabilityMissing {
                model: model.clone(),
                reason: format!("it has no capability {capability:?}"),
            });
        }
    }
    let window = shown.context_tokens.or(listing.context_tokens);
    check_window(request, window)?;
    Ok(ModelFacts {
        digest: listing.facts.digest.clone(),
        template: Some(shown.template),
        server: wire::version(&asked.get("/api/version", TIMEOUT)?),
    })
}

/// Lists the models with all that is known of each.
pub(super) fn models(
    provider: &Ollama,
    cancellation: &Cancellation,
) -> Result<Vec<ModelListing>, ModelError> {
    let asked = |model| Asked {
        provider,
        model,
        cancellation,
    };
    let server = wire::version(&asked("").get("/api/version", TIMEOUT)?);
    let mut listings = asked("").listings()?;
    for listing in &mut listings {
        let shown = asked(&listing.name).shown()?;
        listing.capabilities = shown.capabilities.or(listing.capabilities.take());
        listing.context_tokens = shown.context_tokens.or(listing.context_tokens);
        listing.remote_host = listing.remote_host.take().or(shown.remote_host);
        listing.facts.template = Some(shown.template);
        listing.facts.server.clone_from(&server);
    }
    Ok(listings)
}

/// Refuses an answer of a model that is loaded with a smaller window than was asked for.
///
/// The answer is there already; a server that does not tell its window is believed.
pub(super) fn check_loaded_window(
    provider: &Ollama,
    request: &ModelRequest,
    cancellation: &Cancellation,
) -> Result<(), ModelError> {
    let asked = Asked {
        provider,
        model: &request.model,
        cancellation,
    };
    match asked.get("/api/ps", AFTERWARDS) {
        Ok(running) => check_window(request, wire::loaded_window(&running, &request.model)),
        Err(ModelError::Cancelled) => Err(ModelError::Cancelled),
        Err(_) => Ok(()),
    }
}

fn check_window(request: &ModelRequest, window: Option<u64>) -> Result<(), ModelError> {
    match window {
        Some(has_tokens) if has_tokens < request.options.num_ctx => {
            Err(ModelError::WindowTooSmall {
                model: request.model.clone(),
                has_tokens,
                needs_tokens: request.options.num_ctx,
            })
        }
        _ => Ok(()),
    }
}

/// One server and one of its models.
struct Asked<'a> {
    provider: &'a Ollama,
    model: &'a str,
    cancellation: &'a Cancellation,
}

impl Asked<'_> {
    fn get(&self, path: &str, timeout: Duration) -> Result<Value, ModelError> {
        self.send(Method::Get, path, timeout)
    }

    fn send(&self, method: Method<'_>, path: &str, timeout: Duration) -> Result<Value, ModelError> {
        let timeout = timeout.min(self.provider.patience.budget());
        self.provider
            .call(timeout, self.cancellation)
            .send(method, path)?
            .json(self.model)
    }

    /// Returns the error that names what there is instead.
    fn missing(&self) -> Result<ModelError, ModelError> {
        let listings = self.listings()?;
        let names: Vec<&str> = listings.iter().map(|it| it.name.as_str()).collect();
        Ok(ModelError::ModelMissing {
            model: self.model.to_owned(),
            reason: if names.is_empty() {
                "it has none".to_owned()
            } else {
                format!("it has {}", names.join(", "))
            },
        })
    }

    fn listings(&self) -> Result<Vec<ModelListing>, ModelError> {
        wire::listings(&self.get("/api/tags", TIMEOUT)?)
            .map_err(|reason| not_understood("/api/tags", &reason))
    }

    fn shown(&self) -> Result<Shown, ModelError> {
        let body = canonical::to_bytes(&object! { "model" => self.model });
        let shown = self.send(Method::Post(&body), "/api/show", TIMEOUT)?;
        Shown::read(&shown).map_err(|reason| not_understood("/api/show", &reason))
    }
}

fn find<'a>(listings: &'a [ModelListing], model: &str) -> Option<&'a ModelListing> {
    let mut listings = listings.iter();
    listings.find(|listing| wire::is_same(&listing.name, model))
}

fn not_understood(path: &str, reason: &str) -> ModelError {
    ModelError::Protocol {
        reason: format!("{path}: {reason}"),
    }
}
