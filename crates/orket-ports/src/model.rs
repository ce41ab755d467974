//! The ModelProvider: one invocation of a model, local, mesh or remote.

mod cancellation;
mod error;
mod facts;

use orket_kernel::Digest;
use orket_kernel::canonical::{self, Value};

pub use cancellation::{Cancellation, Hook};
pub use error::{ModelError, RetryClass};
pub use facts::{ModelFacts, ModelListing};

/// Who speaks in a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Speaker {
    /// Instructions.
    System,
    /// The engine, on the user's behalf.
    User,
    /// The model.
    Assistant,
    /// The result of a tool call.
    Tool,
}

/// A tool call as a model wrote it.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ToolCall {
    /// The name of the tool.
    pub name: String,
    /// The arguments; an object if the model did as it was told.
    pub arguments: Value,
}

/// One message of a conversation.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Message {
    /// Who speaks.
    pub speaker: Speaker,
    /// The text.
    pub content: String,
    /// Tool calls of an assistant.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tool_calls: Vec<ToolCall>,
    /// The tool whose result this is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tool_name: Option<String>,
}

impl Message {
    /// Returns a message of text alone.
    pub fn text(speaker: Speaker, content: impl Into<String>) -> Message {
        Message {
            speaker,
            content: content.into(),
            tool_calls: Vec::new(),
            tool_name: None,
        }
    }
}

/// A tool as it is offered to a model.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ToolOffer {
    /// The name.
    pub name: String,
    /// What it does.
    pub description: String,
    /// The JSON Schema of its arguments.
    pub parameters: Value,
}

/// Sampling and window settings; all are always sent, so that no server default decides.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelOptions {
    /// Sampling temperature.
    pub temperature: f64,
    /// Sampling seed.
    pub seed: i64,
    /// Context window in tokens.
    pub num_ctx: u64,
    /// Most tokens the answer may have.
    pub num_predict: u64,
    /// Whether the model reasons before it answers; the server decides if it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub think: Option<Think>,
    /// How long the server keeps the model loaded after an answer, in seconds; five minutes if it is left out. Only Ollama
    /// takes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keep_alive_seconds: Option<u64>,
}

impl Default for ModelOptions {
    /// No randomness, a window of 4,096 tokens and an answer of at most 1,024.
    fn default() -> ModelOptions {
        ModelOptions {
            temperature: 0.0,
            seed: 0,
            num_ctx: 4096,
            num_predict: 1024,
            think: None,
            keep_alive_seconds: None,
        }
    }
}

/// Whether, and how much, a model reasons before it answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Think {
    /// Not at all.
    Off,
    /// As the model does by itself.
    On,
    /// A little; only for models with levels.
    Low,
    /// Some.
    Medium,
    /// Much.
    High,
}

/// One request to a model.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelRequest {
    /// The model's name.
    pub model: String,
    /// The conversation.
    pub messages: Vec<Message>,
    /// The tools it may call.
    pub tools: Vec<ToolOffer>,
    /// Sampling and window.
    pub options: ModelOptions,
    /// The JSON Schema that the text of the answer must have. Not together with tools: many models then call none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub format: Option<Value>,
}

impl ModelRequest {
    /// Returns the digest that a recording is kept under.
    ///
    /// # Errors
    /// Fails if an option is not a finite number.
    pub fn digest(&self) -> Result<Digest, canonical::SerializeError> {
        canonical::digest_of(self)
    }

    /// Returns how many bytes of text the prompt has, tools included.
    pub fn prompt_bytes(&self) -> u64 {
        let messages = self.messages.iter().map(|message| {
            let calls = message.tool_calls.iter();
            let calls = calls.map(|call| call.name.len() + json_bytes(&call.arguments));
            message.content.len() + calls.sum::<usize>()
        });
        let tools = self
            .tools
            .iter()
            .map(|tool| tool.name.len() + tool.description.len() + json_bytes(&tool.parameters));
        (messages.sum::<usize>() + tools.sum::<usize>()) as u64
    }

