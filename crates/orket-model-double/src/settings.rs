//! How the server treats requests, whatever its script says.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// How the server treats requests, whatever its script says.
///
/// ```
/// use orket_model_double::{Model, Settings};
///
/// let settings = Settings { models: vec![Model::named("qwen3:4b")], ..Settings::default() };
/// assert!(settings.is_strict && settings.models[0].digest.len() == 64);
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Refuses a chat request with a member that the protocol does not know; real servers ignore it.
    #[serde(rename = "strict")]
    pub is_strict: bool,
    /// The models that the server has; if there are none it takes any name, and lists those that were asked for.
    pub models: Vec<Model>,
    /// How many bytes the body of a request may have.
    pub request_limit_bytes: u64,
    /// Whose server it is on the paths below `/v1`.
    pub flavour: Flavour,
    /// Counts tokens and treats prompts that do not fit as the real server does; without it every prompt fits, and counts
    /// are those of the script.
    pub window: Option<Window>,
    /// The window that `/api/ps` tells of a loaded model, in place of the one that was asked for.
    pub loaded_context_length: Option<u64>,
    /// The key that every request below `/v1` must bring.
    pub api_key: Option<String>,
    /// Begins with the first answer again after the last.
    pub repeats: bool,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            is_strict: true,
            models: Vec::new(),
            request_limit_bytes: 16 * 1024 * 1024,
            flavour: Flavour::Ollama,
            window: None,
            loaded_context_length: None,
            api_key: None,
            repeats: false,
        }
    }
}

/// Whose server it is on the paths below `/v1`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Flavour {
    /// Calls whole, reasoning in `reasoning`, prompts cut silently.
    Ollama,
    /// Calls in fragments, reasoning in `reasoning_content`, any model name taken, prompts that do not fit refused.
    LlamaCpp,
    /// As llama.cpp, but with its own texts, and an unknown model is refused.
    Vllm,
}

/// The window and what becomes of a prompt that does not fit it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Window {
    /// The window in tokens where a request does not say one, and always below `/v1`.
    pub tokens: u64,
    /// Which of Ollama's two ways a prompt takes.
    pub path: PromptPath,
    /// Does as if the request had not said `truncate` and `shift`, as servers did before they knew them.
    pub ignores_truncate: bool,
}

impl Default for Window {
    fn default() -> Window {
        Window {
            tokens: 4096,
            path: PromptPath::Rendered,
            ignores_truncate: false,
        }
    }
}

/// Which of Ollama's two ways a prompt takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PromptPath {
    /// Ollama renders the prompt; what does not fit is cut in the middle.
    Rendered,
    /// The runner renders it with the model's own template; what does not fit is refused.
    Native,
}

/// A model of the server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Model {
    /// The name.
    pub name: String,
    /// The digest of its manifest; it follows from the name if the script does not say one.
    pub digest: String,
    /// What it can do.
    pub capabilities: Vec<String>,
    /// The longest window it knows, in tokens.
    pub context_length: u64,
    /// The template of its prompts.
    pub template: String,
    /// The host that runs it, if that is not this server.
    pub remote_host: Option<String>,
}

impl Default for Model {
    fn default() -> Model {
        Model {
            name: String::new(),
            digest: String::new(),
            capabilities: ["completion", "tools", "thinking"]
                .map(str::to_owned)
                .into(),
            context_length: 131_072,
            template: "{{ .Prompt }}".to_owned(),
            remote_host: None,
        }
    }
}

impl Model {
    /// Returns a model that can do everything.
    pub fn named(name: &str) -> Model {
        Model {
            name: name.to_owned(),
            digest: crate::digest(&json!(name)),
            ..Model::default()
        }
    }

    /// Returns the digest, which is never empty.
    pub(crate) fn full_digest(&self) -> String {
        if self.digest.is_empty() {
            crate::digest(&json!(self.name))
        } else {
            self.digest.clone()
        }
    }

    pub(crate) fn can(&self, capability: &str) -> bool {
        self.capabilities.iter().any(|known| known == capability)
    }

    /// Adds the members by which Ollama says that a model runs elsewhere.
    pub(crate) fn add_remote(&self, shown: &mut Value) {
        if let Some(host) = &self.remote_host {
            shown["remote_host"] = json!(host);
            shown["remote_model"] = json!(self.name);
        }
    }
}
