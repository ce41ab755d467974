//! One behaviour, however it is got: from servers of two protocols and several makes, from a server that repeats an exchange,
//! from a recording.
#![allow(
    clippy::unwrap_used,
    reason = "a failing test is loud by panicking, in its helpers too"
)]

mod asking;
#[path = "conformance/windows.rs"]
mod windows;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use orket_kernel::canonical;
use orket_model_double::{
    Answer, Call, Faults, Flavour, Model, ModelDouble, Script, Settings, Status,
};
use orket_ports::ModelProvider;
use orket_ports::model::{Cancellation, Delta, ModelAnswer, ModelError};
use orket_provider::{Cassette, Ollama, OpenAiCompatible, Pause, Recorded, RecordedResponse};
use serde_json::json;

use asking::{Outcome, ask, kind, request};

const LIMIT_BYTES: u64 = 20_000;

const MINUTE: Duration = Duration::from_secs(60);

fn ollama(server: &ModelDouble) -> Ollama {
    Ollama::new(server.url(), MINUTE)
        .unwrap()
        .with_answer_limit(LIMIT_BYTES)
        .with_pause(None)
}

fn openai(server: &ModelDouble) -> OpenAiCompatible {
    OpenAiCompatible::new(server.url(), MINUTE)
        .unwrap()
        .with_answer_limit(LIMIT_BYTES)
        .with_pause(None)
}

/// Records what the server did last.
fn recorded(server: &ModelDouble) -> Recorded {
    let exchange = server.exchanges().pop().unwrap();
    let body = canonical::parse(exchange.request.to_string().as_bytes()).unwrap();
    let response = RecordedResponse {
        status: exchange.status,
        lines: exchange.lines,
    };
    let cassette = Cassette::of_body(body, response);
    Recorded::from_files([(cassette.file_name(), cassette.to_bytes())])
        .unwrap()
        .with_answer_limit(LIMIT_BYTES)
}

fn serve(answer: &Answer, settings: Settings) -> ModelDouble {
    ModelDouble::start_with(Script::Sequence(vec![answer.clone()]), settings).unwrap()
}

/// Asks a server of Ollama's protocol, one that repeats the exchange, and the recording of it.
fn of_ollama(answer: &Answer, settings: &Settings) -> Vec<(String, Outcome)> {
    let server = serve(answer, settings.clone());
    let live = ask(&ollama(&server), &request());
    let repeating = ModelDouble::start(Script::Exchanges(server.exchanges())).unwrap();
    let repeated = ask(&ollama(&repeating), &request());
    vec![
        ("ollama".to_owned(), live),
        ("ollama repeated".to_owned(), repeated),
        ("recorded".to_owned(), ask(&recorded(&server), &request())),
    ]
}

/// Asks servers of the other protocol, and one that repeats an exchange.
fn of_openai(answer: &Answer, settings: &Settings) -> Vec<(String, Outcome)> {
    let mut outcomes = Vec::new();
    for flavour in [Flavour::Ollama, Flavour::LlamaCpp, Flavour::Vllm] {
        let settings = Settings {
            flavour,
            ..settings.clone()
        };
        let server = serve(answer, settings);
        outcomes.push((format!("{flavour:?}"), ask(&openai(&server), &request())));
        let repeating = ModelDouble::start(Script::Exchanges(server.exchanges())).unwrap();
        let repeated = ask(&openai(&repeating), &request());
        outcomes.push((format!("{flavour:?} repeated"), repeated));
    }
    outcomes
}

fn outcomes(answer: &Answer, settings: &Settings) -> Vec<(String, Outcome)> {
    let mut outcomes = of_ollama(answer, settings);
    outcomes.extend(of_openai(answer, settings));
    outcomes
}

/// Checks that all give the same whole answer, and pieces which add up to it.
fn check_answer(answer: &Answer) -> ModelAnswer {
    let mut first: Option<ModelAnswer> = None;
    for (name, outcome) in outcomes(answer, &Settings::default()) {
        assert!(outcome.result.is_ok(), "{name}: {:?}", outcome.result);
        let mut whole = outcome.result.unwrap();
        let (mut content, mut thinking, mut calls) = (String::new(), String::new(), Vec::new());
        for delta in outcome.deltas {
            match delta {
                Delta::Content(text) => content.push_str(&text),
                Delta::Thinking(text) => thinking.push_str(&text),
                Delta::ToolCall(call) => calls.push(call),
            }
        }
        assert_eq!(content, whole.content, "{name}");
        assert_eq!(
            thinking,
            whole.thinking.clone().unwrap_or_default(),
            "{name}"
        );
        assert_eq!(calls, whole.tool_calls, "{name}");
        // The one word that the protocols do not share.
        if whole.done_reason.as_deref() == Some("tool_calls") {
            whole.done_reason = Some("stop".to_owned());
        }
        match &first {
            None => first = Some(whole),
            Some(first) => assert_eq!(whole, *first, "{name}"),
        }
    }
    first.unwrap()
}

