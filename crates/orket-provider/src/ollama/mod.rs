//! The provider that asks an Ollama server.

mod preflight;

pub(crate) use preflight::refuse_cloud_name;

use std::sync::Arc;
use std::time::Duration;

use orket_kernel::canonical;
use orket_ports::model::{
    Cancellation, Delta, ModelAnswer, ModelError, ModelFacts, ModelListing, ModelProvider,
    ModelRequest,
};

use crate::http::{Address, BadAddress, Call, Method, Reach};
use crate::patience::{Patience, Pause};
use crate::wire::ANSWER_LIMIT_BYTES;
use crate::wire::ollama::{self as wire, Assembler};

/// The media type of a stream of lines.
const NDJSON: &str = "application/x-ndjson";

/// Asks a model server that speaks Ollama's native protocol.
///
/// Each call has a connection of its own, which a cancellation closes at once. While the server is busy or still loads, the
/// call is repeated within its time. After an answer the window with which the model is loaded is compared with the one that
/// was asked for.
///
/// ```
/// use std::time::Duration;
///
/// use orket_model_double::{Answer, ModelDouble, Script};
/// use orket_ports::ModelProvider;
/// use orket_ports::model::{Cancellation, Message, ModelOptions, ModelRequest, Speaker};
/// use orket_provider::Ollama;
///
/// let server = ModelDouble::start(Script::Sequence(vec![Answer::text("Good morning.")]))?;
/// let provider = Ollama::new(server.url(), Duration::from_secs(10))?;
/// let request = ModelRequest {
///     model: "qwen3:4b".to_owned(),
///     messages: vec![Message::text(Speaker::User, "Hello")],
///     tools: vec![],
///     options: ModelOptions { seed: 7, num_ctx: 8192, ..ModelOptions::default() },
///     format: None,
/// };
/// let answer = provider.invoke(&request, &mut |_delta| {}, &Cancellation::new())?;
/// assert_eq!(answer.content, "Good morning.");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Limitations
/// A local name that the server passes on to a cloud is refused by [`preflight`](ModelProvider::preflight). Without it the
/// answer gives it away, and then the prompt has left already.
#[derive(Clone, Debug)]
pub struct Ollama {
    address: Address,
    patience: Patience,
    limit_bytes: u64,
}

impl Ollama {
    /// Returns a provider for the server at `base_url` on this machine; a whole call may take `timeout`.
    ///
    /// # Errors
    /// The address must be `http://HOST:PORT` with a loopback host.
    ///
    /// ```
    /// use std::time::Duration;
    /// use orket_provider::{BadAddress, Ollama};
    ///
    /// let minute = Duration::from_secs(60);
    /// assert!(Ollama::new("http://127.0.0.1:11434", minute).is_ok());
    /// assert!(matches!(Ollama::new("http://192.168.1.7:11434", minute), Err(BadAddress::NotLoopback { .. })));
    /// ```
    pub fn new(base_url: &str, timeout: Duration) -> Result<Ollama, BadAddress> {
        Ollama::with_reach(base_url, timeout, Reach::Loopback)
    }

    /// Returns a provider for a server that may be as far away as `reach` allows.
    ///
    /// # Errors
    /// As [`Ollama::new`].
    pub fn with_reach(
        base_url: &str,
        timeout: Duration,
        reach: Reach,
    ) -> Result<Ollama, BadAddress> {
        Ok(Ollama {
            address: Address::parse(base_url, reach)?,
            patience: Patience::new(timeout),
            limit_bytes: ANSWER_LIMIT_BYTES,
        })
    }

    /// Returns the provider with another limit on the length of an answer.
    #[must_use]
    pub fn with_answer_limit(mut self, limit_bytes: u64) -> Ollama {
        self.limit_bytes = limit_bytes;
        self
    }

    /// Returns the provider with another way to let time pass before a call is repeated; with `None` a call is made once.
    #[must_use]
    pub fn with_pause(mut self, pause: Option<Arc<dyn Pause>>) -> Ollama {
        self.patience = self.patience.with_pause(pause);
        self
    }

    fn call<'a>(&'a self, timeout: Duration, cancellation: &'a Cancellation) -> Call<'a> {
        Call {
            address: &self.address,
            timeout,
            cancellation,
            key: None,
            accept: NDJSON,
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
            .call(timeout, cancellation)
            .send(Method::Post(body), wire::CHAT_PATH)?;
        if response.status() != 200 {
            return Err(response.failure(&request.model));
        }
        let mut assembler = Assembler::new(request).with_limit(self.limit_bytes);
        loop {
            match response.read() {
                Ok([]) => return assembler.finish(on_delta),
                Ok(bytes) => assembler.push(bytes, on_delta)?,
                // After the terminal record nothing of the answer is missing, however the connection ended.
                Err(_) if assembler.is_done() && !cancellation.is_cancelled() => {
                    return assembler.finish(on_delta);
                }
                Err(error) => return Err(error),
            }
        }
    }
}

impl ModelProvider for Ollama {
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
        preflight::models(self, cancellation)
    }

    fn invoke(
        &self,
        request: &ModelRequest,
        on_delta: &mut dyn FnMut(Delta),
        cancellation: &Cancellation,
    ) -> Result<ModelAnswer, ModelError> {
        preflight::refuse_cloud_name(&request.model)?;
        let body = wire::body(request)?;
        let seed = canonical::digest(&body);
        let body = canonical::to_bytes(&body);
        let answer = self
            .patience
            .call(&seed, on_delta, cancellation, |left, on_delta| {
                self.ask(request, &body, left, on_delta, cancellation)
            })?;
        preflight::check_loaded_window(self, request, cancellation)?;
        Ok(answer)
    }
}
