use orket_ports::model::ModelOptions;

use super::*;

fn request() -> ModelRequest {
    ModelRequest {
        model: "m".to_owned(),
        messages: vec![],
        tools: vec![],
        options: ModelOptions {
            temperature: 0.0,
            seed: 0,
            num_ctx: 4096,
            num_predict: 1024,
            ..ModelOptions::default()
        },
        format: None,
    }
}

/// Feeds `stream` in pieces of `cut` bytes and shows the deltas and the result in words.
fn run(stream: &[u8], cut: usize, limit_bytes: u64) -> (Vec<Delta>, Result<ModelAnswer, String>) {
    let mut deltas = Vec::new();
    let mut assembler = Assembler::new(&request()).with_limit(limit_bytes);
    let mut pushed = Ok(());
    for bytes in stream.chunks(cut) {
        pushed = assembler.push(bytes, &mut |delta| deltas.push(delta));
        if pushed.is_err() {
            break;
        }
    }
    let result = pushed.and_then(|()| assembler.finish(&mut |delta| deltas.push(delta)));
    (deltas, result.map_err(|error| error.to_string()))
}

/// Checks that the result is the same wherever the stream is cut.
fn check(stream: &str) -> (Vec<Delta>, Result<ModelAnswer, String>) {
    let whole = run(stream.as_bytes(), stream.len().max(1), 1000);
    for cut in 1..stream.len() {
        assert_eq!(
            run(stream.as_bytes(), cut, 1000),
            whole,
            "cut every {cut} bytes"
        );
    }
    whole
}

fn piece(content: &str) -> String {
    format!(
        r#"{{"model":"m","created_at":"x","message":{{"role":"assistant","content":"{content}"}},"done":false}}"#
    )
}

const DONE: &str = r#"{"message":{"role":"assistant","content":""},"done":true,"done_reason":"stop","prompt_eval_count":12,"eval_count":3}"#;

