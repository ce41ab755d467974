//! The chat endpoint of the protocol of OpenAI.

use serde_json::{Value, json};

use crate::answer::pieces;
use crate::chat::exchanged;
use crate::double::Shared;
use crate::lines::Lines;
use crate::reply::Reply;
use crate::settings::Flavour;
use crate::stream::{EVENTS, in_place_of_an_answer, streamed, whole};
use crate::{Answer, Script, strict, window};

/// How many characters of arguments are in a fragment.
const FRAGMENT_CHARACTERS: usize = 7;

/// Returns the response to a request for a chat.
pub(crate) fn chat(shared: &Shared, json: Option<&Value>) -> Reply {
    let Some(request) = json else {
        return error(400, "invalid_request_error", "the body is not JSON");
    };
    let model = match check(shared, request) {
        Ok(model) => model,
        Err(reply) => return *reply,
    };
    let count = match prompt_tokens(shared, request) {
        Ok(count) => count,
        Err(reply) => return *reply,
    };
    let answer = match &shared.script {
        Script::Exchanges(exchanges) => return exchanged(exchanges, request, EVENTS),
        Script::Sequence(answers) => match shared.next_answer(answers) {
            Some(answer) => answer,
            None => return error(500, "server_error", "the script has no answer left"),
        },
    };
    let most = request["max_tokens"].as_u64();
    let answer = answer.counted(count, most);
    if let Some(reply) = in_place_of_an_answer(&answer.faults) {
        return reply;
    }
    let voice = Voice {
        flavour: shared.settings.flavour,
        model: &model,
        answer: &answer,
    };
    if request["stream"].as_bool().unwrap_or(false) {
        let counts = request["stream_options"]["include_usage"] == true;
        streamed(&answer.faults, voice.lines(counts), EVENTS)
    } else {
        whole(&answer.faults, voice.whole().to_string())
    }
}

/// Returns an error in the form of this protocol.
pub(crate) fn error(status: u16, kind: &str, message: &str) -> Reply {
    let error = json!({ "message": message, "type": kind, "param": null, "code": status });
    Reply::json(status, &json!({ "error": error }))
}

/// Returns the refusal of a request that does not bring the key.
pub(crate) fn refused(shared: &Shared, authorization: Option<&str>) -> Option<Reply> {
    let key = shared.settings.api_key.as_ref()?;
    let brought = authorization.and_then(|value| value.strip_prefix("Bearer "));
    (brought != Some(key)).then(|| error(401, "authentication_error", "Invalid API Key"))
}

/// Returns the name of the model that answers.
fn check(shared: &Shared, request: &Value) -> Result<String, Box<Reply>> {
    let refuse = |message: &str| Err(Box::new(error(400, "invalid_request_error", message)));
    let Some(members) = request.as_object() else {
        return refuse("the request is not an object");
    };
    let model = match members.get("model").and_then(Value::as_str) {
        None | Some("") => return refuse("model is required"),
        Some(model) => model,
    };
    if !members.get("messages").is_some_and(Value::is_array) {
        return refuse("messages must be an array");
    }
    if shared.settings.is_strict
        && let Some(place) = strict::first_unexpected_of_openai(request)
    {
        return refuse(&format!("unexpected member {place} in the request"));
    }
    match shared.find(model) {
        Some(found) if shared.settings.flavour == Flavour::Ollama => {
            let has_tools = request["tools"].as_array().is_some_and(|it| !it.is_empty());
            if has_tools && !found.can("tools") {
                return refuse(&format!("{model:?} does not support tools"));
            }
            Ok(found.name)
        }
        Some(found) => Ok(found.name),
        // llama.cpp has one model and answers with it, whatever it is asked for.
        None if shared.settings.flavour == Flavour::LlamaCpp => {
            let loaded = shared.models().into_iter().next();
            Ok(loaded.map_or_else(|| model.to_owned(), |loaded| loaded.name))
        }
        None => Err(Box::new(error(
            404,
            "not_found_error",
            &format!("model '{model}' not found"),
        ))),
    }
}

/// Returns the count of the prompt, if the server counts; or its refusal.
fn prompt_tokens(shared: &Shared, request: &Value) -> Result<Option<u64>, Box<Reply>> {
    let Some(settings) = &shared.settings.window else {
        return Ok(None);
    };
    let messages = request["messages"].as_array().into_iter().flatten();
    let count = window::prompt_tokens(messages, &request["tools"]);
    let most = request["max_tokens"].as_u64().unwrap_or(0);
    match shared.settings.flavour {
        Flavour::Ollama => {
            // This protocol has no word for the window, and none against cutting.
            let deaf = window_of_ollama(settings);
            window::ollama(&deaf, &without_options(request)).map(Some)
        }
        Flavour::LlamaCpp if count > settings.tokens => {
            let body = window::overflow(count, settings.tokens);
            Err(Box::new(Reply::json(400, &body)))
        }
        Flavour::Vllm if count + most > settings.tokens => {
            let body = window::vllm_overflow(count, most, settings.tokens);
            Err(Box::new(Reply::json(400, &body)))
        }
        Flavour::LlamaCpp | Flavour::Vllm => Ok(Some(count)),
    }
}

fn window_of_ollama(window: &crate::Window) -> crate::Window {
    crate::Window {
        ignores_truncate: true,
        ..*window
    }
}

fn without_options(request: &Value) -> Value {
    json!({ "messages": request["messages"], "tools": request["tools"] })
}

/// An answer as a server of some flavour gives it.
struct Voice<'a> {
    flavour: Flavour,
    model: &'a str,
    answer: &'a Answer,
}

