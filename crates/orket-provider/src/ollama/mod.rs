//! The provider that asks an Ollama server.

mod address;
mod call;
mod connection;

use std::time::Duration;

use orket_kernel::canonical;
use orket_ports::model::{
    Cancellation, Delta, ModelAnswer, ModelError, ModelProvider, ModelRequest,
};

pub use address::{BadAddress, Reach};

use crate::wire::ollama::{self as wire, ANSWER_LIMIT_BYTES, Assembler};
use address::Address;
use call::Call;

/// Asks a model server that speaks Ollama's native protocol.
///
/// Each call has a connection of its own, which a cancellation closes within about 100 ms, also while the server
/// loads the model. A call is made once: what may go better on another attempt is for the caller to repeat.
///
/// What is not checked here: whether the server's window is as large as was asked for, and whether a local name is
/// passed on to a cloud (its tag and every line of the answer are looked at, but then the prompt has left already).
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
///     options: ModelOptions { temperature: 0.0, seed: 7, num_ctx: 8192, num_predict: 1024 },
/// };
/// let answer = provider.invoke(&request, &mut |_delta| {}, &Cancellation::new())?;
/// assert_eq!(answer.content, "Good morning.");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Ollama {
    address: Address,
    timeout: Duration,
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
            timeout,
            limit_bytes: ANSWER_LIMIT_BYTES,
        })
    }

    /// Returns the provider with another limit on the length of an answer.
    #[must_use]
    pub fn with_answer_limit(mut self, limit_bytes: u64) -> Ollama {
        self.limit_bytes = limit_bytes;
        self
    }
}

impl ModelProvider for Ollama {
    fn invoke(
        &self,
        request: &ModelRequest,
        on_delta: &mut dyn FnMut(Delta),
        cancellation: &Cancellation,
    ) -> Result<ModelAnswer, ModelError> {
        if wire::is_cloud_name(&request.model) {
            return Err(ModelError::NotLocal {
                model: request.model.clone(),
                host: "the cloud that its tag names".to_owned(),
            });
        }
        let body = canonical::to_bytes(&wire::body(request)?);
        let call = Call {
            address: &self.address,
            timeout: self.timeout,
            cancellation,
        };
        let mut response = call.post(wire::CHAT_PATH, &body)?;
        if response.status() != 200 {
            let body = response.read_failure()?;
            return Err(match response.location() {
                Some(place) => ModelError::Server {
                    status: response.status(),
                    reason: format!("it redirects to {place}, which is not followed"),
                },
                None => wire::failure(response.status(), &body, &request.model),
            });
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
