//! One scripted answer and the lines that Ollama would send for it.

use serde::Serialize;
use serde_json::Value;

use crate::Faults;
use crate::lines::Lines;
use crate::window::{first_tokens, tokens};

/// How many words stand in a piece of text.
const WORDS_PER_PIECE: usize = 3;

/// When every answer was made.
pub(crate) const CREATED_AT: &str = "2026-01-01T00:00:00Z";

/// An answer of the model, as it is written in a script.
///
/// ```
/// use orket_model_double::Answer;
///
/// let answer = Answer { prompt_eval_count: Some(12), ..Answer::text("One two three four.") };
/// let lines = answer.lines("m");
/// assert_eq!(lines.len(), 3);
/// assert_eq!(
///     lines[1],
///     r#"{"model":"m","created_at":"2026-01-01T00:00:00Z","message":{"role":"assistant","content":"four."},"done":false}"#
/// );
/// assert!(lines[2].contains(r#""done":true,"done_reason":"stop","total_duration":1000000000,"#));
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Answer {
    /// The text.
    pub content: String,
    /// The reasoning text, which is sent first.
    pub thinking: Option<String>,
    /// The tool calls, which are sent after the text.
    pub tool_calls: Vec<Call>,
    /// Sends all tool calls in one line; otherwise each has its own.
    pub calls_in_one_line: bool,
    /// The count of tokens in the prompt; absent from the terminal record if it is absent here or zero.
    pub prompt_eval_count: Option<u64>,
    /// The count of tokens in the answer; the same holds.
    pub eval_count: Option<u64>,
    /// Of the tokens in the prompt, those that the server still knew; only told below `/v1`.
    pub cached_count: Option<u64>,
    /// Why the model stopped; absent from the terminal record if it is absent here.
    pub done_reason: Option<String>,
    /// What goes wrong.
    pub faults: Faults,
}

/// A tool call of an [`Answer`].
#[derive(Clone, Debug, PartialEq, Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Call {
    /// The name of the tool.
    pub name: String,
    /// The arguments; a faithful server sends only objects.
    pub arguments: Value,
}

impl Default for Answer {
    fn default() -> Answer {
        Answer {
            content: String::new(),
            thinking: None,
            tool_calls: Vec::new(),
            calls_in_one_line: false,
            prompt_eval_count: None,
            eval_count: None,
            cached_count: None,
            done_reason: Some("stop".to_owned()),
            faults: Faults::default(),
        }
    }
}

#[derive(Serialize)]
struct Line<'a> {
    model: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    remote_model: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    remote_host: Option<&'a str>,
    created_at: &'a str,
    message: Message<'a>,
    done: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    done_reason: Option<&'a str>,
    #[serde(flatten)]
    metrics: Option<Metrics>,
}

#[derive(Default, Serialize)]
struct Message<'a> {
    role: &'static str,
    content: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    thinking: Option<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tool_calls: Vec<WireCall<'a>>,
}

#[derive(Serialize)]
struct WireCall<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    function: Function<'a>,
}

#[derive(Serialize)]
struct Function<'a> {
    index: usize,
    name: &'a str,
    arguments: &'a Value,
}

/// Durations are in nanoseconds and always the same.
#[derive(Serialize)]
struct Metrics {
    total_duration: u64,
    load_duration: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    prompt_eval_count: Option<u64>,
    prompt_eval_duration: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    eval_count: Option<u64>,
    eval_duration: u64,
}

impl Answer {
    /// Returns a good answer of text alone.
    pub fn text(content: &str) -> Answer {
        Answer {
            content: content.to_owned(),
            ..Answer::default()
        }
    }

    /// Returns a good answer of one tool call.
    pub fn call(name: &str, arguments: Value) -> Answer {
        Answer {
            tool_calls: vec![Call {
                name: name.to_owned(),
                arguments,
            }],
            ..Answer::default()
        }
    }

    /// Returns the answer with faults.
    #[must_use]
    pub fn with_faults(mut self, faults: Faults) -> Answer {
        self.faults = faults;
        self
    }

    /// Returns the lines of the stream, without line endings; the last is the terminal record or what takes its place.
    pub fn lines(&self, model: &str) -> Vec<String> {
        self.stream(model).all()
    }