impl Voice<'_> {
    fn lines(&self, counts: bool) -> Lines {
        let mut lines = Lines::default();
        let piece = |delta: Value| self.event(&delta, None);
        lines
            .first
            .push(piece(json!({ "role": "assistant", "content": null })));
        for thinking in pieces(self.answer.thinking.as_deref().unwrap_or_default()) {
            lines
                .first
                .push(piece(json!({ self.thinking_member(): thinking })));
        }
        match self.answer.faults.oversized_bytes {
            Some(bytes) => lines.oversize(bytes, |content| piece(json!({ "content": content }))),
            None => {
                let content = pieces(&self.answer.content).into_iter();
                let content = content.map(|content| piece(json!({ "content": content })));
                lines.first.extend(content);
            }
        }
        let fragments = self.call_fragments().into_iter();
        lines
            .last
            .extend(fragments.map(|calls| piece(json!({ "tool_calls": calls }))));
        if let Some(message) = &self.answer.faults.error_line {
            let error = json!({ "code": 500, "message": message, "type": "server_error" });
            lines.last.push(data(&json!({ "error": error })));
            return lines;
        }
        lines
            .last
            .push(self.event(&json!({}), self.finish_reason()));
        if let (true, Some(usage)) = (counts, self.usage()) {
            let mut event = self.frame("chat.completion.chunk", json!([]));
            event["usage"] = usage;
            lines.last.push(data(&event));
        }
        if !self.answer.faults.without_terminal_record {
            lines.last.push("data: [DONE]".to_owned());
        }
        lines
    }

    fn whole(&self) -> Value {
        let mut message = json!({ "role": "assistant", "content": self.answer.sent_content() });
        if let Some(thinking) = &self.answer.thinking {
            message[self.thinking_member()] = json!(thinking);
        }
        let calls = self.whole_calls();
        if !calls.is_empty() {
            message["tool_calls"] = json!(calls);
        }
        let choice =
            json!({ "index": 0, "message": message, "finish_reason": self.finish_reason() });
        let mut body = self.frame("chat.completion", json!([choice]));
        body["usage"] = self.usage().unwrap_or_default();
        body
    }

    fn frame(&self, object: &str, choices: Value) -> Value {
        json!({
            "id": "chatcmpl-1", "object": object, "created": 1_767_225_600, "model": self.model,
            "system_fingerprint": match self.flavour {
                Flavour::Ollama => "fp_ollama",
                Flavour::LlamaCpp => "b10499-6d05498",
                Flavour::Vllm => "vllm",
            },
            "choices": choices,
        })
    }

    fn event(&self, delta: &Value, finish_reason: Option<&str>) -> String {
        let choice = json!({ "index": 0, "delta": delta, "finish_reason": finish_reason });
        data(&self.frame("chat.completion.chunk", json!([choice])))
    }

    fn thinking_member(&self) -> &'static str {
        match self.flavour {
            Flavour::Ollama => "reasoning",
            Flavour::LlamaCpp | Flavour::Vllm => "reasoning_content",
        }
    }

    fn finish_reason(&self) -> Option<&str> {
        match self.answer.done_reason.as_deref() {
            Some("stop") if !self.answer.tool_calls.is_empty() => Some("tool_calls"),
            reason => reason,
        }
    }

    fn usage(&self) -> Option<Value> {
        let (prompt, completion) = (self.answer.prompt_eval_count, self.answer.eval_count);
        if prompt.is_none() && completion.is_none() {
            return None;
        }
        let (prompt, completion) = (prompt.unwrap_or(0), completion.unwrap_or(0));
        let mut usage = json!({
            "prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion,
        });
        if let Some(cached) = self.answer.cached_count {
            usage["prompt_tokens_details"] = json!({ "cached_tokens": cached });
        }
        Some(usage)
    }

    /// Returns the arguments of a call as a text; of an answer that was cut only the beginning.
    fn arguments(&self, arguments: &Value) -> String {
        let mut text = arguments.to_string();
        if self.answer.done_reason.as_deref() == Some("length") {
            text.truncate(text.floor_char_boundary(text.len() / 2));
        }
        text
    }

    fn whole_calls(&self) -> Vec<Value> {
        let calls = self.answer.tool_calls.iter().enumerate();
        calls
            .map(|(index, call)| {
                let function =
                    json!({ "name": call.name, "arguments": self.arguments(&call.arguments) });
                self.call(index, &function)
            })
            .collect()
    }

    fn call(&self, index: usize, function: &Value) -> Value {
        let mut call = json!({ "index": index, "type": "function", "function": function });
        if let Some(id) = self.answer.call_id(index) {
            call["id"] = json!(id);
        }
        call
    }

    /// Returns the elements of `tool_calls`, event by event.
    fn call_fragments(&self) -> Vec<Vec<Value>> {
        let whole = self.whole_calls();
        if self.answer.calls_in_one_line && !whole.is_empty() {
            return vec![whole];
        }
        if self.flavour == Flavour::Ollama {
            return whole.into_iter().map(|call| vec![call]).collect();
        }
        let mut fragments = Vec::new();
        for (index, call) in self.answer.tool_calls.iter().enumerate() {
            let function = json!({ "name": call.name, "arguments": "" });
            fragments.push(vec![self.call(index, &function)]);
            let arguments: Vec<char> = self.arguments(&call.arguments).chars().collect();
            for piece in arguments.chunks(FRAGMENT_CHARACTERS) {
                let piece: String = piece.iter().collect();
                let function = json!({ "arguments": piece });
                fragments.push(vec![json!({ "index": index, "function": function })]);
            }
        }
        fragments
    }
}

fn data(event: &Value) -> String {
    format!("data: {event}")
}
