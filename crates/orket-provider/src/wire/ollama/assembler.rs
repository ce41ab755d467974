//! The whole answer out of its pieces.

use orket_kernel::canonical;
use orket_ports::model::{Delta, ModelAnswer, ModelError, ModelRequest};

use super::record::{End, Record};

/// How many bytes of text, reasoning and calls an answer may have unless the caller says otherwise: 8 MiB.
pub const ANSWER_LIMIT_BYTES: u64 = 8 * 1024 * 1024;

/// What a line may have besides the answer itself.
const LINE_OVERHEAD_BYTES: u64 = 64 * 1024;

/// Puts an answer together from the bytes of a stream.
///
/// The bytes may be cut anywhere, also inside a character. Which answer or error results, and which deltas were shown
/// before, depends on the bytes alone and not on the cuts. After an error the assembler is of no further use.
///
/// ```
/// use orket_ports::model::{Delta, Message, ModelOptions, ModelRequest, Speaker};
/// use orket_provider::wire::ollama::Assembler;
///
/// let request = ModelRequest {
///     model: "m".to_owned(),
///     messages: vec![Message::text(Speaker::User, "Hello")],
///     tools: vec![],
///     options: ModelOptions { temperature: 0.0, seed: 7, num_ctx: 8192, num_predict: 1024 },
/// };
/// let stream = br#"{"message":{"role":"assistant","content":"Hi "},"done":false}
/// {"message":{"role":"assistant","content":"there"},"done":false}
/// {"message":{"role":"assistant","content":""},"done":true,"done_reason":"stop","eval_count":2}
/// "#;
/// let mut pieces = Vec::new();
/// let mut assembler = Assembler::new(&request);
/// for bytes in stream.chunks(10) {
///     assembler.push(bytes, &mut |delta| pieces.push(delta))?;
/// }
/// let answer = assembler.finish(&mut |delta| pieces.push(delta))?;
/// assert_eq!(answer.content, "Hi there");
/// assert_eq!(pieces, [Delta::Content("Hi ".to_owned()), Delta::Content("there".to_owned())]);
/// # Ok::<(), orket_ports::ModelError>(())
/// ```
#[derive(Debug)]
pub struct Assembler {
    model: String,
    num_ctx: u64,
    num_predict: u64,
    limit_bytes: u64,
    /// The line that is not whole yet.
    line: Vec<u8>,
    lines: u64,
    answer_bytes: u64,
    answer: ModelAnswer,
    is_done: bool,
}

impl Assembler {
    /// Returns an assembler for the answer to `request`, of at most [`ANSWER_LIMIT_BYTES`].
    pub fn new(request: &ModelRequest) -> Assembler {
        Assembler {
            model: request.model.clone(),
            num_ctx: request.options.num_ctx,
            num_predict: request.options.num_predict,
            limit_bytes: ANSWER_LIMIT_BYTES,
            line: Vec::new(),
            lines: 0,
            answer_bytes: 0,
            answer: ModelAnswer {
                content: String::new(),
                thinking: None,
                tool_calls: Vec::new(),
                done_reason: None,
                prompt_tokens: None,
                completion_tokens: None,
            },
            is_done: false,
        }
    }

    /// Returns the assembler with another limit.
    #[must_use]
    pub fn with_limit(mut self, limit_bytes: u64) -> Assembler {
        self.limit_bytes = limit_bytes;
        self
    }

    /// Tells whether the terminal record was read; the answer is whole then, and nothing but blank lines may follow.
    pub fn is_done(&self) -> bool {
        self.is_done
    }