/// Checks that all fail in the same way after the same pieces.
fn check_failure(answer: &Answer, settings: &Settings, expected: &str, pieces: usize) {
    for (name, outcome) in outcomes(answer, settings) {
        assert_eq!(kind(&outcome.result.unwrap_err()), expected, "{name}");
        assert_eq!(outcome.deltas.len(), pieces, "{name}: {expected}");
    }
}

fn full_answer() -> Answer {
    let call = |name: &str, arguments| Call {
        name: name.to_owned(),
        arguments,
    };
    Answer {
        content: "Grüße zurück 🌍, ich lese nun beide Dateien.\n\"Sofort\" \\ \u{1}".to_owned(),
        thinking: Some("Zwei Dateien, also zwei Aufrufe.".to_owned()),
        tool_calls: vec![
            call(
                "read_file",
                json!({"path": "🌍.txt", "lines": [1, 2.5, null]}),
            ),
            call("read_file", json!({})),
            call("read_file", json!("no object")),
        ],
        prompt_eval_count: Some(262),
        eval_count: Some(473),
        ..Answer::default()
    }
}

#[test]
fn a_good_answer_arrives_whole_however_it_is_cut() {
    let plain = check_answer(&full_answer());
    assert_eq!(plain.content, full_answer().content);
    assert_eq!(plain.prompt_tokens, Some(262));
    assert_eq!(plain.completion_tokens, Some(473));
    assert_eq!(plain.done_reason.as_deref(), Some("stop"));
    let arguments: Vec<String> = plain
        .tool_calls
        .iter()
        .map(|call| call.arguments.to_string())
        .collect();
    assert_eq!(
        arguments,
        [
            r#"{"lines":[1,2.5,null],"path":"🌍.txt"}"#,
            "{}",
            r#""no object""#
        ]
    );
    for split_bytes in [1, 3, 7, 1 << 20] {
        for (crlf, no_final_newline) in [(false, false), (true, false), (false, true), (true, true)]
        {
            let faults = Faults {
                split_bytes: Some(split_bytes),
                crlf,
                no_final_newline,
                ..Faults::default()
            };
            assert_eq!(check_answer(&full_answer().with_faults(faults)), plain);
        }
    }
    let in_one_line = Answer {
        calls_in_one_line: true,
        ..full_answer()
    };
    assert_eq!(check_answer(&in_one_line), plain);
    for faults in [
        Faults {
            lines_per_chunk: Some(2),
            ..Faults::default()
        },
        Faults {
            lines_per_chunk: Some(3),
            crlf: true,
            ..Faults::default()
        },
        Faults {
            without_call_ids: true,
            ..Faults::default()
        },
    ] {
        assert_eq!(check_answer(&full_answer().with_faults(faults)), plain);
    }
}

#[test]
fn a_slow_answer_arrives_whole() {
    let faults = Faults {
        chunk_delay_ms: 5,
        load_delay_ms: 20,
        ..Faults::default()
    };
    check_answer(&full_answer().with_faults(faults));
}

#[test]
fn counts_and_text_may_be_absent() {
    let answer = check_answer(&Answer {
        eval_count: None,
        ..Answer::default()
    });
    assert_eq!((answer.content.as_str(), answer.thinking), ("", None));
    assert_eq!(
        (answer.prompt_tokens, answer.completion_tokens),
        (None, None)
    );
    // Ollama may leave the reason out as well; the other protocol has no end without one.
    let without_reason = Answer {
        done_reason: None,
        ..Answer::default()
    };
    for (name, outcome) in of_ollama(&without_reason, &Settings::default()) {
        assert_eq!(outcome.result.unwrap().done_reason, None, "{name}");
    }
    for (name, outcome) in of_openai(&without_reason, &Settings::default()) {
        assert_eq!(kind(&outcome.result.unwrap_err()), "Truncated", "{name}");
    }
}

fn two_pieces() -> Answer {
    Answer::text("one two three four")
}

