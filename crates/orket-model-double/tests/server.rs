//! The server as any client sees it, down to the bytes.
#![allow(
    clippy::unwrap_used,
    reason = "a failing test is loud by panicking, in its helpers too"
)]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;

use orket_model_double::{
    Answer, Exchange, Faults, Flavour, Model, ModelDouble, Scenario, Script, Settings,
};
use serde_json::{Value, json};

fn connect(server: &ModelDouble) -> TcpStream {
    TcpStream::connect(server.url().trim_start_matches("http://")).unwrap()
}

/// Sends a request on a connection of its own and returns the status and what follows the head.
fn send(server: &ModelDouble, method: &str, path: &str, body: &str) -> (u16, String) {
    let mut connection = connect(server);
    let length = body.len();
    write!(
        connection,
        "{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{body}"
    )
    .unwrap();
    let mut response = String::new();
    connection.read_to_string(&mut response).unwrap();
    let (head, body) = response.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, body.to_owned())
}

fn chat(server: &ModelDouble, request: &Value) -> (u16, Value) {
    let (status, body) = send(server, "POST", "/api/chat", &request.to_string());
    let body = serde_json::from_str(&body).unwrap_or(Value::String(body));
    (status, body)
}

fn request(content: &str, stream: bool) -> Value {
    json!({"model": "m", "stream": stream, "messages": [{"role": "user", "content": content}]})
}

fn sequence(answers: Vec<Answer>) -> ModelDouble {
    ModelDouble::start(Script::Sequence(answers)).unwrap()
}

