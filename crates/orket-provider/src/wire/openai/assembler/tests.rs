use orket_ports::model::{Message, ModelOptions, Speaker};

use super::*;

fn request(content: &str) -> ModelRequest {
    ModelRequest {
        model: "m".to_owned(),
        messages: vec![Message::text(Speaker::User, content)],
        tools: vec![],
        options: ModelOptions::default(),
        format: None,
    }
}

/// Feeds `stream` in pieces of `cut` bytes and shows the deltas and the result in words.
fn run(
    request: &ModelRequest,
    stream: &str,
    cut: usize,
) -> (Vec<Delta>, Result<ModelAnswer, String>) {
    let mut deltas = Vec::new();
    let mut assembler = Assembler::new(request).with_limit(1000);
    for bytes in stream.as_bytes().chunks(cut) {
        if let Err(error) = assembler.push(bytes, &mut |delta| deltas.push(delta)) {
            return (deltas, Err(error.to_string()));
        }
    }
    let result = assembler.finish(&mut |delta| deltas.push(delta));
    (deltas, result.map_err(|error| error.to_string()))
}

fn events(data: &[&str]) -> String {
    data.iter()
        .map(|data| format!("data: {data}\n\n"))
        .collect()
}

fn delta(delta: &str) -> String {
    format!(r#"{{"choices":[{{"index":0,"delta":{delta},"finish_reason":null}}]}}"#)
}

fn end(reason: &str) -> String {
    format!(r#"{{"choices":[{{"index":0,"delta":{{}},"finish_reason":"{reason}"}}]}}"#)
}

#[test]
fn fragments_of_calls_become_whole_calls_however_the_bytes_are_cut() {
    let stream = events(&[
        &delta(r#"{"role":"assistant","content":null}"#),
        &delta(r#"{"reasoning_content":"Zwei 🌍 "}"#),
        &delta(r#"{"reasoning":"Dateien"}"#),
        &delta(r#"{"content":"Grüße"}"#),
        &delta(
            r#"{"tool_calls":[{"index":0,"id":"a","type":"function","function":{"name":"f","arguments":""}}]}"#,
        ),
        &delta(r#"{"tool_calls":[{"index":0,"function":{"arguments":"{\"pa"}}]}"#),
        &delta(
            r#"{"tool_calls":[{"index":1,"id":"b","type":"function","function":{"name":"g","arguments":"{"}},{"index":0,"function":{"arguments":"th\":\"🌍}\"}"}}]}"#,
        ),
        &delta(r#"{"tool_calls":[{"index":1,"function":{"arguments":"bad"}}]}"#),
        &delta(r#"{"tool_calls":[{"index":2,"id":"c","function":{"name":"h"}}]}"#),
        &end("tool_calls"),
        r#"{"choices":[],"usage":{"prompt_tokens":10,"completion_tokens":5,"prompt_tokens_details":{"cached_tokens":4}}}"#,
        "[DONE]",
    ]);
    let crlf = stream.replace('\n', "\r\n");
    let comments = stream.replace("data: ", ": still there\ndata:");
    let no_end = stream.trim_end().to_owned();
    for text in [&stream, &crlf, &comments, &no_end] {
        for cut in [1, 2, 3, 7, 1 << 20] {
            let (deltas, answer) = run(&request("Hello"), text, cut);
            let answer = answer.unwrap();
            assert_eq!(answer.content, "Grüße");
            assert_eq!(answer.thinking.as_deref(), Some("Zwei 🌍 Dateien"));
            let calls: Vec<String> = answer
                .tool_calls
                .iter()
                .map(|call| format!("{} {}", call.name, call.arguments))
                .collect();
            assert_eq!(calls, [r#"f {"path":"🌍}"}"#, r#"g "{bad""#, "h {}"]);
            assert_eq!(answer.done_reason.as_deref(), Some("tool_calls"));
            let counts = (answer.prompt_tokens, answer.completion_tokens);
            assert_eq!(
                (counts, answer.cached_tokens),
                ((Some(10), Some(5)), Some(4))
            );
            assert_eq!(deltas.len(), 6);
        }
    }
}

#[test]
fn calls_without_an_index_or_all_with_the_first_are_told_apart() {
    for stream in [
        [
            delta(
                r#"{"tool_calls":[{"id":"a","function":{"name":"f","arguments":"{}"}},{"id":"b","function":{"name":"g","arguments":"{}"}}]}"#,
            ),
            end("stop"),
        ],
        [
            delta(
                r#"{"tool_calls":[{"index":0,"id":"a","function":{"name":"f","arguments":"{}"}},{"index":0,"id":"b","function":{"name":"g","arguments":{}}}]}"#,
            ),
            end("stop"),
        ],
    ] {
        let (_, answer) = run(
            &request(""),
            &events(&[&stream[0], &stream[1], "[DONE]"]),
            5,
        );
        let names: Vec<String> = answer
            .unwrap()
            .tool_calls
            .into_iter()
            .map(|call| call.name)
            .collect();
        assert_eq!(names, ["f", "g"]);
    }
}

#[test]
fn whatever_keeps_an_answer_from_being_whole_is_an_error() {
    let hi = delta(r#"{"content":"Hi"}"#);
    let stop = end("stop");
    let cases: &[(&str, &[&str], &str)] = &[
        (
            "no end",
            &[&hi],
            "the answer ended before its end: the stream ended without its last event",
        ),
        (
            "no last event",
            &[&hi, &stop],
            "the answer ended before its end: the stream ended without its last event",
        ),
        (
            "no reason",
            &[&hi, "[DONE]"],
            "the answer ended before its end: the server gave no reason for its end",
        ),
        (
            "length",
            &[&hi, &end("length"), "[DONE]"],
            "the answer ended before its end: it reached its limit of 1024 tokens, or the end of the window",
        ),
        (
            "filter",
            &[&hi, &end("content_filter"), "[DONE]"],
            r#"the answer ended before its end: the server ended it with "content_filter""#,
        ),
        (
            "an error after content",
            &[
                &hi,
                r#"{"error":{"message":"the slot is gone","code":500}}"#,
            ],
            "the model server answered 200: the slot is gone",
        ),
        (
            "an overflow after content",
            &[
                &hi,
                r#"{"error":{"message":"x","type":"exceed_context_size_error"}}"#,
            ],
            "the prompt does not fit the context window: x",
        ),
        (
            "more after the last event",
            &[&hi, &stop, "[DONE]", "{}"],
            "the model server does not speak the protocol: the event before line 8 of the answer: it follows the last event",
        ),
        (
            "content after the end",
            &[&stop, &hi],
            "the model server does not speak the protocol: the event before line 4 of the answer: it adds to an answer that has ended",
        ),
        (
            "two choices",
            &[r#"{"choices":[{},{}]}"#],
            "the model server does not speak the protocol: the event before line 2 of the answer: it holds more than one choice",
        ),
        (
            "no JSON",
            &["{"],
            "the model server does not speak the protocol: the event before line 2 of the answer: ",
        ),
        (
            "a call without a name",
            &[
                &delta(r#"{"tool_calls":[{"index":0,"function":{"arguments":"{}"}}]}"#),
                &stop,
                "[DONE]",
            ],
            "the model server does not speak the protocol: a tool call has no name",
        ),
        (
            "a call with two names",
            &[&delta(
                r#"{"tool_calls":[{"index":0,"function":{"name":"f"}},{"index":0,"function":{"name":"g"}}]}"#,
            )],
            r#"the model server does not speak the protocol: the event before line 2 of the answer: one tool call is named "f" and "g""#,
        ),
        (
            "too many tokens",
            &[
                &hi,
                &stop,
                r#"{"choices":[],"usage":{"prompt_tokens":4000}}"#,
                "[DONE]",
            ],
            "the prompt does not fit the context window: 4000 tokens of prompt and 1024 of answer exceed the window of 4096",
        ),
        (
            "too few tokens",
            &[
                &hi,
                &stop,
                r#"{"choices":[],"usage":{"prompt_tokens":1}}"#,
                "[DONE]",
            ],
            "the model did not see the whole prompt: the server counts 1 tokens, and the prompt has at least 2",
        ),
    ];
    for (name, data, expected) in cases {
        for cut in [1, 1000] {
            let (_, answer) = run(&request("two words"), &events(data), cut);
            let error = answer.unwrap_err();
            assert!(error.starts_with(expected), "{name}: {error}");
        }
    }
    let (_, answer) = run(&request(""), "<html>\n", 3);
    assert!(
        answer
            .unwrap_err()
            .starts_with("the model server does not speak the protocol")
    );
    let llama = format!(
        "data: {hi}\n\nerror: {{\"code\":500,\"message\":\"gone\",\"type\":\"server_error\"}}\n\n"
    );
    let (_, answer) = run(&request(""), &llama, 3);
    assert_eq!(answer.unwrap_err(), "the model server answered 200: gone");
}

#[test]
fn every_cut_of_a_good_stream_is_a_truncation() {
    let stream = events(&[&delta(r#"{"content":"Hé"}"#), &end("stop"), "[DONE]"]);
    let whole = stream.trim_end().len();
    for length in 0..whole {
        let mut assembler = Assembler::new(&request(""));
        assembler
            .push(&stream.as_bytes()[..length], &mut |_| {})
            .unwrap();
        let error = assembler.finish(&mut |_| {}).unwrap_err();
        assert!(
            matches!(error, ModelError::Truncated { .. }),
            "{length}: {error}"
        );
    }
}

#[test]
fn fragments_count_towards_the_limit_before_the_call_is_whole() {
    let long = format!(
        r#"{{"tool_calls":[{{"index":0,"function":{{"name":"f","arguments":"{}"}}}}]}}"#,
        "x".repeat(400)
    );
    let piece = delta(&long);
    let (deltas, answer) = run(&request(""), &events(&[&piece, &piece, &piece]), 100);
    assert_eq!(answer.unwrap_err(), "the answer is longer than 1000 bytes");
    assert!(deltas.is_empty());
}

#[test]
fn an_answer_that_was_to_be_json_and_is_not_is_an_error() {
    let mut asked = request("");
    asked.format = Some(orket_kernel::object! {});
    let stream = events(&[&delta(r#"{"content":"```json"}"#), &end("stop"), "[DONE]"]);
    let error = run(&asked, &stream, 9).1.unwrap_err();
    assert!(error.contains("the answer was to be JSON"), "{error}");
}
