//! One behaviour, three ways to get it: from a server, from a server that repeats an exchange, from a recording.
#![allow(
    clippy::unwrap_used,
    reason = "a failing test is loud by panicking, in its helpers too"
)]

mod asking;

use std::time::Duration;

use orket_kernel::canonical;
use orket_model_double::{Answer, Call, Faults, ModelDouble, Script, Settings, Status};
use orket_ports::ModelProvider;
use orket_ports::model::{Cancellation, Delta, ModelAnswer, ModelError};
use orket_provider::{Cassette, Ollama, Recorded, RecordedResponse};
use serde_json::json;

use asking::{Outcome, ask, kind, request};

const LIMIT_BYTES: u64 = 20_000;

fn ollama(server: &ModelDouble) -> Ollama {
    Ollama::new(server.url(), Duration::from_secs(60))
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

/// Asks a server that has `models`, then a server that repeats the exchange, then the recording of it.
fn outcomes(answer: Answer, models: &[&str]) -> [Outcome; 3] {
    let settings = Settings {
        models: models.iter().map(|name| (*name).to_owned()).collect(),
        ..Settings::default()
    };
    let server = ModelDouble::start_with(Script::Sequence(vec![answer]), settings).unwrap();
    let live = ask(&ollama(&server), &request());
    let repeating = ModelDouble::start(Script::Exchanges(server.exchanges())).unwrap();
    let repeated = ask(&ollama(&repeating), &request());
    [live, repeated, ask(&recorded(&server), &request())]
}

/// Checks that all three give the same whole answer and the same pieces, which add up to it.
fn check_answer(answer: Answer) -> ModelAnswer {
    let [live, others @ ..] = outcomes(answer, &[]);
    let whole = live.result.unwrap();
    for other in others {
        assert_eq!(other.result.unwrap(), whole);
        assert_eq!(other.deltas, live.deltas);
    }
    let (mut content, mut thinking, mut calls) = (String::new(), String::new(), Vec::new());
    for delta in live.deltas {
        match delta {
            Delta::Content(text) => content.push_str(&text),
            Delta::Thinking(text) => thinking.push_str(&text),
            Delta::ToolCall(call) => calls.push(call),
        }
    }
    assert_eq!(content, whole.content);
    assert_eq!(thinking, whole.thinking.clone().unwrap_or_default());
    assert_eq!(calls, whole.tool_calls);
    whole
}

/// Checks that all three fail in the same way after the same pieces.
fn check_failure(answer: Answer, models: &[&str], expected: &str, pieces: usize) {
    for outcome in outcomes(answer, models) {
        assert_eq!(kind(&outcome.result.unwrap_err()), expected);
        assert_eq!(outcome.deltas.len(), pieces, "{expected}");
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
    let plain = check_answer(full_answer());
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
    for split_bytes in [1, 2, 3, 7, 64, 1 << 20] {
        for (crlf, no_final_newline) in [(false, false), (true, false), (false, true), (true, true)]
        {
            let faults = Faults {
                split_bytes: Some(split_bytes),
                crlf,
                no_final_newline,
                ..Faults::default()
            };
            assert_eq!(check_answer(full_answer().with_faults(faults)), plain);
        }
    }
    let in_one_line = Answer {
        calls_in_one_line: true,
        ..full_answer()
    };
    assert_eq!(check_answer(in_one_line), plain);
}

#[test]
fn a_slow_answer_arrives_whole() {
    let faults = Faults {
        chunk_delay_ms: 5,
        load_delay_ms: 20,
        ..Faults::default()
    };
    check_answer(full_answer().with_faults(faults));
}

#[test]
fn counts_reason_and_text_may_be_absent() {
    let answer = check_answer(Answer {
        done_reason: None,
        eval_count: Some(0),
        ..Answer::default()
    });
    assert_eq!((answer.content.as_str(), answer.thinking), ("", None));
    assert_eq!(answer.done_reason, None);
    assert_eq!(
        (answer.prompt_tokens, answer.completion_tokens),
        (None, None)
    );
}

#[test]
fn whatever_keeps_the_answer_from_being_whole_is_an_error() {
    let two_pieces = || Answer::text("one two three four");
    let with = |faults| two_pieces().with_faults(faults);
    let status = |code, body: &str| Faults {
        status: Some(Status {
            code,
            body: body.to_owned(),
        }),
        ..Faults::default()
    };
    let error_line = |error: &str| Faults {
        error_line: Some(error.to_owned()),
        ..Faults::default()
    };

    check_failure(
        with(error_line("the runner has ended")),
        &[],
        "Server 200",
        2,
    );
    let overflow = r#"{"error":{"code":400,"type":"exceed_context_size_error"}}"#;
    check_failure(with(error_line(overflow)), &[], "ContextOverflow", 2);

    let without_terminal_record = Faults {
        without_terminal_record: true,
        ..Faults::default()
    };
    check_failure(with(without_terminal_record), &[], "Truncated", 2);
    let cut_mid_line = Faults {
        cut_mid_line: true,
        ..Faults::default()
    };
    check_failure(with(cut_mid_line), &[], "Truncated", 2);
    let length = Answer {
        done_reason: Some("length".to_owned()),
        ..two_pieces()
    };
    check_failure(length, &[], "Truncated", 2);

    let busy = r#"{"error":"server busy, please try again.  maximum pending requests exceeded"}"#;
    check_failure(with(status(503, busy)), &[], "Overloaded", 0);
    let long = r#"{"error":"the prompt is longer than the context length currently available to the model"}"#;
    check_failure(with(status(400, long)), &[], "ContextOverflow", 0);
    check_failure(with(status(500, "")), &[], "Server 500", 0);
    check_failure(with(status(200, "<html>\n")), &[], "Protocol", 0);
    check_failure(two_pieces(), &["llama3:8b"], "ModelMissing", 0);

    let too_full = Answer {
        prompt_eval_count: Some(4096 - 1024 + 1),
        ..two_pieces()
    };
    check_failure(too_full, &[], "ContextOverflow", 2);
    let oversized = Faults {
        oversized_bytes: Some(30_000),
        ..Faults::default()
    };
    check_failure(with(oversized), &[], "TooLong", 4);
    let remote = Faults {
        remote_host: Some("https://ollama.com:443".to_owned()),
        ..Faults::default()
    };
    check_failure(with(remote), &[], "NotLocal", 0);
}

#[test]
fn a_cancelled_call_gives_no_answer() {
    let answers = || Script::Sequence(vec![Answer::text("one two three four five six seven"); 2]);
    let server = ModelDouble::start(answers()).unwrap();
    ask(&ollama(&server), &request());
    for provider in [&ollama(&server) as &dyn ModelProvider, &recorded(&server)] {
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

        let cancelled = provider.invoke(&request(), &mut |_| panic!("no piece"), &cancellation);
        assert!(
            matches!(cancelled, Err(ModelError::Cancelled)),
            "{cancelled:?}"
        );
    }
    assert_eq!(server.exchanges().len(), 2, "a cancelled call is not sent");
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
