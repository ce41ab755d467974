//! A model that is a function of its request.

use std::sync::Mutex;

use orket_kernel::canonical::Value;
use orket_kernel::object;
use orket_ports::model::{Cancellation, Delta, ModelAnswer, ModelRequest, Speaker, ToolCall};
use orket_ports::{ModelError, ModelProvider};

/// A request, and what its prompt says.
pub(crate) struct Ask<'a> {
    /// How many requests came before.
    pub(crate) number: usize,
    pub(crate) request: &'a ModelRequest,
    pub(crate) role: String,
    pub(crate) card: String,
    pub(crate) status: String,
    /// The promised files, with `agent_output/`.
    pub(crate) promised: Vec<String>,
}

impl<'a> Ask<'a> {
    fn new(number: usize, request: &'a ModelRequest) -> Ask<'a> {
        let system = &request.messages[0].content;
        let brief = &request.messages[1].content;
        let between = |text: &str, start: &str, end: &str| {
            let (_, rest) = text.split_once(start).unwrap();
            rest.split_once(end).unwrap().0.to_owned()
        };
        let promised = brief
            .lines()
            .filter_map(|line| line.strip_prefix("Promised file: "));
        Ask {
            number,
            request,
            role: between(system, "You are the role ", " in the step "),
            card: between(brief, "Card ", ": "),
            status: between(brief, "Status: ", "\n"),
            promised: promised.map(str::to_owned).collect(),
        }
    }

    /// Whether an earlier answer to this turn was refused.
    pub(crate) fn follows_a_refusal(&self) -> bool {
        self.text()
            .contains("were refused, and nothing of them was done")
    }

    /// Whether the answer before this request is to be put right.
    pub(crate) fn is_corrective(&self) -> bool {
        last_words(self.request).contains("This answer cannot be used")
    }

    /// Everything that the request says, in one text.
    pub(crate) fn text(&self) -> String {
        text(self.request)
    }
}

/// Everything that a request says, in one text.
pub(crate) fn text(request: &ModelRequest) -> String {
    let said = request
        .messages
        .iter()
        .map(|message| message.content.as_str());
    said.collect::<Vec<_>>().join("\n")
}

/// What a request says last.
pub(crate) fn last_words(request: &ModelRequest) -> &str {
    let last = request.messages.last().unwrap();
    assert_eq!(last.speaker, Speaker::User);
    &last.content
}

/// Asks a closure, and keeps what was asked.
pub(crate) struct Scripted<F> {
    answer: F,
    asked: Mutex<Vec<ModelRequest>>,
}

pub(crate) fn scripted<F>(answer: F) -> Scripted<F>
where
    F: Fn(&Ask<'_>) -> Result<ModelAnswer, ModelError> + Send + Sync,
{
    Scripted {
        answer,
        asked: Mutex::default(),
    }
}

impl<F> Scripted<F> {
    pub(crate) fn requests(&self) -> Vec<ModelRequest> {
        self.asked.lock().unwrap().clone()
    }

    pub(crate) fn count(&self) -> usize {
        self.asked.lock().unwrap().len()
    }
}

impl<F> ModelProvider for Scripted<F>
where
    F: Fn(&Ask<'_>) -> Result<ModelAnswer, ModelError> + Send + Sync,
{
    fn invoke(
        &self,
        request: &ModelRequest,
        on_delta: &mut dyn FnMut(Delta),
        _: &Cancellation,
    ) -> Result<ModelAnswer, ModelError> {
        let number = {
            let mut asked = self.asked.lock().unwrap();
            asked.push(request.clone());
            asked.len() - 1
        };
        on_delta(Delta::Content("…".into()));
        (self.answer)(&Ask::new(number, request))
    }
}

/// Shows these pieces and answers as another model does.
pub(crate) struct InPieces<'a> {
    pub(crate) pieces: &'a [&'a str],
    pub(crate) model: &'a dyn ModelProvider,
}

impl ModelProvider for InPieces<'_> {
    fn invoke(
        &self,
        request: &ModelRequest,
        on_delta: &mut dyn FnMut(Delta),
        cancellation: &Cancellation,
    ) -> Result<ModelAnswer, ModelError> {
        for piece in self.pieces {
            on_delta(Delta::Content((*piece).into()));
        }
        self.model.invoke(request, &mut |_| {}, cancellation)
    }
}

/// Does what a role should: the coder writes what is promised, the others pass it on.
pub(crate) fn good(ask: &Ask<'_>) -> ModelAnswer {
    match ask.role.as_str() {
        "code_reviewer" => calls([set("awaiting_guard_review")]),
        "integrity_guard" => calls([set("done")]),
        _ => {
            let files = ask.promised.iter();
            let writes = files.map(|path| write(path, &format!("good work for {}\n", ask.card)));
            calls(writes.chain([set("code_review")]))
        }
    }
}

pub(crate) fn calls(calls: impl IntoIterator<Item = ToolCall>) -> ModelAnswer {
    ModelAnswer {
        content: "I do this.".into(),
        thinking: None,
        tool_calls: calls.into_iter().collect(),
        done_reason: Some("stop".into()),
        prompt_tokens: Some(11),
        completion_tokens: Some(7),
        ..ModelAnswer::default()
    }
}

pub(crate) fn prose(text: &str) -> ModelAnswer {
    ModelAnswer {
        content: text.into(),
        ..calls([])
    }
}

pub(crate) fn call(name: &str, arguments: Value) -> ToolCall {
    ToolCall {
        name: name.into(),
        arguments,
    }
}

pub(crate) fn write(path: &str, content: &str) -> ToolCall {
    call(
        "write_file",
        object! { "path" => path, "content" => content },
    )
}

pub(crate) fn set(status: &str) -> ToolCall {
    call("update_issue_status", object! { "status" => status })
}

pub(crate) fn comment(text: &str) -> ToolCall {
    call("add_issue_comment", object! { "comment" => text })
}

/// An answer that is not allowed and cannot be put right.
pub(crate) fn forbidden() -> ModelAnswer {
    calls([write("verification/check.sh", "exit 0\n")])
}

pub(crate) fn unreachable() -> ModelError {
    ModelError::Unreachable {
        url: "http://127.0.0.1:1".into(),
        reason: "connection refused".into(),
    }
}
