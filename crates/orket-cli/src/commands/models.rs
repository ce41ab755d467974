//! `orket models`: what the model servers of the venues offer.

use std::fmt::Write;
use std::path::Path;

use orket_cards::parse_asset;
use orket_flow::{ProviderKind, RunError, VenueAsset};
use orket_kernel::canonical::{self, Value};
use orket_kernel::object;
use orket_ports::Workspace;
use orket_ports::model::{Cancellation, ModelError, ModelListing};
use orket_ports::workspace::AssetKind;

use crate::exit::{self, Code, Failure};
use crate::project::Project;
use crate::{terminal, wire};

/// How much of a digest is shown.
const SHOWN_CHARACTERS: usize = 12;

/// Shows what the server of each venue offers: models, what they can do, their windows and digests
///
/// Exits with 5 if a server does not answer or does not have the model that its venue names.
#[derive(clap::Args)]
#[command(after_help = "Examples: orket models; orket models --venue ollama --json")]
pub(crate) struct Arguments {
    /// Only this venue
    #[arg(long, value_name = "NAME")]
    venue: Option<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(crate) fn execute(arguments: &Arguments, project: Option<&Path>) -> Result<Code, Failure> {
    let project = Project::find(project)?;
    let workspace = wire::workspace(&project)?;
    let names = match &arguments.venue {
        Some(name) => vec![name.clone()],
        None => workspace
            .asset_names(AssetKind::Venue)
            .map_err(RunError::from)?,
    };
    let mut rows = Vec::new();
    let mut code = exit::DONE;
    for name in names {
        let venue = venue(&workspace, &name)?;
        let offer = match venue.provider {
            ProviderKind::Recorded => Ok(Vec::new()),
            ProviderKind::Ollama | ProviderKind::OpenaiCompatible => {
                wire::provider(&project, &venue)?.models(&Cancellation::new())
            }
        };
        let is_served = offer
            .as_ref()
            .is_ok_and(|offer| has_its_model(&venue, offer));
        if !is_served {
            code = exit::BACKEND;
        }
        rows.push((venue, offer));
    }
    let text = if arguments.json {
        let rows: Vec<Value> = rows
            .iter()
            .map(|(venue, offer)| json(venue, offer))
            .collect();
        format!("{}\n", canonical::to_string(&Value::from(rows)))
    } else {
        rows.iter()
            .map(|(venue, offer)| shown(venue, offer))
            .collect()
    };
    terminal::print_bytes(text.as_bytes())?;
    Ok(code)
}

pub(super) fn venue(workspace: &dyn Workspace, name: &str) -> Result<VenueAsset, Failure> {
    let kind = AssetKind::Venue;
    let asset = workspace.asset(kind, name).map_err(RunError::from)?;
    let Some((file, bytes)) = asset else {
        let known = workspace.asset_names(kind).map_err(RunError::from)?;
        let name = name.to_owned();
        return Err(RunError::NoAsset { kind, name, known }.into());
    };
    Ok(parse_asset(&file, &bytes).map_err(RunError::from)?)
}

pub(super) fn has_its_model(venue: &VenueAsset, offer: &[ModelListing]) -> bool {
    venue.provider == ProviderKind::Recorded || offer.iter().any(|it| is_of(venue, it))
}

/// Tells whether a model is the one that a venue names; with Ollama a name without a tag has the tag `latest`.
fn is_of(venue: &VenueAsset, listing: &ModelListing) -> bool {
    let is_latest = venue.provider == ProviderKind::Ollama
        && listing.name.strip_suffix(":latest") == Some(&venue.model);
    listing.name == venue.model || is_latest
}

fn shown(venue: &VenueAsset, offer: &Result<Vec<ModelListing>, ModelError>) -> String {
    let mut text = format!("venue {} ({})", venue.name, venue.provider.as_str());
    let offer = match offer {
        _ if venue.provider == ProviderKind::Recorded => {
            return text + ": answers come from cassettes/, no server is asked\n";
        }
        Err(error) => {
            let error_text = terminal::plain(&error.to_string());
            let _ = writeln!(text, ": {error_text} [{}]; {}", error.code(), error.hint());
            return text;
        }
        Ok(offer) => offer,
    };
    if let Some(server) = offer.iter().find_map(|it| it.facts.server.as_deref()) {
        let _ = write!(text, ", {}", terminal::plain(server));
    }
    text.push('\n');
    let width = offer.iter().map(|it| it.name.len()).max().unwrap_or(0);
    for listing in offer {
        let mark = if is_of(venue, listing) { '*' } else { ' ' };
        let name = terminal::plain(&listing.name);
        let _ = write!(text, "{mark} {name:width$}");
        if let Some(tokens) = listing.context_tokens {
            let _ = write!(text, "  window {tokens}");
        }
        if let Some(known) = &listing.capabilities {
            let known: Vec<&str> = known.iter().map(String::as_str).collect();
            let _ = write!(text, "  can {}", terminal::plain(&known.join(", ")));
        }
        if let Some(digest) = &listing.facts.digest {
            let digest: String = digest.chars().take(SHOWN_CHARACTERS).collect();
            let _ = write!(text, "  digest {}", terminal::plain(&digest));
        }
        if let Some(host) = &listing.remote_host {
            let _ = write!(
                text,
                "  runs on {}, and is not asked",
                terminal::plain(host)
            );
        }
        text.push('\n');
    }
    if !has_its_model(venue, offer) {
        let _ = writeln!(
            text,
            "  the model of the venue, {}, is not among them",
            venue.model
        );
    }
    text
}

fn json(venue: &VenueAsset, offer: &Result<Vec<ModelListing>, ModelError>) -> Value {
    let text = |text: &Option<String>| text.as_deref().map_or(Value::Null, Value::from);
    let models = offer.as_deref().unwrap_or_default().iter().map(|listing| {
        let known = listing.capabilities.as_ref().map(|known| {
            let known = known.iter().map(|it| Value::from(it.as_str()));
            known.collect::<Vec<_>>()
        });
        object! {
            "name" => listing.name.as_str(),
            "is_of_the_venue" => is_of(venue, listing),
            "capabilities" => known.map_or(Value::Null, Value::from),
            "context_tokens" => listing.context_tokens.map_or(Value::Null, Value::from),
            "digest" => text(&listing.facts.digest),
            "template_digest" => text(&listing.facts.template),
            "server" => text(&listing.facts.server),
            "remote_host" => text(&listing.remote_host),
        }
    });
    let error = offer.as_ref().err();
    object! {
        "venue" => venue.name.as_str(),
        "provider" => venue.provider.as_str(),
        "model" => venue.model.as_str(),
        "models" => models.collect::<Vec<_>>(),
        "error" => error.map_or(Value::Null, |error| error.to_string().into()),
        "code" => error.map_or(Value::Null, |error| error.code().into()),
    }
}
