//! What Ollama says about its models: `/api/tags`, `/api/show`, `/api/ps` and `/api/version`.

use std::collections::BTreeSet;

use orket_kernel::canonical::{self, Value};
use orket_kernel::object;
use orket_ports::model::{ModelFacts, ModelListing};

use crate::wire::value::{present, text};

/// Reads `/api/tags`, sorted by name.
pub(crate) fn listings(tags: &Value) -> Result<Vec<ModelListing>, String> {
    let models = present(tags, "models")
        .and_then(Value::as_array)
        .ok_or("`models` is not an array")?;
    let mut listings = Vec::new();
    for model in models {
        let name = match text(model, "name")? {
            Some(name) => name,
            None => text(model, "model")?.ok_or("a model has no name")?,
        };
        let details = model.get("details");
        listings.push(ModelListing {
            name: name.to_owned(),
            capabilities: capabilities(model)?,
            context_tokens: details
                .and_then(|details| details.get("context_length"))
                .and_then(Value::as_u64),
            facts: ModelFacts {
                digest: text(model, "digest")?.map(str::to_owned),
                ..ModelFacts::default()
            },
            remote_host: remote_host(model)?,
        });
    }
    listings.sort_by(|one, two| one.name.cmp(&two.name));
    Ok(listings)
}

/// What `/api/show` says about one model.
pub(crate) struct Shown {
    pub(crate) capabilities: Option<BTreeSet<String>>,
    pub(crate) context_tokens: Option<u64>,
    /// The digest of template, default parameters and system text.
    pub(crate) template: String,
    pub(crate) remote_host: Option<String>,
}

impl Shown {
    pub(crate) fn read(shown: &Value) -> Result<Shown, String> {
        if shown.as_object().is_none() {
            return Err("it is not an object".to_owned());
        }
        let window = shown.get("model_info").and_then(Value::as_object);
        let window = window.and_then(|info| {
            let mut lengths = info
                .iter()
                .filter(|(key, _)| key.ends_with(".context_length"));
            lengths.find_map(|(_, length)| length.as_u64())
        });
        let part = |key| text(shown, key).map(|text| text.unwrap_or_default().to_owned());
        let shaping = object! {
            "template" => part("template")?,
            "parameters" => part("parameters")?,
            "system" => part("system")?,
        };
        Ok(Shown {
            capabilities: capabilities(shown)?,
            context_tokens: window,
            template: canonical::digest(&shaping).to_hex(),
            remote_host: remote_host(shown)?,
        })
    }
}

/// Returns the window with which `/api/ps` says that a model is loaded.
pub(crate) fn loaded_window(running: &Value, model: &str) -> Option<u64> {
    let models = running.get("models")?.as_array()?;
    let found = models.iter().find(|running| {
        let is = |key| {
            text(running, key)
                .ok()
                .flatten()
                .is_some_and(|name| is_same(name, model))
        };
        is("name") || is("model")
    });
    found?.get("context_length")?.as_u64()
}

/// Reads `/api/version`.
pub(crate) fn version(version: &Value) -> Option<String> {
    Some(format!(
        "ollama {}",
        version.get("version").and_then(Value::as_str)?
    ))
}

/// Tells whether two names mean the same model; a name without a tag has the tag `latest`.
pub(crate) fn is_same(one: &str, two: &str) -> bool {
    let has_tag = |name: &str| {
        name.rsplit('/')
            .next()
            .is_some_and(|last| last.contains(':'))
    };
    let whole = |name: &str| {
        if has_tag(name) {
            name.to_owned()
        } else {
            format!("{name}:latest")
        }
    };
    whole(one) == whole(two)
}

fn capabilities(model: &Value) -> Result<Option<BTreeSet<String>>, String> {
    let Some(capabilities) = present(model, "capabilities") else {
        return Ok(None);
    };
    let capabilities = capabilities
        .as_array()
        .ok_or("`capabilities` is not an array")?;
    let names = capabilities.iter().filter_map(Value::as_str);
    Ok(Some(names.map(str::to_owned).collect()))
}

fn remote_host(model: &Value) -> Result<Option<String>, String> {
    let named = |key| Ok::<_, String>(text(model, key)?.filter(|name| !name.is_empty()));
    let host = named("remote_host")?;
    let remote = named("remote_model")?;
    Ok(host.or(remote.map(|_| "a remote host")).map(str::to_owned))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_without_a_tag_is_the_latest() {
        assert!(is_same("qwen3", "qwen3:latest"));
        assert!(is_same("host:1/a/qwen3", "host:1/a/qwen3:latest"));
        assert!(!is_same("qwen3", "qwen3:4b"));
    }

    #[test]
    fn what_is_shaped_on_the_server_has_one_digest() {
        let shown = |text: &str| Shown::read(&canonical::parse(text.as_bytes()).unwrap()).unwrap();
        let one =
            shown(r#"{"template":"a","model_info":{"general.x":1,"llama.context_length":2048}}"#);
        assert_eq!((one.context_tokens, one.capabilities), (Some(2048), None));
        let other = shown(r#"{"template":"a","system":"b","capabilities":["tools"]}"#);
        assert_ne!(one.template, other.template);
        assert!(other.capabilities.unwrap().contains("tools"));
        assert_eq!(shown("{}").template, shown(r#"{"license":"MIT"}"#).template);
        assert!(Shown::read(&Value::from(1u64)).is_err());
    }
}