#[test]
fn the_small_endpoints_answer_as_ollama_does() {
    let settings = Settings {
        models: vec![Model::named("qwen3:4b")],
        ..Settings::default()
    };
    let server = ModelDouble::start_with(Script::Sequence(vec![]), settings).unwrap();
    assert_eq!(
        send(&server, "GET", "/", ""),
        (200, "Ollama is running".to_owned())
    );
    assert_eq!(send(&server, "HEAD", "/", ""), (200, String::new()));
    assert_eq!(
        send(&server, "GET", "/api/version", ""),
        (200, r#"{"version":"0.33.0"}"#.to_owned())
    );
    let tags: Value = serde_json::from_str(&send(&server, "GET", "/api/tags", "").1).unwrap();
    assert_eq!(tags["models"][0]["name"], "qwen3:4b");
    assert_eq!(tags["models"][0]["digest"].as_str().unwrap().len(), 64);
    let (status, show) = send(&server, "POST", "/api/show", r#"{"model":"qwen3:4b"}"#);
    assert_eq!(status, 200);
    let show: Value = serde_json::from_str(&show).unwrap();
    assert_eq!(show["capabilities"][1], "tools");
    assert_eq!(
        send(&server, "POST", "/api/show", r#"{"model":"x"}"#),
        (404, r#"{"error":"model 'x' not found"}"#.to_owned())
    );
    assert_eq!(send(&server, "GET", "/api/pull", "").0, 404);
    assert_eq!(send(&server, "GET", "/api/chat", "").0, 405);
    assert_eq!(
        chat(&server, &request("Hello", true)),
        (404, json!({"error": "model 'm' not found"}))
    );
}

#[test]
fn a_stream_is_chunked_lines_and_the_connection_stays_open() {
    let server = sequence(vec![Answer::text("Good morning."); 2]);
    let mut connection = connect(&server);
    let mut reader = BufReader::new(connection.try_clone().unwrap());
    let body = request("Hello", true).to_string();
    for _ in 0..2 {
        let length = body.len();
        write!(
            connection,
            "POST /api/chat HTTP/1.1\r\nContent-Length: {length}\r\n\r\n{body}"
        )
        .unwrap();
        let mut response = String::new();
        while !response.ends_with("\r\n0\r\n\r\n") {
            assert_ne!(reader.read_line(&mut response).unwrap(), 0);
        }
        let (head, chunks) = response.split_once("\r\n\r\n").unwrap();
        assert_eq!(
            head,
            "HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\nTransfer-Encoding: chunked"
        );
        let lines = Answer::text("Good morning.").lines("m");
        let expected: String = lines
            .iter()
            .map(|line| format!("{:x}\r\n{line}\n\r\n", line.len() + 1))
            .collect();
        assert_eq!(chunks, expected + "0\r\n\r\n");
    }
    let (status, error) = chat(&server, &request("More", true));
    assert_eq!(
        (status, error),
        (500, json!({"error": "the script has no answer left"}))
    );
    assert_eq!(server.requests().len(), 3);
    assert_eq!(server.exchanges()[2].status, 500);
}

#[test]
fn an_answer_without_streaming_is_one_object() {
    let mut answer = Answer::call("f", json!({"a": 1}));
    answer.content = "one two three four".to_owned();
    answer.eval_count = Some(4);
    let server = sequence(vec![answer]);
    let (status, whole) = chat(&server, &request("Hello", false));
    assert_eq!(status, 200);
    assert_eq!(
        whole["message"],
        json!({"role": "assistant", "content": "one two three four", "tool_calls": [
            {"id": "call_00000001", "function": {"index": 0, "name": "f", "arguments": {"a": 1}}}]})
    );
    assert_eq!(
        (&whole["done"], &whole["eval_count"]),
        (&json!(true), &json!(4))
    );
    assert_eq!(whole.get("prompt_eval_count"), None);
}

#[test]
fn a_request_that_ollama_would_refuse_or_misread_is_refused() {
    let server = sequence(vec![Answer::text("never")]);
    let cases = [
        ("", "missing request body"),
        ("{", "invalid JSON in the request body"),
        ("[]", "the request is not an object"),
        ("{}", "model is required"),
        (
            r#"{"model":"m","stream":1}"#,
            "json: cannot unmarshal a member of the request into its type",
        ),
        (
            r#"{"model":"m","format":"yaml"}"#,
            "invalid format; expected \"json\" or a valid JSON Schema object",
        ),
        (
            r#"{"model":"m","temperature":0}"#,
            "unexpected member /temperature in the request",
        ),
        (
            r#"{"model":"m","options":{"num_contex":1}}"#,
            "unexpected member /options/num_contex in the request",
        ),
    ];
    for (body, error) in cases {
        let (status, said) = send(&server, "POST", "/api/chat", body);
        assert_eq!((status, said), (400, json!({ "error": error }).to_string()));
    }
    let (status, said) = chat(&server, &json!({"model": "m", "messages": []}));
    assert_eq!((status, &said["done_reason"]), (200, &json!("load")));
    assert_eq!(
        chat(&server, &request("Hello", false)).1["message"]["content"],
        "never"
    );

    let lenient = Settings {
        is_strict: false,
        ..Settings::default()
    };
    let script = Script::Sequence(vec![Answer::text("yes")]);
    let server = ModelDouble::start_with(script, lenient).unwrap();
    let mut odd = request("Hello", false);
    odd["temperature"] = json!(0);
    assert_eq!(chat(&server, &odd).0, 200);
}

#[test]
fn a_request_that_is_too_large_or_not_http_is_refused() {
    let settings = Settings {
        request_limit_bytes: 100,
        ..Settings::default()
    };
    let server = ModelDouble::start_with(Script::Sequence(vec![]), settings).unwrap();
    let cases = [
        (
            "POST /api/chat HTTP/1.1\r\nContent-Length: 101\r\n\r\n".to_owned(),
            413,
        ),
        (
            "POST /api/chat HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n".to_owned(),
            411,
        ),
        (
            "POST /api/chat HTTP/1.1\r\nContent-Length: -1\r\n\r\n".to_owned(),
            400,
        ),
        (
            "POST /api/chat HTTP/1.1\r\nno colon\r\n\r\n".to_owned(),
            400,
        ),
        ("hello\r\n".to_owned(), 400),
        (
            format!("GET / HTTP/1.1\r\na: {}", "x".repeat(16 * 1024 - 19)),
            431,
        ),
    ];
    for (text, status) in cases {
        let mut connection = connect(&server);
        connection.write_all(text.as_bytes()).unwrap();
        let mut response = String::new();
        connection.read_to_string(&mut response).unwrap();
        assert!(
            response.starts_with(&format!("HTTP/1.1 {status} ")),
            "{response}"
        );
    }
    assert!(server.requests().is_empty());
}

#[test]
fn an_equal_request_is_answered_again_and_another_one_is_told_where_it_differs() {
    let exchange = Exchange {
        request: request("Hello", true),
        status: 200,
        lines: vec![r#"{"done":true}"#.to_owned(), String::new()],
    };
    let script = Script::Exchanges(vec![exchange.clone()]);
    let text = serde_json::to_vec(&script).unwrap();
    assert_eq!(Script::from_json(&text).unwrap(), script);
    let server = ModelDouble::start(script).unwrap();
    for _ in 0..2 {
        let (status, body) = chat(&server, &exchange.request);
        assert_eq!(status, 200);
        assert_eq!(body, "e\r\n{\"done\":true}\n\r\n0\r\n\r\n");
    }
    assert_eq!(server.exchanges(), [exchange.clone(), exchange]);
    let (status, body) = chat(&server, &request("Bye", true));
    assert_eq!(status, 404);
    assert_eq!(
        body["error"],
        r#"the request is not in the script: at "/messages/0/content" the script has "Hello" and the request has "Bye""#
    );
}

#[test]
fn dropping_the_server_does_not_wait_for_a_delay_or_a_silent_client() {
    let faults = Faults {
        load_delay_ms: 3_600_000,
        ..Faults::default()
    };
    let server = sequence(vec![Answer::text("late").with_faults(faults)]);
    let silent = connect(&server);
    let mut waiting = connect(&server);
    let body = request("Hello", true).to_string();
    let length = body.len();
    write!(
        waiting,
        "POST /api/chat HTTP/1.1\r\nContent-Length: {length}\r\n\r\n{body}"
    )
    .unwrap();
    drop(server);
    for mut connection in [silent, waiting] {
        let mut rest = Vec::new();
        // Closed or reset, but over: without an end this would wait for ever.
        let _ = connection.read_to_end(&mut rest);
    }
}

/// What the documentation shows must work.
#[test]
fn the_script_of_the_page_is_one() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/model-double.md");
    let page = std::fs::read_to_string(path).unwrap();
    let (_, rest) = page.split_once("```json\n").unwrap();
    let (script, _) = rest.split_once("```").unwrap();
    let scenario = Scenario::from_json(script.as_bytes()).unwrap();
    assert_eq!(scenario.settings.flavour, Flavour::LlamaCpp);
    let Script::Sequence(answers) = scenario.script else {
        panic!("it is a sequence")
    };
    assert_eq!(answers.len(), 3);
    // Every member that can be set stands in the page.
    let default = serde_json::to_value(Answer::default()).unwrap();
    let settings = serde_json::to_value(Settings::default()).unwrap();
    for object in [&default, &default["faults"], &settings] {
        for member in object.as_object().unwrap().keys() {
            assert!(page.contains(&format!("`{member}`")), "{member}");
        }
    }
}

fn openai(server: &ModelDouble, request: &Value) -> (u16, String) {
    send(server, "POST", "/v1/chat/completions", &request.to_string())
}

/// Returns the events of a stream without its chunks.
fn events(stream: &str) -> Vec<Value> {
    let data = stream
        .lines()
        .filter_map(|line| line.strip_prefix("data: "));
    let data = data.filter(|data| *data != "[DONE]");
    data.map(|data| serde_json::from_str(data).unwrap())
        .collect()
}

#[test]
fn calls_come_in_fragments_or_whole_as_the_make_has_it() {
    let answer = || Answer {
        cached_count: Some(2),
        prompt_eval_count: Some(5),
        thinking: Some("So.".to_owned()),
        ..Answer::call("f", json!({"path": "a.txt"}))
    };
    let mut asked = request("Hello", true);
    asked["stream_options"] = json!({"include_usage": true});
    for (flavour, member, pieces) in [
        (Flavour::Ollama, "reasoning", 1),
        (Flavour::LlamaCpp, "reasoning_content", 4),
        (Flavour::Vllm, "reasoning_content", 4),
    ] {
        let settings = Settings {
            flavour,
            ..Settings::default()
        };
        let server = ModelDouble::start_with(Script::Sequence(vec![answer()]), settings).unwrap();
        let (status, stream) = openai(&server, &asked);
        assert_eq!(status, 200);
        assert!(stream.contains("data: [DONE]\n\n"), "{stream}");
        let events = events(&stream);
        assert_eq!(events[1]["choices"][0]["delta"][member], "So.");
        let calls: Vec<&Value> = events
            .iter()
            .filter_map(|event| event["choices"][0]["delta"].get("tool_calls"))
            .collect();
        assert_eq!(calls.len(), pieces, "{flavour:?}");
        let arguments: String = calls
            .iter()
            .map(|call| call[0]["function"]["arguments"].as_str().unwrap())
            .collect();
        assert_eq!(arguments, r#"{"path":"a.txt"}"#);
        let [.., end, usage] = &events[..] else {
            panic!("too few events")
        };
        assert_eq!(end["choices"][0]["finish_reason"], "tool_calls");
        assert_eq!(
            usage["usage"],
            json!({"prompt_tokens": 5, "completion_tokens": 0, "total_tokens": 5, "prompt_tokens_details": {"cached_tokens": 2}})
        );
    }
}

#[test]
fn an_answer_without_streaming_is_one_object_here_too() {
    let server = sequence(vec![Answer::text("Good morning.")]);
    let (status, body) = openai(&server, &request("Hello", false));
    let body: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(status, 200);
    assert_eq!(
        body["choices"],
        json!([{"index": 0, "message": {"role": "assistant", "content": "Good morning."}, "finish_reason": "stop"}])
    );
}

#[test]
fn a_request_that_openais_protocol_does_not_know_is_refused() {
    let settings = Settings {
        models: vec![Model::named("m")],
        api_key: Some("key-4711".to_owned()),
        ..Settings::default()
    };
    let server = ModelDouble::start_with(Script::Sequence(vec![]), settings).unwrap();
    assert_eq!(openai(&server, &request("Hello", true)).0, 401);
    assert_eq!(send(&server, "GET", "/v1/models", "").0, 401);
    let server = sequence(vec![]);
    let mut odd = request("Hello", true);
    odd["options"] = json!({"num_ctx": 1});
    let (status, body) = openai(&server, &odd);
    assert_eq!(status, 400);
    assert!(
        body.contains("unexpected member /options in the request"),
        "{body}"
    );
}

#[test]
fn what_a_model_cannot_do_is_refused() {
    let mut plain = Model::named("m");
    plain.capabilities = vec!["completion".to_owned()];
    let settings = Settings {
        models: vec![plain],
        ..Settings::default()
    };
    let server = ModelDouble::start_with(Script::Sequence(vec![]), settings).unwrap();
    let mut asked = request("Hello", true);
    asked["tools"] = json!([{"type": "function", "function": {"name": "f"}}]);
    let expected = json!({"error": "\"m\" does not support tools"});
    assert_eq!(chat(&server, &asked), (400, expected));
    let mut asked = request("Hello", true);
    asked["think"] = json!(true);
    let expected = json!({"error": "\"m\" does not support thinking"});
    assert_eq!(chat(&server, &asked), (400, expected));
}
