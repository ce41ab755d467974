//! Requests that have no form on any wire.

use orket_kernel::canonical::Number;
use orket_ports::model::{ModelError, ModelRequest};

/// Says why a request has no wire form.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnsendableRequest {
    /// The temperature is NaN or infinite.
    #[error("the temperature {text} is not a finite number")]
    Temperature {
        /// The temperature as Rust prints it.
        text: String,
    },
    /// The answer may have no token at all, or as many as the window.
    #[error(
        "options.num_predict is {num_predict}; it must be at least 1 and less than options.num_ctx, {num_ctx}"
    )]
    NumPredict {
        /// Most tokens of the answer.
        num_predict: u64,
        /// The window.
        num_ctx: u64,
    },
    /// A schema for the text and tools at once, with which many models call no tool.
    #[error("a schema for the answer and tools cannot be sent in one request")]
    FormatWithTools,
    /// A result of a tool without the call before it.
    #[error("message {message} is the result of a tool that no message before it called")]
    ResultWithoutCall {
        /// The message, counted from 0.
        message: usize,
    },
}

impl From<UnsendableRequest> for ModelError {
    fn from(error: UnsendableRequest) -> ModelError {
        ModelError::Unsendable {
            reason: error.to_string(),
        }
    }
}

/// Checks what is the same on every wire, and returns the temperature.
pub(crate) fn check(request: &ModelRequest) -> Result<Number, UnsendableRequest> {
    let options = &request.options;
    if options.num_predict == 0 || options.num_predict >= options.num_ctx {
        return Err(UnsendableRequest::NumPredict {
            num_predict: options.num_predict,
            num_ctx: options.num_ctx,
        });
    }
    if request.format.is_some() && !request.tools.is_empty() {
        return Err(UnsendableRequest::FormatWithTools);
    }
    Number::from_f64(options.temperature).ok_or(UnsendableRequest::Temperature {
        text: options.temperature.to_string(),
    })
}