#[test]
fn an_answer_is_the_same_wherever_it_is_cut() {
    let calls = r#"{"message":{"role":"assistant","content":"","tool_calls":[{"id":"call_1","function":{"index":0,"name":"f","arguments":{"b":1,"a":"é"}}},{"function":{"name":"g","arguments":"text"}},{"function":{"name":"h"}}]},"done":false}"#;
    let thinking = r#"{"message":{"role":"assistant","content":"","thinking":"hm"},"done":false}"#;
    let lines = [thinking, &piece("Grüße "), "", &piece("🌍\\n"), calls, DONE];
    for ending in ["\n", "\r\n"] {
        for last in ["", ending] {
            let (deltas, answer) = check(&(lines.join(ending) + last));
            let answer = answer.unwrap();
            assert_eq!(answer.content, "Grüße 🌍\n");
            assert_eq!(answer.thinking.as_deref(), Some("hm"));
            let shown: Vec<String> = answer
                .tool_calls
                .iter()
                .map(|call| format!("{}{}", call.name, call.arguments))
                .collect();
            assert_eq!(shown, [r#"f{"a":"é","b":1}"#, r#"g"text""#, "hnull"]);
            assert_eq!(
                (answer.prompt_tokens, answer.completion_tokens),
                (Some(12), Some(3))
            );
            assert_eq!(deltas.len(), 6);
        }
    }
}

#[test]
fn counts_and_the_reason_may_be_absent() {
    let (_, answer) = check(&format!("{}\n{{\"done\":true}}\n", piece("a")));
    let answer = answer.unwrap();
    assert_eq!((answer.done_reason, answer.prompt_tokens), (None, None));
}

#[test]
fn whatever_keeps_the_answer_from_being_whole_is_an_error() {
    let a = piece("a");
    let cases: [(&str, String, &str); 17] = [
        (
            "nothing",
            String::new(),
            "the answer ended before its end: the stream ended without a terminal record",
        ),
        (
            "no terminal record",
            format!("{a}\n"),
            "the answer ended before its end: the stream ended without a terminal record",
        ),
        (
            "a cut line",
            format!("{a}\n{}", &a[..40]),
            "the answer ended before its end: the stream ended inside a line",
        ),
        (
            "an error line",
            format!("{a}\n{{\"error\":\"the runner died\"}}\n"),
            "the model server answered 200: the runner died",
        ),
        (
            "a nested error line",
            format!(
                "{a}\n{{\"error\":{{\"type\":\"exceed_context_size_error\",\"message\":\"no\"}}}}"
            ),
            "the prompt does not fit the context window: no",
        ),
        (
            "length",
            format!("{a}\n{{\"done\":true,\"done_reason\":\"length\"}}\n"),
            "the answer ended before its end: it reached its limit of 1024 tokens",
        ),
        (
            "load",
            "{\"done\":true,\"done_reason\":\"load\"}".to_owned(),
            r#"the model server does not speak the protocol: the server ended with "load", which is no end of an answer"#,
        ),
        (
            "load with newline",
            "{\"done\":true,\"done_reason\":\"load\"}\n".to_owned(),
            r#"the model server does not speak the protocol: the server ended with "load", which is no end of an answer"#,
        ),
        (
            "overflow",
            "{\"done\":true,\"prompt_eval_count\":3073}\n".to_owned(),
            "the prompt does not fit the context window: 3073 tokens of prompt and 1024 of answer exceed the window of 4096",
        ),
        (
            "two ends",
            format!("{DONE}\n{DONE}\n"),
            "the model server does not speak the protocol: line 2 of the answer follows the terminal record",
        ),
        (
            "a key twice",
            "{\"done\":false,\"done\":true}\n".to_owned(),
            r#"the model server does not speak the protocol: line 1 of the answer: the object names the key "done" twice, at pointer "/done", byte 14"#,
        ),
        (
            "no object",
            "[]\n".to_owned(),
            "the model server does not speak the protocol: line 1 of the answer: it is not an object",
        ),
        (
            "no done",
            "{}\n".to_owned(),
            "the model server does not speak the protocol: line 1 of the answer: it does not say whether the answer is done",
        ),
        (
            "another role",
            "{\"message\":{\"role\":\"user\"},\"done\":false}\n".to_owned(),
            r#"the model server does not speak the protocol: line 1 of the answer: the role of the message is "user""#,
        ),
        (
            "a negative count",
            "{\"done\":true,\"eval_count\":-1}\n".to_owned(),
            "the model server does not speak the protocol: line 1 of the answer: `eval_count` is not a count",
        ),
        (
            "a remote host",
            format!(
                "{{\"remote_host\":\"https://ollama.com:443\",\"remote_model\":\"big\",{}\n",
                &a[1..]
            ),
            "the model big would run on https://ollama.com:443, outside this machine",
        ),
        (
            "a remote model",
            format!("{{\"remote_model\":\"big\",{}\n", &a[1..]),
            "the model big would run on a remote host, outside this machine",
        ),
    ];
    for (name, stream, expected) in cases {
        assert_eq!(check(&stream).1.unwrap_err(), expected, "{name}");
    }
}

#[test]
fn the_prompt_may_fill_the_window_exactly() {
    check("{\"done\":true,\"prompt_eval_count\":3072}\n")
        .1
        .unwrap();
}

#[test]
fn an_answer_or_a_line_that_is_too_long_is_refused_before_its_end() {
    let stream = format!("{}\n", piece(&"x".repeat(100))).repeat(3);
    for cut in [1, 7, stream.len()] {
        let (deltas, result) = run(stream.as_bytes(), cut, 250);
        assert_eq!(deltas.len(), 2);
        assert_eq!(result.unwrap_err(), "the answer is longer than 250 bytes");
    }
    let endless = "x".repeat(70_000);
    let (_, result) = run(endless.as_bytes(), 1000, 250);
    assert_eq!(result.unwrap_err(), "the answer is longer than 250 bytes");
}

#[test]
fn a_deep_line_is_refused() {
    let deep = format!("{{\"a\":{}{}}}\n", "[".repeat(5000), "]".repeat(5000));
    let (_, result) = run(deep.as_bytes(), 64, 100_000);
    assert!(result.unwrap_err().contains("more than 128 arrays"));
}
