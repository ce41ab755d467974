//! The whole answer out of its pieces.

use orket_kernel::canonical;
use orket_ports::model::{Delta, ModelAnswer, ModelError, ModelRequest};

use super::record::{End, Record};
use crate::wire::growing::{Growing, truncated};
use crate::wire::lines::Lines;
use crate::wire::prompt;

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
///     options: ModelOptions::default(),
///     format: None,
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
    request: ModelRequest,
    lines: Lines,
    growing: Growing,
    is_done: bool,
}

impl Assembler {
    /// Returns an assembler for the answer to `request`, of at most [`ANSWER_LIMIT_BYTES`](crate::wire::ANSWER_LIMIT_BYTES).
    pub fn new(request: &ModelRequest) -> Assembler {
        Assembler {
            request: request.clone(),
            lines: Lines::default(),
            growing: Growing::new(),
            is_done: false,
        }
    }

    /// Returns the assembler with another limit.
    #[must_use]
    pub fn with_limit(mut self, limit_bytes: u64) -> Assembler {
        self.growing.set_limit(limit_bytes);
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
        let mut lines = std::mem::take(&mut self.lines);
        let limit_bytes = self.growing.limit_bytes();
        let pushed = lines.push(bytes, limit_bytes, |number, line| {
            self.take_line(number, line, on_delta)
        });
        self.lines = lines;
        pushed
    }

    /// Takes the end of the stream and returns the answer.
    ///
    /// # Errors
    /// As [`push`](Assembler::push), since the last line may lack its newline; and if there was no terminal record.
    pub fn finish(mut self, on_delta: &mut dyn FnMut(Delta)) -> Result<ModelAnswer, ModelError> {
        let (number, line) = self.lines.take();
        if let Err(error) = self.take_line(number, &line, on_delta) {
            let is_cut = !self.is_done && canonical::parse(line.trim_ascii()).is_err();
            return Err(if is_cut {
                truncated("the stream ended inside a line")
            } else {
                error
            });
        }
        if self.is_done {
            Ok(self.growing.answer)
        } else {
            Err(truncated("the stream ended without a terminal record"))
        }
    }

    fn take_line(
        &mut self,
        number: u64,
        line: &[u8],
        on_delta: &mut dyn FnMut(Delta),
    ) -> Result<(), ModelError> {
        let line = line.trim_ascii();
        if line.is_empty() {
            return Ok(());
        }
        if self.is_done {
            return Err(ModelError::Protocol {
                reason: format!("line {number} of the answer follows the terminal record"),
            });
        }
        let record = Record::read(line, number, &self.request.model)?;
        for delta in record.deltas {
            self.growing.take(delta, on_delta)?;
        }
        record.end.map_or(Ok(()), |end| self.take_end(end))
    }

    /// Takes the terminal record, unless it says that something was lost.
    fn take_end(&mut self, end: End) -> Result<(), ModelError> {
        prompt::check(&self.request, end.prompt_tokens)?;
        match end.done_reason.as_deref() {
            Some("length") => {
                let limit = self.request.options.num_predict;
                return Err(truncated(format!("it reached its limit of {limit} tokens")));
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
        let answer = &mut self.growing.answer;
        crate::wire::growing::check_format(&self.request, &answer.content)?;
        answer.done_reason = end.done_reason;
        answer.prompt_tokens = end.prompt_tokens;
        answer.completion_tokens = end.completion_tokens;
        self.is_done = true;
        Ok(())
    }
}

#[cfg(test)]
mod tests;