fn with(faults: Faults) -> Answer {
    two_pieces().with_faults(faults)
}

fn status(code: u16, body: &str) -> Faults {
    Faults {
        status: Some(Status {
            code,
            body: body.to_owned(),
        }),
        ..Faults::default()
    }
}

fn error_line(error: &str) -> Faults {
    Faults {
        error_line: Some(error.to_owned()),
        ..Faults::default()
    }
}

#[test]
fn whatever_keeps_the_answer_from_being_whole_is_an_error() {
    let overflow = r#"{"error":{"code":400,"type":"exceed_context_size_error"}}"#;
    let busy = r#"{"error":"server busy, please try again.  maximum pending requests exceeded"}"#;
    let long = r#"{"error":"the prompt is longer than the context length currently available to the model"}"#;
    let faults: &[(Faults, &str, usize)] = &[
        (error_line("the runner has ended"), "Server 200", 2),
        (error_line(overflow), "ContextOverflow", 2),
        (
            Faults {
                without_terminal_record: true,
                ..Faults::default()
            },
            "Truncated",
            2,
        ),
        (
            Faults {
                cut_mid_line: true,
                ..Faults::default()
            },
            "Truncated",
            2,
        ),
        (status(503, busy), "Overloaded", 0),
        (status(429, "slow down"), "Overloaded", 0),
        (status(401, "unauthorized"), "Refused", 0),
        (status(400, long), "ContextOverflow", 0),
        (status(500, ""), "Server 500", 0),
        (status(200, "<html>\n"), "Protocol", 0),
        (
            Faults {
                oversized_bytes: Some(30_000),
                ..Faults::default()
            },
            "TooLong",
            4,
        ),
    ];
    for (faults, expected, pieces) in faults {
        check_failure(
            &with(faults.clone()),
            &Settings::default(),
            expected,
            *pieces,
        );
    }
    let length = Answer {
        done_reason: Some("length".to_owned()),
        ..two_pieces()
    };
    check_failure(&length, &Settings::default(), "Truncated", 2);
    let too_full = Answer {
        prompt_eval_count: Some(4096 - 1024 + 1),
        ..two_pieces()
    };
    check_failure(&too_full, &Settings::default(), "ContextOverflow", 2);
    // Nine words were sent.
    let too_empty = Answer {
        prompt_eval_count: Some(7),
        ..two_pieces()
    };
    check_failure(&too_empty, &Settings::default(), "PromptCut", 2);
}

#[test]
fn a_model_that_is_not_there_is_missing() {
    let other = Settings {
        models: vec![Model::named("llama3:8b")],
        ..Settings::default()
    };
    let mut outcomes = of_ollama(&two_pieces(), &other);
    outcomes.extend(of_openai(&two_pieces(), &other));
    for (name, outcome) in outcomes {
        // llama.cpp answers with what it has; there only the look before the call helps.
        if name.starts_with("LlamaCpp") {
            assert!(outcome.result.is_ok());
        } else {
            assert_eq!(kind(&outcome.result.unwrap_err()), "ModelMissing", "{name}");
        }
    }
}

#[test]
fn an_answer_from_another_machine_is_refused_before_it_is_shown() {
    let remote = Faults {
        remote_host: Some("https://ollama.com:443".to_owned()),
        ..Faults::default()
    };
    for (name, outcome) in of_ollama(&with(remote), &Settings::default()) {
        assert_eq!(kind(&outcome.result.unwrap_err()), "NotLocal", "{name}");
        assert!(outcome.deltas.is_empty());
    }
}

/// Neither the client nor the double may hold such an answer whole.
#[test]
fn a_hundred_megabytes_end_at_the_limit() {
    let faults = Faults {
        oversized_bytes: Some(100_000_000),
        ..Faults::default()
    };
    for (name, outcome) in outcomes(&with(faults), &Settings::default()) {
        assert_eq!(kind(&outcome.result.unwrap_err()), "TooLong", "{name}");
        assert_eq!(outcome.deltas.len(), 4, "{name}");
    }
}

#[test]
fn what_is_packed_was_not_asked_for_and_is_refused() {
    let faults = Faults {
        gzip: true,
        ..Faults::default()
    };
    let server = serve(&with(faults.clone()), Settings::default());
    let of_ollama = ask(&ollama(&server), &request());
    let server = serve(&with(faults), Settings::default());
    for outcome in [of_ollama, ask(&openai(&server), &request())] {
        assert_eq!(
            outcome.result.unwrap_err().to_string(),
            "the model server does not speak the protocol: the answer is encoded as gzip, which was not asked for"
        );
    }
}

