//! The provider that asks a server with the chat protocol of OpenAI.

mod preflight;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use orket_kernel::canonical;
use orket_ports::model::{
    Cancellation, Delta, ModelAnswer, ModelError, ModelFacts, ModelListing, ModelProvider,
    ModelRequest,
};
use orket_secrets::Secret;

use crate::http::{Address, BadAddress, Call, Method, Reach};
use crate::patience::{Patience, Pause};
use crate::wire::ANSWER_LIMIT_BYTES;
use crate::wire::openai::{self as wire, Assembler};

/// The media type of a stream of events.
const EVENTS: &str = "text/event-stream";

/// Asks a model server that speaks the chat protocol of OpenAI: llama.cpp, vLLM, LM Studio, and Ollama beside its own.
///
/// Each call has a connection of its own, which a cancellation closes at once; while the server is busy or still loads, the
/// call is repeated within its time. The window is set where the server is started; [`preflight`](ModelProvider::preflight)
/// compares it with the one of the request where the server tells it.
///
/// ```
/// use std::time::Duration;
///
/// use orket_model_double::{Answer, ModelDouble, Script};
/// use orket_ports::ModelProvider;
/// use orket_ports::model::{Cancellation, Message, ModelOptions, ModelRequest, Speaker};
/// use orket_provider::OpenAiCompatible;
///
/// let server = ModelDouble::start(Script::Sequence(vec![Answer::text("Good morning.")]))?;
/// let provider = OpenAiCompatible::new(&format!("{}/v1", server.url()), Duration::from_secs(10))?;
/// let request = ModelRequest {
///     model: "qwen3".to_owned(),
///     messages: vec![Message::text(Speaker::User, "Hello")],
///     tools: vec![],
///     options: ModelOptions::default(),
///     format: None,
/// };
/// let answer = provider.invoke(&request, &mut |_delta| {}, &Cancellation::new())?;
/// assert_eq!(answer.content, "Good morning.");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Limitations
/// No TLS is compiled in, so the server is reached by plain `http`. A server that cuts prompts silently and tells neither
/// window nor counts cannot be caught; Ollama is better asked by [`Ollama`](crate::Ollama), which sets the window.
#[derive(Clone)]
pub struct OpenAiCompatible {
    address: Address,
    key: Option<Arc<Secret>>,
    patience: Patience,
    limit_bytes: u64,
}

impl fmt::Debug for OpenAiCompatible {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OpenAiCompatible")
            .field("address", &self.address)
            .field("has_key", &self.key.is_some())
            .finish_non_exhaustive()
    }
}

impl OpenAiCompatible {
    /// Returns a provider for the server at `base_url` on this machine; a whole call may take `timeout`.
    ///
    /// # Errors
    /// The address must be `http://HOST:PORT` or `http://HOST:PORT/v1` with a loopback host.
    pub fn new(base_url: &str, timeout: Duration) -> Result<OpenAiCompatible, BadAddress> {
        OpenAiCompatible::with_reach(base_url, timeout, Reach::Loopback)
    }

    /// Returns a provider for a server that may be as far away as `reach` allows.
    ///
    /// # Errors
    /// As [`OpenAiCompatible::new`].
    pub fn with_reach(
        base_url: &str,
        timeout: Duration,
        reach: Reach,
    ) -> Result<OpenAiCompatible, BadAddress> {
        let bare = base_url.trim_end_matches('/');
        let bare = bare.strip_suffix("/v1").unwrap_or(bare);
        Ok(OpenAiCompatible {
            address: Address::parse(bare, reach)?,
            key: None,
            patience: Patience::new(timeout),
            limit_bytes: ANSWER_LIMIT_BYTES,
        })
    }

    /// Returns the provider with the key that the server asks for. It is sent to the server and appears nowhere else.
    #[must_use]
    pub fn with_key(mut self, key: Arc<Secret>) -> OpenAiCompatible {
        self.key = Some(key);
        self
    }

    /// Returns the provider with another limit on the length of an answer.
    #[must_use]
    pub fn with_answer_limit(mut self, limit_bytes: u64) -> OpenAiCompatible {
        self.limit_bytes = limit_bytes;
        self
    }

    /// Returns the provider with another way to let time pass before a call is repeated; with `None` a call is made once.
    #[must_use]
    pub fn with_pause(mut self, pause: Option<Arc<dyn Pause>>) -> OpenAiCompatible {
        self.patience = self.patience.with_pause(pause);
        self
    }

    fn call<'a>(
        &'a self,
        timeout: Duration,
        accept: &'static str,
        cancellation: &'a Cancellation,
    ) -> Call<'a> {
        Call {
            address: &self.address,
            timeout,
            cancellation,
            key: self.key.as_deref(),
            accept,
        }
    }

    fn ask(
        &self,
        request: &ModelRequest,
        body: &[u8],
        timeout: Duration,
        on_delta: &mut dyn FnMut(Delta),
        cancellation: &Cancellation,
    ) -> Result<ModelAnswer, ModelError> {
        let mut response = self
            .call(timeout, EVENTS, cancellation)
            .send(Method::Post(body), wire::CHAT_PATH)?;
        if response.status() != 200 {
            return Err(response.failure(&request.model));
        }
        let mut assembler = Assembler::new(request).with_limit(self.limit_bytes);
        loop {
            match response.read() {
                Ok([]) => return assembler.finish(on_delta),
                Ok(bytes) => assembler.push(bytes, on_delta)?,
                // After the last event nothing of the answer is missing, however the connection ended.
                Err(_) if assembler.is_done() && !cancellation.is_cancelled() => {
                    return assembler.finish(on_delta);
                }
                Err(error) => return Err(error),
            }
        }
    }
}

impl ModelProvider for OpenAiCompatible {
    fn preflight(
        &self,
        request: &ModelRequest,
        cancellation: &Cancellation,
    ) -> Result<ModelFacts, ModelError> {
        let seed = canonical::digest(&wire::body(request)?);
        // A server that loads says so here already.
        self.patience
            .call(&seed, &mut |_| {}, cancellation, |_, _| {
                preflight::preflight(self, request, cancellation)
            })
    }

    fn models(&self, cancellation: &Cancellation) -> Result<Vec<ModelListing>, ModelError> {
        let listings = preflight::listings(self, "", cancellation)?;
        Ok(listings.into_iter().map(|(listing, _)| listing).collect())
    }

    fn invoke(
        &self,
        request: &ModelRequest,
        on_delta: &mut dyn FnMut(Delta),
        cancellation: &Cancellation,
    ) -> Result<ModelAnswer, ModelError> {
        crate::ollama::refuse_cloud_name(&request.model)?;
        let body = wire::body(request)?;
        let seed = canonical::digest(&body);
        let body = canonical::to_bytes(&body);
        self.patience
            .call(&seed, on_delta, cancellation, |left, on_delta| {
                self.ask(request, &body, left, on_delta, cancellation)
            })
    }
}