    /// Returns how many tokens the prompt has at the very least: one for each word of its messages, and more for words
    /// that no single token could hold.
    ///
    /// ```
    /// use orket_ports::model::{Message, ModelOptions, ModelRequest, Speaker};
    ///
    /// let request = ModelRequest {
    ///     model: "m".into(),
    ///     messages: vec![Message::text(Speaker::User, "three short words"), Message::text(Speaker::User, "x".repeat(128))],
    ///     tools: vec![],
    ///     options: ModelOptions::default(),
    ///     format: None,
    /// };
    /// assert_eq!((request.least_prompt_tokens(), request.estimated_prompt_tokens()), (5, 37));
    /// ```
    ///
    /// # Limitations
    /// It holds for tokenizers that do not join words, which is all that local servers use today.
    pub fn least_prompt_tokens(&self) -> u64 {
        let messages = self.messages.iter();
        let words = messages.flat_map(|message| message.content.split_whitespace());
        words
            .map(|word| 1 + (word.len() / LONGEST_TOKEN_BYTES) as u64)
            .sum()
    }

    /// Returns a guess of how many tokens the prompt has: one for each four bytes.
    pub fn estimated_prompt_tokens(&self) -> u64 {
        self.prompt_bytes().div_ceil(BYTES_PER_TOKEN)
    }
}

/// The longest token that is known of a vocabulary, in bytes.
const LONGEST_TOKEN_BYTES: usize = 128;

/// What a token has on the average of English text and source code.
const BYTES_PER_TOKEN: u64 = 4;

fn json_bytes(value: &Value) -> usize {
    canonical::to_bytes(value).len()
}

/// The whole answer of a model.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelAnswer {
    /// The text.
    pub content: String,
    /// The reasoning text that the server kept apart, if any.
    pub thinking: Option<String>,
    /// The tool calls, in order.
    pub tool_calls: Vec<ToolCall>,
    /// Why the model stopped: `stop`, `length`, …
    pub done_reason: Option<String>,
    /// Tokens of the prompt, if the server counts them.
    pub prompt_tokens: Option<u64>,
    /// Tokens of the answer, if the server counts them.
    pub completion_tokens: Option<u64>,
    /// Of the tokens of the prompt, those that the server still knew, if it says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cached_tokens: Option<u64>,
}

impl ModelAnswer {
    /// Returns a guess of how many tokens the answer has: one for each four bytes.
    pub fn estimated_tokens(&self) -> u64 {
        let thinking = self.thinking.as_ref().map_or(0, String::len);
        let calls = self.tool_calls.iter();
        let calls = calls.map(|call| call.name.len() + json_bytes(&call.arguments));
        let bytes = self.content.len() + thinking + calls.sum::<usize>();
        (bytes as u64).div_ceil(BYTES_PER_TOKEN)
    }
}

/// A piece of an answer while it arrives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Delta {
    /// Text of the answer.
    Content(String),
    /// Reasoning text.
    Thinking(String),
    /// A whole tool call.
    ToolCall(ToolCall),
}

/// Executes model invocations.
pub trait ModelProvider: Send + Sync {
    /// Looks whether the server is there, has the model, can do what the request needs and has the window for it, and
    /// returns what is known of the model. Nothing of the prompt leaves.
    ///
    /// A provider without a server knows nothing, which is the default.
    ///
    /// # Errors
    /// Says what is missing, before a prompt is sent in vain.
    fn preflight(
        &self,
        request: &ModelRequest,
        cancellation: &Cancellation,
    ) -> Result<ModelFacts, ModelError> {
        let _ = (request, cancellation);
        Ok(ModelFacts::default())
    }

    /// Lists what the server offers, in the order of the names; a provider without a server offers nothing.
    ///
    /// # Errors
    /// Says why the server did not tell.
    fn models(&self, cancellation: &Cancellation) -> Result<Vec<ModelListing>, ModelError> {
        let _ = cancellation;
        Ok(Vec::new())
    }

    /// Asks the model and returns its whole answer; shows pieces to `on_delta` while they arrive.
    ///
    /// # Errors
    /// Whatever keeps the answer from being whole is an error; half an answer is never returned.
    fn invoke(
        &self,
        request: &ModelRequest,
        on_delta: &mut dyn FnMut(Delta),
        cancellation: &Cancellation,
    ) -> Result<ModelAnswer, ModelError>;
}
