//! Counting tokens, and what real servers do with a prompt that does not fit.

use serde_json::{Value, json};

use crate::reply::Reply;
use crate::settings::{PromptPath, Window};

/// How many characters a token of the double has at most.
const TOKEN_CHARACTERS: usize = 4;

/// What a template adds to each message: who speaks, and the end.
const MESSAGE_TOKENS: u64 = 4;

/// What a template adds to the whole: the beginning of the text, and who speaks next.
const PROMPT_TOKENS: u64 = 4;

/// How many tokens Ollama keeps from the beginning unless a request says otherwise.
const NUM_KEEP: u64 = 4;

/// Counts the tokens of a text: four characters of a word are one.
pub(crate) fn tokens(text: &str) -> u64 {
    let words = text.split_whitespace();
    words
        .map(|word| word.chars().count().div_ceil(TOKEN_CHARACTERS) as u64)
        .sum()
}

/// Cuts a text after its first tokens.
pub(crate) fn first_tokens(text: &str, most: u64) -> &str {
    let mut left = most;
    let mut end = 0;
    for word in text.split_inclusive(char::is_whitespace) {
        let cost = tokens(word);
        if cost > left {
            let letters = left as usize * TOKEN_CHARACTERS;
            let cut = word.char_indices().nth(letters);
            return &text[..end + cut.map_or(word.len(), |(at, _)| at)];
        }
        left -= cost;
        end += word.len();
    }
    text
}

/// Counts the tokens of a rendered prompt.
pub(crate) fn prompt_tokens<'a>(
    messages: impl IntoIterator<Item = &'a Value>,
    tools: &Value,
) -> u64 {
    let messages = messages.into_iter().map(|message| {
        let calls = match &message["tool_calls"] {
            Value::Null => 0,
            calls => tokens(&calls.to_string()),
        };
        MESSAGE_TOKENS + tokens(message["content"].as_str().unwrap_or_default()) + calls
    });
    let tools = match tools {
        Value::Null => 0,
        tools => tokens(&tools.to_string()),
    };
    PROMPT_TOKENS + tools + messages.sum::<u64>()
}

/// Returns how many tokens Ollama counts in the prompt of a request, after all that it cuts; or its refusal.
pub(crate) fn ollama(window: &Window, request: &Value) -> Result<u64, Box<Reply>> {
    let options = &request["options"];
    let num_ctx = options["num_ctx"].as_u64().unwrap_or(window.tokens);
    let says = |key: &str| window.ignores_truncate || request[key].as_bool().unwrap_or(true);
    let (truncates, shifts) = (says("truncate"), says("shift"));
    let tools = &request["tools"];
    let mut messages: Vec<&Value> = request["messages"]
        .as_array()
        .into_iter()
        .flatten()
        .collect();
    let whole = prompt_tokens(messages.iter().copied(), tools);
    let mut count = whole;
    while truncates && count > num_ctx {
        let last = messages.len().saturating_sub(1);
        let oldest = messages
            .iter()
            .position(|message| message["role"] != "system");
        match oldest {
            // System messages and the last message stay.
            Some(oldest) if oldest < last => messages.remove(oldest),
            _ => break,
        };
        count = prompt_tokens(messages.iter().copied(), tools);
    }
    if count <= num_ctx {
        return Ok(count);
    }
    match window.path {
        PromptPath::Rendered if truncates && shifts => {
            let keep = options["num_keep"]
                .as_u64()
                .unwrap_or(NUM_KEEP)
                .min(num_ctx);
            Ok(num_ctx - (num_ctx - keep) / 2)
        }
        PromptPath::Rendered => Err(Box::new(Reply::error(
            400,
            "the prompt is longer than the context length currently available to the model; shorten it or load the model with a larger context",
        ))),
        // Ollama passes the body of its runner through as a text.
        PromptPath::Native => {
            let inner = overflow(whole, num_ctx).to_string();
            Err(Box::new(Reply::error(400, &inner)))
        }
    }
}

/// Returns the body with which llama.cpp refuses a prompt that is too long.
pub(crate) fn overflow(count: u64, window: u64) -> Value {
    json!({ "error": {
        "code": 400, "type": "exceed_context_size_error", "n_prompt_tokens": count, "n_ctx": window,
        "message": format!(
            "request ({count} tokens) exceeds the available context size ({window} tokens), try increasing it"
        ),
    } })
}

/// Returns the body with which vLLM refuses one.
pub(crate) fn vllm_overflow(count: u64, answer: u64, window: u64) -> Value {
    json!({ "error": {
        "message": format!(
            "This model's maximum context length is {window} tokens. However, you requested {} tokens ({count} in the \
             messages, {answer} in the completion). Please reduce the length of the messages or completion.",
            count + answer
        ),
        "type": "BadRequestError", "param": null, "code": 400,
    } })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(words: &[usize], truncate: bool, shift: bool) -> Value {
        let messages: Vec<Value> = words
            .iter()
            .enumerate()
            .map(|(place, words)| {
                let role = if place == 0 { "system" } else { "user" };
                json!({ "role": role, "content": "word ".repeat(*words) })
            })
            .collect();
        json!({ "messages": messages, "truncate": truncate, "shift": shift, "options": { "num_ctx": 100 } })
    }

    /// The figures of the real server: the oldest messages go first, then half of the window and num_keep is left.
    #[test]
    fn prompts_that_do_not_fit_are_treated_as_ollama_does() {
        let rendered = Window::default();
        let native = Window {
            path: PromptPath::Native,
            ..rendered
        };
        let deaf = Window {
            ignores_truncate: true,
            ..rendered
        };
        let count = |window: &Window, words: &[usize], truncate, shift| {
            ollama(window, &request(words, truncate, shift)).map_err(|reply| reply.status)
        };
        // 4 for the prompt, 4 for each message, 1 for each word.
        assert_eq!(count(&rendered, &[10, 20], false, false), Ok(42));
        assert_eq!(count(&rendered, &[10, 50, 20], false, false), Ok(96));
        assert_eq!(count(&rendered, &[10, 60, 20], false, false), Err(400));
        assert_eq!(count(&rendered, &[10, 60, 20], true, true), Ok(42));
        assert_eq!(count(&rendered, &[10, 200], true, true), Ok(52));
        assert_eq!(count(&rendered, &[10, 200], true, false), Err(400));
        assert_eq!(count(&rendered, &[10, 200], false, true), Err(400));
        assert_eq!(count(&native, &[10, 200], true, true), Err(400));
        assert_eq!(count(&deaf, &[10, 200], false, false), Ok(52));
        let refused = ollama(&native, &request(&[10, 200], false, false)).unwrap_err();
        assert!(refused.lines()[0].contains(r#"\"type\":\"exceed_context_size_error\""#));
    }

    #[test]
    fn a_text_is_cut_after_whole_tokens() {
        assert_eq!(tokens("one threefour  é"), 5);
        assert_eq!(first_tokens("one threefour é", 2), "one thre");
        assert_eq!(first_tokens("one threefour é", 4), "one threefour ");
        assert_eq!(first_tokens("one threefour é", 5), "one threefour é");
        assert_eq!(first_tokens("one", 0), "");
    }
}
