//! Plugins: the implementations of ports that a run may use, fixed in its envelope (kernel decision 17).

use std::collections::BTreeMap;

use crate::Digest;
use crate::limits::{PLUGIN_TEXT_LENGTH_MAX_BYTES, PLUGINS_MAX};

/// One implementation of a port: a tool, a validator. It is the same only if id, version and digest are.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(try_from = "PluginText", into = "PluginText")]
#[cfg_attr(feature = "schema", schemars(with = "PluginText"))]
pub struct Plugin(PluginText);

#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
struct PluginText {
    #[cfg_attr(
        feature = "schema",
        schemars(pattern("^[A-Za-z0-9][A-Za-z0-9._+-]{0,127}$"))
    )]
    id: String,
    #[cfg_attr(
        feature = "schema",
        schemars(pattern("^[A-Za-z0-9][A-Za-z0-9._+-]{0,127}$"))
    )]
    version: String,
    digest: Digest,
}

/// Says why a plugin or a list of plugins is not valid.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PluginError {
    /// The id or the version is empty, too long or holds another character.
    #[error(
        "the {field} {text:?} of a plugin is not valid; use 1 to {PLUGIN_TEXT_LENGTH_MAX_BYTES} letters, digits, '.', '_', '-' and '+', beginning with a letter or digit"
    )]
    Text {
        /// Which field.
        field: &'static str,
        /// The text, cut to 80 characters.
        text: String,
    },
    /// An id is listed twice, so that it would not be fixed which plugin it is.
    #[error("the plugin {0} is listed twice; list one version of it")]
    Repeated(String),
    /// There are more plugins than an envelope may list.
    #[error(
        "{0} plugins are more than the {PLUGINS_MAX} that an envelope may list; take some away"
    )]
    TooMany(usize),
}

impl Plugin {
    /// Names a plugin.
    ///
    /// # Errors
    /// Says which text is not valid: 1 to 128 letters, digits, `.`, `_`, `-` and `+`, beginning with a letter or digit.
    pub fn new(
        id: impl Into<String>,
        version: impl Into<String>,
        digest: Digest,
    ) -> Result<Plugin, PluginError> {
        Plugin::try_from(PluginText {
            id: id.into(),
            version: version.into(),
            digest,
        })
    }

    /// Returns the id.
    pub fn id(&self) -> &str {
        &self.0.id
    }

    /// Returns the version.
    pub fn version(&self) -> &str {
        &self.0.version
    }

    /// Returns the digest of what implements it.
    pub fn digest(&self) -> &Digest {
        &self.0.digest
    }
}

impl TryFrom<PluginText> for Plugin {
    type Error = PluginError;

    fn try_from(plugin: PluginText) -> Result<Plugin, PluginError> {
        for (field, text) in [("id", &plugin.id), ("version", &plugin.version)] {
            let is_part = |byte: u8| byte.is_ascii_alphanumeric() || b"._-+".contains(&byte);
            let is_valid = text.len() <= PLUGIN_TEXT_LENGTH_MAX_BYTES
                && text.starts_with(|first: char| first.is_ascii_alphanumeric())
                && text.bytes().all(is_part);
            if !is_valid {
                let text = text.chars().take(80).collect();
                return Err(PluginError::Text { field, text });
            }
        }
        Ok(Plugin(plugin))
    }
}

impl From<Plugin> for PluginText {
    fn from(plugin: Plugin) -> PluginText {
        plugin.0
    }
}

/// The plugins that a run may use, each id once; written in the order of their ids.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(try_from = "Vec<Plugin>", into = "Vec<Plugin>")]
#[cfg_attr(feature = "schema", schemars(with = "Vec<Plugin>", extend("maxItems" = PLUGINS_MAX)))]
pub struct Plugins(BTreeMap<String, Plugin>);

impl Plugins {
    /// Lists the plugins that a run may use.
    ///
    /// # Errors
    /// Fails if an id is listed twice, or if there are more than 1,000.
    pub fn new(plugins: impl IntoIterator<Item = Plugin>) -> Result<Plugins, PluginError> {
        let mut by_id = BTreeMap::new();
        let mut count = 0;
        for plugin in plugins {
            count += 1;
            if let Some(earlier) = by_id.insert(plugin.id().to_owned(), plugin) {
                return Err(PluginError::Repeated(earlier.0.id));
            }
        }
        if count > PLUGINS_MAX {
            return Err(PluginError::TooMany(count));
        }
        Ok(Plugins(by_id))
    }

    /// Returns the plugin that is listed under `id`.
    pub fn get(&self, id: &str) -> Option<&Plugin> {
        self.0.get(id)
    }

    /// Lists the plugins in the order of their ids.
    pub fn iter(&self) -> impl Iterator<Item = &Plugin> {
        self.0.values()
    }
}

impl TryFrom<Vec<Plugin>> for Plugins {
    type Error = PluginError;

    fn try_from(plugins: Vec<Plugin>) -> Result<Plugins, PluginError> {
        Plugins::new(plugins)
    }
}

impl From<Plugins> for Vec<Plugin> {
    fn from(plugins: Plugins) -> Vec<Plugin> {
        plugins.0.into_values().collect()
    }
}
