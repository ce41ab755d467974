//! The whole answer out of its events.

use orket_kernel::canonical::{self, Limits, Value};
use orket_ports::model::{Delta, ModelAnswer, ModelError, ModelRequest};

use super::calls::Calls;
use super::event::Events;
use crate::wire::failure::named_failure;
use crate::wire::growing::{Growing, check_format, truncated};
use crate::wire::lines::Lines;
use crate::wire::prompt;
use crate::wire::value::{count, present, text};

/// How many arrays and objects may lie inside each other in an event.
const DEPTH: usize = 128;

/// The data of the event that ends every stream.
const DONE: &[u8] = b"[DONE]";

/// Puts an answer together from the bytes of a stream of events.
///
/// As with Ollama's protocol, the bytes may be cut anywhere, and the answer counts only when it is whole: a reason for its
/// end, then the event `[DONE]`, and nothing after it.
///
/// ```
/// use orket_ports::model::{Delta, Message, ModelOptions, ModelRequest, Speaker};
/// use orket_provider::wire::openai::Assembler;
///
/// let request = ModelRequest {
///     model: "m".to_owned(),
///     messages: vec![Message::text(Speaker::User, "Hello")],
///     tools: vec![],
///     options: ModelOptions::default(),
///     format: None,
/// };
/// let stream = br#"data: {"choices":[{"index":0,"delta":{"role":"assistant","content":"Hi"},"finish_reason":null}]}
///
/// data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}
///
/// data: {"choices":[],"usage":{"prompt_tokens":9,"completion_tokens":1}}
///
/// data: [DONE]
///
/// "#;
/// let mut pieces = Vec::new();
/// let mut assembler = Assembler::new(&request);
/// for bytes in stream.chunks(10) {
///     assembler.push(bytes, &mut |delta| pieces.push(delta))?;
/// }
/// let answer = assembler.finish(&mut |delta| pieces.push(delta))?;
/// assert_eq!((answer.content.as_str(), answer.prompt_tokens), ("Hi", Some(9)));
/// assert_eq!(pieces, [Delta::Content("Hi".to_owned())]);
/// # Ok::<(), orket_ports::ModelError>(())
/// ```
#[derive(Debug)]
pub struct Assembler {
    request: ModelRequest,
    lines: Lines,
    events: Events,
    growing: Growing,
    calls: Calls,
    finish_reason: Option<String>,
    is_done: bool,
}

impl Assembler {
    /// Returns an assembler for the answer to `request`, of at most [`ANSWER_LIMIT_BYTES`](crate::wire::ANSWER_LIMIT_BYTES).
    pub fn new(request: &ModelRequest) -> Assembler {
        Assembler {
            request: request.clone(),
            lines: Lines::default(),
            events: Events::default(),
            growing: Growing::new(),
            calls: Calls::default(),
            finish_reason: None,
            is_done: false,
        }
    }

    /// Returns the assembler with another limit.
    #[must_use]
    pub fn with_limit(mut self, limit_bytes: u64) -> Assembler {
        self.growing.set_limit(limit_bytes);
        self
    }

    /// Tells whether the last event was read; the answer is whole then, and nothing but blank lines may follow.
    pub fn is_done(&self) -> bool {
        self.is_done
    }

    /// Takes the next bytes and shows what they add to the answer.
    ///
    /// # Errors
    /// Fails on the first line that is no event, that holds an error, that makes the answer too long or ends it early.
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
    /// As [`push`](Assembler::push), since the last line may lack its end; and if the last event is missing.
    pub fn finish(mut self, on_delta: &mut dyn FnMut(Delta)) -> Result<ModelAnswer, ModelError> {
        let (number, line) = self.lines.take();
        let mut last = self.take_line(number, &line, on_delta);
        if last.is_ok()
            && let Some(data) = self.events.finish()
        {
            last = self.take_data(number, &data, on_delta);
        }
        match last {
            // What is cut inside a line is no event, and no fault of the protocol.
            Err(ModelError::Protocol { .. }) if !self.is_done => {
                return Err(truncated("the stream ended inside an event"));
            }
            last => last?,
        }
        if !self.is_done {
            return Err(truncated("the stream ended without its last event"));
        }
        let growing = self.growing;
        prompt::check(&self.request, growing.answer.prompt_tokens)?;
        check_format(&self.request, &growing.answer.content)?;
        Ok(growing.answer)
    }

    fn take_line(
        &mut self,
        number: u64,
        line: &[u8],
        on_delta: &mut dyn FnMut(Delta),
    ) -> Result<(), ModelError> {
        match self.events.line(number, line)? {
            Some(data) => self.take_data(number, &data, on_delta),
            None => Ok(()),
        }
    }