#[test]
fn a_reset_connection_gives_no_answer() {
    let faults = Faults {
        reset_mid_line: true,
        ..Faults::default()
    };
    let servers = [(); 2].map(|()| serve(&with(faults.clone()), Settings::default()));
    let outcomes = [
        ask(&ollama(&servers[0]), &request()),
        ask(&openai(&servers[1]), &request()),
    ];
    for outcome in outcomes {
        let error = outcome.result.unwrap_err();
        assert_eq!(kind(&error), "Truncated", "{error}");
    }
}

/// Lets no time pass.
#[derive(Default)]
struct Counted(Mutex<Vec<Duration>>);

impl Pause for Counted {
    fn pause(&self, duration: Duration, _: &Cancellation) -> bool {
        self.0.lock().unwrap().push(duration);
        true
    }
}

#[test]
fn a_server_that_is_busy_and_then_is_not_gives_its_answer() {
    let busy = || with(status(503, r#"{"error":{"message":"Loading model"}}"#));
    let start = || {
        let answers = vec![busy(), busy(), two_pieces()];
        ModelDouble::start(Script::Sequence(answers)).unwrap()
    };
    for is_ollama in [true, false] {
        let server = start();
        let pauses = Arc::new(Counted::default());
        let pause = Some(Arc::clone(&pauses) as Arc<dyn Pause>);
        let provider: Box<dyn ModelProvider> = if is_ollama {
            Box::new(ollama(&server).with_pause(pause))
        } else {
            Box::new(openai(&server).with_pause(pause))
        };
        let outcome = ask(provider.as_ref(), &request());
        assert_eq!(outcome.result.unwrap().content, "one two three four");
        assert_eq!(server.exchanges().len(), 3);
        assert_eq!(pauses.0.lock().unwrap().len(), 2);
    }
}

#[test]
fn a_cancelled_call_gives_no_answer() {
    let answers = || Script::Sequence(vec![Answer::text("one two three four five six seven"); 2]);
    let server = ModelDouble::start(answers()).unwrap();
    ask(&ollama(&server), &request());
    let recorded = recorded(&server);
    let other = ModelDouble::start(answers()).unwrap();
    let providers: [&dyn ModelProvider; 3] = [&ollama(&server), &recorded, &openai(&other)];
    for provider in providers {
        let cancellation = Cancellation::new();
        let mut pieces = 0;
        let mut on_delta = |_| {
            pieces += 1;
            cancellation.cancel();
        };
        let cancelled = provider.invoke(&request(), &mut on_delta, &cancellation);
        assert!(
            matches!(cancelled, Err(ModelError::Cancelled)),
            "{cancelled:?}"
        );
        assert!(pieces >= 1);
        assert_eq!(cancellation.hooks(), 0);

        let cancelled = provider.invoke(&request(), &mut |_| panic!("no piece"), &cancellation);
        assert!(
            matches!(cancelled, Err(ModelError::Cancelled)),
            "{cancelled:?}"
        );
    }
    assert_eq!(server.exchanges().len(), 2, "a cancelled call is not sent");
}

#[test]
fn equal_requests_have_equal_bytes_in_the_other_protocol_too() {
    let server = ModelDouble::start(Script::Sequence(vec![two_pieces()])).unwrap();
    ask(&openai(&server), &request()).result.unwrap();
    let received = &server.requests()[0];
    let body = orket_provider::wire::openai::body(&request()).unwrap();
    assert_eq!(received.body, canonical::to_bytes(&body));
    assert_eq!(received.header("accept"), Some("text/event-stream"));
    assert_eq!(received.header("accept-encoding"), Some("identity"));
    assert_eq!(received.header("authorization"), None);
}

/// The double computes digests by rules of its own.
#[test]
fn the_digest_of_a_request_is_the_same_to_both_ends() {
    let server = ModelDouble::start(Script::Sequence(vec![Answer::text("Hi")])).unwrap();
    ask(&ollama(&server), &request()).result.unwrap();
    let received = &server.requests()[0];
    let body = orket_provider::wire::ollama::body(&request()).unwrap();
    assert_eq!(received.body, canonical::to_bytes(&body));
    assert_eq!(received.digest, Some(canonical::digest(&body).to_hex()));
    assert_eq!(received.header("content-type"), Some("application/json"));
    assert_eq!(received.header("accept-encoding"), Some("identity"));
}