    pub(crate) fn stream(&self, model: &str) -> Lines {
        let mut lines = Lines::default();
        for thinking in pieces(self.thinking.as_deref().unwrap_or_default()) {
            let thinking = Some(thinking);
            lines.first.push(self.line(
                model,
                Message {
                    thinking,
                    ..message("")
                },
            ));
        }
        match self.faults.oversized_bytes {
            Some(bytes) => lines.oversize(bytes, |content| self.line(model, message(content))),
            None => {
                let pieces = pieces(&self.content);
                let content = pieces.into_iter().map(|it| self.line(model, message(it)));
                lines.first.extend(content);
            }
        }
        let calls = self.wire_calls();
        let groups: Vec<Vec<WireCall<'_>>> = if self.calls_in_one_line && !calls.is_empty() {
            vec![calls]
        } else {
            calls.into_iter().map(|call| vec![call]).collect()
        };
        for tool_calls in groups {
            let message = Message {
                tool_calls,
                ..message("")
            };
            lines.last.push(self.line(model, message));
        }
        if let Some(error) = &self.faults.error_line {
            let error = serde_json::json!({ "error": error });
            lines.last.push(error.to_string());
        } else if !self.faults.without_terminal_record {
            lines.last.push(self.terminal(model, message("")));
        }
        lines
    }

    /// Returns the answer with the counts of a server that counted `prompt` tokens, cut after `most` tokens; as it is if
    /// the server does not count.
    pub(crate) fn counted(&self, prompt: Option<u64>, most: Option<u64>) -> Answer {
        let mut answer = self.clone();
        let Some(prompt) = prompt else {
            return answer;
        };
        answer.prompt_eval_count.get_or_insert(prompt);
        if let Some(most) = most
            && tokens(&answer.content) > most
        {
            answer.content = first_tokens(&self.content, most).to_owned();
            answer.done_reason = Some("length".to_owned());
        }
        let spoken =
            tokens(&answer.content) + tokens(answer.thinking.as_deref().unwrap_or_default());
        answer.eval_count.get_or_insert(spoken);
        answer
    }

    /// Returns the id of a call, unless this server has none.
    pub(crate) fn call_id(&self, index: usize) -> Option<String> {
        (!self.faults.without_call_ids).then(|| format!("call_{:08}", index + 1))
    }

    /// Returns the one object that a request without streaming is answered with.
    pub(crate) fn whole(&self, model: &str) -> String {
        let content = self.sent_content();
        let whole = Message {
            thinking: self.thinking.as_deref(),
            tool_calls: self.wire_calls(),
            ..message(&content)
        };
        self.terminal(model, whole)
    }

    pub(crate) fn sent_content(&self) -> String {
        match self.faults.oversized_bytes {
            Some(bytes) => "x".repeat(bytes),
            None => self.content.clone(),
        }
    }

    fn wire_calls(&self) -> Vec<WireCall<'_>> {
        let calls = self.tool_calls.iter().enumerate();
        calls
            .map(|(index, call)| WireCall {
                id: self.call_id(index),
                function: Function {
                    index,
                    name: &call.name,
                    arguments: &call.arguments,
                },
            })
            .collect()
    }

    fn line(&self, model: &str, message: Message<'_>) -> String {
        let host = self.faults.remote_host.as_deref();
        render(&Line {
            model,
            remote_model: host.map(|_| model),
            remote_host: host,
            created_at: CREATED_AT,
            message,
            done: false,
            done_reason: None,
            metrics: None,
        })
    }

    fn terminal(&self, model: &str, message: Message<'_>) -> String {
        render(&Line {
            model,
            remote_model: None,
            remote_host: None,
            created_at: CREATED_AT,
            message,
            done: true,
            done_reason: self.done_reason.as_deref(),
            metrics: Some(Metrics {
                total_duration: 1_000_000_000,
                load_duration: 100_000_000,
                prompt_eval_count: self.prompt_eval_count.filter(|count| *count > 0),
                prompt_eval_duration: 300_000_000,
                eval_count: self.eval_count.filter(|count| *count > 0),
                eval_duration: 600_000_000,
            }),
        })
    }
}

fn message(content: &str) -> Message<'_> {
    Message {
        role: "assistant",
        content,
        ..Message::default()
    }
}

/// Renders a line; its members are texts, numbers and JSON values, all of which have a text.
fn render(line: &Line<'_>) -> String {
    serde_json::to_string(line).unwrap_or_else(|error| format!("{{\"error\":\"{error}\"}}"))
}

/// Cuts a text after every few words; the spaces stay with the word before them.
pub(crate) fn pieces(text: &str) -> Vec<&str> {
    let words: Vec<&str> = text.split_inclusive(' ').collect();
    let mut pieces = Vec::new();
    let mut start = 0;
    for words in words.chunks(WORDS_PER_PIECE) {
        let end = start + words.iter().map(|word| word.len()).sum::<usize>();
        pieces.push(&text[start..end]);
        start = end;
    }
    pieces
}