    /// Takes the next bytes and shows what they add to the answer.
    ///
    /// # Errors
    /// Fails on the first line that is no record of the protocol, that holds an error, that comes from another
    /// machine, that makes the answer too long or that ends it early.
    pub fn push(
        &mut self,
        bytes: &[u8],
        on_delta: &mut dyn FnMut(Delta),
    ) -> Result<(), ModelError> {
        let mut rest = bytes;
        while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
            self.extend_line(&rest[..end])?;
            rest = &rest[end + 1..];
            let line = std::mem::take(&mut self.line);
            self.take_line(&line, on_delta)?;
        }
        self.extend_line(rest)
    }

    /// Takes the end of the stream and returns the answer.
    ///
    /// # Errors
    /// As [`push`](Assembler::push), since the last line may lack its newline; and if there was no terminal record.
    pub fn finish(mut self, on_delta: &mut dyn FnMut(Delta)) -> Result<ModelAnswer, ModelError> {
        let line = std::mem::take(&mut self.line);
        if let Err(error) = self.take_line(&line, on_delta) {
            let is_cut = !self.is_done && canonical::parse(line.trim_ascii()).is_err();
            return Err(if is_cut {
                truncated("the stream ended inside a line")
            } else {
                error
            });
        }
        if self.is_done {
            Ok(self.answer)
        } else {
            Err(truncated("the stream ended without a terminal record"))
        }
    }

    fn extend_line(&mut self, bytes: &[u8]) -> Result<(), ModelError> {
        let length = self.line.len() as u64 + bytes.len() as u64;
        if length > self.limit_bytes.saturating_add(LINE_OVERHEAD_BYTES) {
            return Err(self.too_long());
        }
        self.line.extend_from_slice(bytes);
        Ok(())
    }

    fn take_line(
        &mut self,
        line: &[u8],
        on_delta: &mut dyn FnMut(Delta),
    ) -> Result<(), ModelError> {
        self.lines += 1;
        let line = line.trim_ascii();
        if line.is_empty() {
            return Ok(());
        }
        if self.is_done {
            return Err(ModelError::Protocol {
                reason: format!(
                    "line {} of the answer follows the terminal record",
                    self.lines
                ),
            });
        }
        let record = Record::read(line, self.lines, &self.model)?;
        for delta in record.deltas {
            self.take_delta(delta, on_delta)?;
        }
        record.end.map_or(Ok(()), |end| self.take_end(end))
    }

    fn take_delta(
        &mut self,
        delta: Delta,
        on_delta: &mut dyn FnMut(Delta),
    ) -> Result<(), ModelError> {
        let bytes = match &delta {
            Delta::Content(text) | Delta::Thinking(text) => text.len(),
            Delta::ToolCall(call) => call.name.len() + canonical::to_bytes(&call.arguments).len(),
        };
        self.answer_bytes = self.answer_bytes.saturating_add(bytes as u64);
        if self.answer_bytes > self.limit_bytes {
            return Err(self.too_long());
        }
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
        Ok(())
    }

    /// Takes the terminal record, unless it says that something was lost.
    fn take_end(&mut self, end: End) -> Result<(), ModelError> {
        if let Some(prompt) = end.prompt_tokens
            && prompt.saturating_add(self.num_predict) > self.num_ctx
        {
            return Err(ModelError::ContextOverflow {
                reason: format!(
                    "{prompt} tokens of prompt and {} of answer exceed the window of {}",
                    self.num_predict, self.num_ctx
                ),
            });
        }
        match end.done_reason.as_deref() {
            Some("length") => {
                return Err(truncated(&format!(
                    "it reached its limit of {} tokens",
                    self.num_predict
                )));
            }
            Some(reason @ ("load" | "unload")) => {
                return Err(ModelError::Protocol {
                    reason: format!(
                        "the server ended with {reason:?}, which is no end of an answer"
                    ),
                });
            }
            _ => {}
        }
        self.answer.done_reason = end.done_reason;
        self.answer.prompt_tokens = end.prompt_tokens;
        self.answer.completion_tokens = end.completion_tokens;
        self.is_done = true;
        Ok(())
    }

    fn too_long(&self) -> ModelError {
        ModelError::TooLong {
            limit_bytes: self.limit_bytes,
        }
    }
}

fn truncated(reason: &str) -> ModelError {
    ModelError::Truncated {
        reason: reason.to_owned(),
    }
}

#[cfg(test)]
mod tests;