    fn take_data(
        &mut self,
        number: u64,
        data: &[u8],
        on_delta: &mut dyn FnMut(Delta),
    ) -> Result<(), ModelError> {
        let not_understood = |reason: String| ModelError::Protocol {
            reason: format!("the event before line {number} of the answer: {reason}"),
        };
        if self.is_done {
            return Err(not_understood("it follows the last event".to_owned()));
        }
        if data.trim_ascii() == DONE {
            return self.take_done(on_delta);
        }
        let limits = Limits {
            max_depth: DEPTH,
            ..Limits::default()
        };
        let event = canonical::parse_with(data, &limits)
            .map_err(|error| not_understood(error.to_string()))?;
        if event.as_object().is_none() {
            return Err(not_understood("it is not an object".to_owned()));
        }
        if let Some(error) = present(&event, "error") {
            return Err(named_failure(200, error, &self.request.model));
        }
        // llama.cpp's own field for errors holds the error itself.
        if event.get("choices").is_none() && event.get("message").is_some() {
            return Err(named_failure(200, &event, &self.request.model));
        }
        let deltas = self.take_event(&event).map_err(not_understood)?;
        for delta in deltas.shown {
            self.growing.take(delta, on_delta)?;
        }
        self.growing.count(deltas.counted)
    }

    /// Reads an event: pieces to show, and how many bytes of calls it brought.
    fn take_event(&mut self, event: &Value) -> Result<Pieces, String> {
        if let Some(usage) = present(event, "usage") {
            let answer = &mut self.growing.answer;
            answer.prompt_tokens = count(usage, "prompt_tokens")?;
            answer.completion_tokens = count(usage, "completion_tokens")?;
            if let Some(details) = present(usage, "prompt_tokens_details") {
                answer.cached_tokens = count(details, "cached_tokens")?;
            }
        }
        let mut pieces = Pieces::default();
        let choices = match present(event, "choices") {
            Some(choices) => choices.as_array().ok_or("`choices` is not an array")?,
            None => &[],
        };
        let choice = match choices {
            [] => return Ok(pieces),
            [choice] => choice,
            _ => return Err("it holds more than one choice".to_owned()),
        };
        if count(choice, "index")?.unwrap_or(0) != 0 {
            return Err("it holds another choice than the first".to_owned());
        }
        if let Some(delta) = present(choice, "delta") {
            self.take_delta(delta, &mut pieces)?;
        }
        if let Some(reason) = text(choice, "finish_reason")?.filter(|reason| !reason.is_empty()) {
            self.finish_reason = Some(reason.to_owned());
        }
        Ok(pieces)
    }

    fn take_delta(&mut self, delta: &Value, pieces: &mut Pieces) -> Result<(), String> {
        match text(delta, "role")? {
            None | Some("" | "assistant") => {}
            Some(role) => return Err(format!("the role of the message is {role:?}")),
        }
        let thinking = match text(delta, "reasoning_content")? {
            Some(thinking) => Some(thinking),
            None => text(delta, "reasoning")?,
        };
        let texts = [
            (thinking, Delta::Thinking as fn(String) -> Delta),
            (
                text(delta, "content")?,
                Delta::Content as fn(String) -> Delta,
            ),
        ];
        for (piece, wrap) in texts {
            match piece {
                None | Some("") => {}
                Some(piece) => pieces.shown.push(wrap(piece.to_owned())),
            }
        }
        if let Some(calls) = present(delta, "tool_calls") {
            let calls = calls.as_array().ok_or("`tool_calls` is not an array")?;
            for call in calls {
                pieces.counted += self.calls.take(call)?;
            }
        }
        let brings_something = !pieces.shown.is_empty() || pieces.counted > 0;
        if brings_something && self.finish_reason.is_some() {
            return Err("it adds to an answer that has ended".to_owned());
        }
        Ok(())
    }

    /// Takes the last event, unless something was lost.
    fn take_done(&mut self, on_delta: &mut dyn FnMut(Delta)) -> Result<(), ModelError> {
        let reason = self.finish_reason.take();
        match reason.as_deref() {
            Some("stop" | "tool_calls" | "function_call") => {}
            // The prompt first: a full window is the cause, a short answer the effect.
            Some("length") => {
                prompt::check(&self.request, self.growing.answer.prompt_tokens)?;
                let limit = self.request.options.num_predict;
                return Err(truncated(format!(
                    "it reached its limit of {limit} tokens, or the end of the window"
                )));
            }
            Some(other) => {
                return Err(truncated(format!("the server ended it with {other:?}")));
            }
            None => return Err(truncated("the server gave no reason for its end")),
        }
        for call in std::mem::take(&mut self.calls).finish()? {
            self.growing.add(Delta::ToolCall(call), on_delta);
        }
        self.growing.answer.done_reason = reason;
        self.is_done = true;
        Ok(())
    }
}

/// What an event brought.
#[derive(Default)]
struct Pieces {
    shown: Vec<Delta>,
    counted: usize,
}

#[cfg(test)]
mod tests;
