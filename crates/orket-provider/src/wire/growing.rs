//! An answer while it grows, up to its limit.

use orket_kernel::canonical;
use orket_ports::model::{Delta, ModelAnswer, ModelError, ModelRequest};

/// How many bytes of text, reasoning and calls an answer may have unless the caller says otherwise: 8 MiB.
pub const ANSWER_LIMIT_BYTES: u64 = 8 * 1024 * 1024;

/// The pieces of an answer, put together and counted.
#[derive(Debug)]
pub(crate) struct Growing {
    limit_bytes: u64,
    bytes: u64,
    pub(crate) answer: ModelAnswer,
}

impl Growing {
    pub(crate) fn new() -> Growing {
        Growing {
            limit_bytes: ANSWER_LIMIT_BYTES,
            bytes: 0,
            answer: ModelAnswer::default(),
        }
    }

    pub(crate) fn set_limit(&mut self, limit_bytes: u64) {
        self.limit_bytes = limit_bytes;
    }

    pub(crate) fn limit_bytes(&self) -> u64 {
        self.limit_bytes
    }

    /// Counts what arrived, shown or not.
    pub(crate) fn count(&mut self, bytes: usize) -> Result<(), ModelError> {
        self.bytes = self.bytes.saturating_add(bytes as u64);
        if self.bytes > self.limit_bytes {
            return Err(ModelError::TooLong {
                limit_bytes: self.limit_bytes,
            });
        }
        Ok(())
    }

    /// Counts a piece, adds it to the answer and shows it.
    pub(crate) fn take(
        &mut self,
        delta: Delta,
        on_delta: &mut dyn FnMut(Delta),
    ) -> Result<(), ModelError> {
        self.count(match &delta {
            Delta::Content(text) | Delta::Thinking(text) => text.len(),
            Delta::ToolCall(call) => call.name.len() + canonical::to_bytes(&call.arguments).len(),
        })?;
        self.add(delta, on_delta);
        Ok(())
    }

    /// Adds a piece that was counted while it arrived.
    pub(crate) fn add(&mut self, delta: Delta, on_delta: &mut dyn FnMut(Delta)) {
        match &delta {
            Delta::Content(text) => self.answer.content.push_str(text),
            Delta::Thinking(text) => self
                .answer
                .thinking
                .get_or_insert_with(String::new)
                .push_str(text),
            Delta::ToolCall(call) => self.answer.tool_calls.push(call.clone()),
        }
        on_delta(delta);
    }
}

/// Refuses a text that is not JSON where JSON was asked for: servers are known to forget it.
///
/// # Limitations
/// Whether the JSON has the shape of the schema is for the one who asked to check.
pub(crate) fn check_format(request: &ModelRequest, content: &str) -> Result<(), ModelError> {
    if request.format.is_some()
        && let Err(error) = canonical::parse(content.trim().as_bytes())
    {
        return Err(ModelError::Protocol {
            reason: format!("the answer was to be JSON: {error}"),
        });
    }
    Ok(())
}

pub(crate) fn truncated(reason: impl Into<String>) -> ModelError {
    ModelError::Truncated {
        reason: reason.into(),
    }
}
