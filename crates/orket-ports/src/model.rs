//! The ModelProvider: one invocation of a model, local, mesh or remote.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use orket_kernel::Digest;
use orket_kernel::canonical::{self, Value};

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
}

impl ModelRequest {
    /// Returns the digest that a recording is kept under.
    ///
    /// # Errors
    /// Fails if an option is not a finite number.
    pub fn digest(&self) -> Result<Digest, canonical::SerializeError> {
        canonical::digest_of(self)
    }
}

/// The whole answer of a model.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
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

/// A switch that ends a call early.
#[derive(Clone, Debug, Default)]
pub struct Cancellation(Arc<AtomicBool>);

impl Cancellation {
    /// Returns a switch that is off.
    pub fn new() -> Cancellation {
        Cancellation::default()
    }

    /// Turns the switch on, for good.
    pub fn cancel(&self) {
        self.0.store(true, Ordering::SeqCst);
    }

    /// Tells whether the switch is on.
    pub fn is_cancelled(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}

/// Says why a model gave no whole answer.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// Nothing answers at the address.
    #[error("no model server answers at {url}: {reason}")]
    Unreachable {
        /// The address.
        url: String,
        /// What the system said.
        reason: String,
    },
    /// The server does not have the model.
    #[error("the model server does not have the model {model}: {reason}")]
    ModelMissing {
        /// The model.
        model: String,
        /// What the server said.
        reason: String,
    },
    /// The answer did not come in time.
    #[error("the model did not answer within {seconds} s")]
    Timeout {
        /// The deadline in seconds.
        seconds: u64,
    },
    /// The prompt does not fit the window; nothing may be cut from it.
    #[error("the prompt does not fit the context window: {reason}")]
    ContextOverflow {
        /// What the server said, or which counts disagree.
        reason: String,
    },
    /// The answer ended before its end.
    #[error("the answer ended before its end: {reason}")]
    Truncated {
        /// How it ended.
        reason: String,
    },
    /// The answer is longer than allowed.
    #[error("the answer is longer than {limit_bytes} bytes")]
    TooLong {
        /// The limit.
        limit_bytes: u64,
    },
    /// The server refused or failed.
    #[error("the model server answered {status}: {reason}")]
    Server {
        /// The HTTP status; 200 if the error came inside the stream.
        status: u16,
        /// What it said.
        reason: String,
    },
    /// The server does not speak the protocol.
    #[error("the model server does not speak the protocol: {reason}")]
    Protocol {
        /// What was not understood.
        reason: String,
    },
    /// The model would run outside this machine, which the venue does not allow.
    #[error("the model {model} would run on {host}, outside this machine")]
    NotLocal {
        /// The model.
        model: String,
        /// Where it would run.
        host: String,
    },
    /// There is no recording of the request.
    #[error("no recorded answer for the request {digest}: {difference}")]
    NotRecorded {
        /// The digest of the request.
        digest: Digest,
        /// The first difference from the nearest recording.
        difference: String,
    },
    /// A recording cannot be used.
    #[error("the recording {place} cannot be used: {reason}")]
    BadRecording {
        /// Its file.
        place: String,
        /// Why.
        reason: String,
    },
    /// The call was cancelled.
    #[error("the call was cancelled")]
    Cancelled,
}

impl ModelError {
    /// Tells whether another attempt may go better without a person's help.
    pub fn is_worth_retrying(&self) -> bool {
        match self {
            ModelError::Timeout { .. }
            | ModelError::Truncated { .. }
            | ModelError::TooLong { .. }
            | ModelError::ContextOverflow { .. }
            | ModelError::Protocol { .. } => true,
            // A server that is busy or still loading needs time; another attempt at once would only use up attempts.
            ModelError::Server {
                status: 429 | 503, ..
            } => false,
            ModelError::Server { status, .. } => *status >= 500 || *status == 200,
            _ => false,
        }
    }
}

/// Executes model invocations.
pub trait ModelProvider: Send + Sync {
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
