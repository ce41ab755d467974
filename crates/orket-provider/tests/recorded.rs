//! What only recordings can get wrong.
#![allow(
    clippy::unwrap_used,
    reason = "a failing test is loud by panicking, in its helpers too"
)]

mod asking;

use orket_ports::model::{Message, ModelError, ModelRequest, Speaker};
use orket_provider::{Cassette, Recorded, RecordedResponse};

use asking::{ask, request};

fn cassette(request: &ModelRequest, content: &str) -> Cassette {
    let line = format!(r#"{{"message":{{"role":"assistant","content":"{content}"}},"done":true}}"#);
    let response = RecordedResponse {
        status: 200,
        lines: vec![line],
    };
    Cassette::record(request, response).unwrap()
}

fn file(name: &str, cassette: &Cassette) -> (String, Vec<u8>) {
    (name.to_owned(), cassette.to_bytes())
}

fn longer(text: &str) -> ModelRequest {
    let mut request = request();
    let message = Message::text(Speaker::User, text);
    request.messages.push(message);
    request
}

#[test]
fn a_directory_is_opened_and_only_its_recordings_are_read() {
    let dir = tempfile::tempdir().unwrap();
    let first = cassette(&request(), "Hi");
    std::fs::write(dir.path().join(first.file_name()), first.to_bytes()).unwrap();
    std::fs::write(
        dir.path().join("any name.json"),
        cassette(&longer("x"), "Ho").to_bytes(),
    )
    .unwrap();
    std::fs::write(dir.path().join("README.md"), "Recordings.").unwrap();
    std::fs::create_dir(dir.path().join("directory.json")).unwrap();
    let provider = Recorded::open(dir.path()).unwrap();
    assert_eq!(provider.len(), 2);
    assert_eq!(ask(&provider, &request()).result.unwrap().content, "Hi");
    assert_eq!(ask(&provider, &longer("x")).result.unwrap().content, "Ho");

    std::fs::write(dir.path().join("bad.json"), "{}").unwrap();
    let error = Recorded::open(dir.path()).unwrap_err().to_string();
    assert!(
        error.ends_with("bad.json cannot be used: it has no version"),
        "{error}"
    );
    let error = Recorded::open(&dir.path().join("missing")).unwrap_err();
    assert!(matches!(error, ModelError::BadRecording { .. }), "{error}");
}

#[test]
fn two_answers_to_one_request_are_refused_and_one_answer_twice_is_not() {
    let hi = cassette(&request(), "Hi");
    let twice = Recorded::from_files([file("a.json", &hi), file("b.json", &hi)]).unwrap();
    assert_eq!(twice.len(), 1);
    let other = cassette(&request(), "Ho");
    let error = Recorded::from_files([file("a.json", &hi), file("b.json", &other)]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the recording b.json cannot be used: a.json answers the same request differently"
    );
}

#[test]
fn a_miss_names_the_first_difference_from_the_nearest_recording() {
    let mut far = request();
    far.messages.clear();
    let files = [
        file("far.json", &cassette(&far, "")),
        file("near.json", &cassette(&longer("twelve"), "")),
        file("nearer.json", &cassette(&longer("eleven"), "")),
    ];
    let provider = Recorded::from_files(files).unwrap();
    let miss = |request: &ModelRequest| match ask(&provider, request).result.unwrap_err() {
        ModelError::NotRecorded { digest, difference } => {
            let body = orket_provider::wire::ollama::body(request).unwrap();
            assert_eq!(digest, orket_kernel::canonical::digest(&body));
            difference
        }
        other => panic!("{other}"),
    };
    assert_eq!(
        miss(&longer("ten")),
        r#"at "/messages/2/content" the recording near.json has "twelve" and the request has "ten""#
    );
    let mut hotter = longer("eleven");
    hotter.options.temperature = 1.0;
    assert_eq!(
        miss(&hotter),
        r#"at "/options/temperature" the recording nearer.json has 0.25 and the request has 1.0"#
    );
    let nothing = Recorded::from_files([]).unwrap();
    let error = ask(&nothing, &request()).result.unwrap_err().to_string();
    assert!(error.ends_with(": nothing is recorded"), "{error}");
}
