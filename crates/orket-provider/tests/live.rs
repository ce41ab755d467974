//! What only a provider with a connection can get wrong.
#![allow(
    clippy::unwrap_used,
    reason = "a failing test is loud by panicking, in its helpers too"
)]

mod asking;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::Command;
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use orket_model_double::{Answer, Faults, Model, ModelDouble, Script, Settings};
use orket_ports::ModelProvider;
use orket_ports::model::{Cancellation, ModelError};
use orket_provider::{Ollama, OpenAiCompatible};
use orket_secrets::Secret;

use asking::{ask, kind, request, voices};

const PATIENT: Duration = Duration::from_secs(60);

fn one(answer: Answer) -> ModelDouble {
    ModelDouble::start(Script::Sequence(vec![answer])).unwrap()
}

/// Has each provider ask a server that does `serve` with its first connection, and shows the failures.
fn failures_of(serve: impl Fn(TcpStream) + Send + Clone + 'static) -> Vec<ModelError> {
    let mut failures = Vec::new();
    for number in 0..2 {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let serve = serve.clone();
        let server = thread::spawn(move || serve(listener.accept().unwrap().0));
        let (_, provider) = &voices(&url, PATIENT)[number];
        let outcome = ask(provider.as_ref(), &request());
        server.join().unwrap();
        failures.push(outcome.result.unwrap_err());
    }
    failures
}

/// Reads a request to its end.
fn read_request(socket: &TcpStream) {
    let mut reader = BufReader::new(socket);
    let mut length = 0;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        if let Some(value) = line.to_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        if line.trim().is_empty() {
            break;
        }
    }
    reader.read_exact(&mut vec![0; length]).unwrap();
}

#[test]
fn nobody_at_the_address_is_named_with_the_address() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    for (_, provider) in voices(&url, PATIENT) {
        let looked = provider.preflight(&request(), &Cancellation::new());
        let asked = ask(provider.as_ref(), &request()).result;
        for error in [looked.unwrap_err(), asked.unwrap_err()] {
            let expected = format!("no model server answers at {url}: Connection refused");
            assert!(error.to_string().starts_with(&expected), "{error}");
        }
    }
}

#[test]
fn a_call_that_takes_too_long_ends_at_its_deadline() {
    for number in 0..2 {
        let server = one(Answer::text("late").with_faults(Faults {
            load_delay_ms: 60_000,
            ..Faults::default()
        }));
        let (_, provider) = &voices(server.url(), Duration::from_millis(50))[number];
        let error = ask(provider.as_ref(), &request()).result.unwrap_err();
        assert_eq!(error.to_string(), "the model did not answer within 1 s");
    }
}

#[test]
fn a_cancellation_closes_the_connection_while_the_model_loads() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let cancellation = Cancellation::new();
    let switch = cancellation.clone();
    let server = thread::spawn(move || {
        let mut socket = listener.accept().unwrap().0;
        read_request(&socket);
        switch.cancel();
        // The client's end of the connection; without it the test would hang.
        socket.read(&mut [0]).unwrap_or(0)
    });
    let provider = Ollama::new(&url, PATIENT).unwrap();
    let cancelled = provider.invoke(&request(), &mut |_| {}, &cancellation);
    assert!(
        matches!(cancelled, Err(ModelError::Cancelled)),
        "{cancelled:?}"
    );
    assert_eq!(server.join().unwrap(), 0);
}

#[test]
fn a_server_that_hangs_up_gives_no_answer() {
    for silent in failures_of(|socket| read_request(&socket)) {
        assert_eq!(kind(&silent), "Truncated", "{silent}");
    }

    // Data that was not read makes the system reset the connection.
    let reset = failures_of(|mut socket| {
        socket.read_exact(&mut [0; 10]).unwrap();
        let head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{\"mes\r\n";
        socket.write_all(head.as_bytes()).unwrap();
    });
    for reset in reset {
        assert_eq!(kind(&reset), "Truncated", "{reset}");
    }
}

#[test]
fn what_is_not_http_or_is_packed_is_refused() {
    let garbage = failures_of(|mut socket| {
        read_request(&socket);
        socket.write_all(b"SSH-2.0-OpenSSH_9.9\r\n\r\n").unwrap();
    });
    for garbage in garbage {
        assert_eq!(kind(&garbage), "Protocol", "{garbage}");
    }

    let packed = failures_of(|mut socket| {
        read_request(&socket);
        let head = "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 0\r\n\r\n";
        socket.write_all(head.as_bytes()).unwrap();
    });
    for packed in packed {
        assert_eq!(
            packed.to_string(),
            "the model server does not speak the protocol: the answer is encoded as gzip, which was not asked for"
        );
    }
}

#[test]
fn a_whole_answer_counts_however_the_connection_ends() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let server = thread::spawn(move || {
        let mut socket = listener.accept().unwrap().0;
        read_request(&socket);
        let line = r#"{"message":{"content":"Hi"},"done":true}"#;
        let head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
        write!(socket, "{head}{:x}\r\n{line}\n\r\n", line.len() + 1).unwrap();
    });
    let outcome = ask(&Ollama::new(&url, PATIENT).unwrap(), &request());
    server.join().unwrap();
    assert_eq!(outcome.result.unwrap().content, "Hi");
}

#[test]
fn a_redirect_is_not_followed() {
    for number in 0..2 {
        let elsewhere = one(Answer::text("from elsewhere"));
        let place = format!("{}/api/chat", elsewhere.url());
        let server = one(Answer::default().with_faults(Faults {
            redirect: Some(place.clone()),
            ..Faults::default()
        }));
        let (_, provider) = &voices(server.url(), PATIENT)[number];
        let error = ask(provider.as_ref(), &request()).result.unwrap_err();
        assert_eq!(
            error.to_string(),
            format!(
                "the model server answered 307: it redirects to {place}, which is not followed"
            )
        );
        assert!(elsewhere.requests().is_empty());
    }
}

#[test]
fn a_model_in_the_cloud_is_not_asked() {
    let server = one(Answer::text("from afar"));
    let mut request = request();
    request.model = "gpt-oss:120b-cloud".to_owned();
    for (_, provider) in voices(server.url(), PATIENT) {
        let error = ask(provider.as_ref(), &request).result.unwrap_err();
        assert_eq!(kind(&error), "NotLocal");
        let error = provider
            .preflight(&request, &Cancellation::new())
            .unwrap_err();
        assert_eq!(kind(&error), "NotLocal");
    }
    assert!(server.requests().is_empty());
}

const HEAD: &str = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";

/// The first piece of an answer in each protocol.
const FIRST: [&str; 2] = [
    "{\"message\":{\"content\":\"Hi\"},\"done\":false}\n",
    "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"Hi\"}}]}\n\n",
];

/// The server says the first piece and then nothing; the client is cancelled while it waits for the next.
#[test]
fn a_cancellation_closes_the_connection_while_the_answer_streams() {
    for (number, first) in FIRST.into_iter().enumerate() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let server = thread::spawn(move || {
            let mut socket = listener.accept().unwrap().0;
            read_request(&socket);
            write!(socket, "{HEAD}{:x}\r\n{first}\r\n", first.len()).unwrap();
            // The client's end of the connection; without it the test would hang.
            socket.read(&mut [0]).unwrap_or(0)
        });
        let cancellation = Cancellation::new();
        let (shown, seen) = mpsc::channel();
        let switch = cancellation.clone();
        let person = thread::spawn(move || {
            seen.recv().unwrap();
            switch.cancel();
        });
        let (_, provider) = &voices(&url, PATIENT)[number];
        let mut on_delta = |_| shown.send(()).unwrap();
        let cancelled = provider.invoke(&request(), &mut on_delta, &cancellation);
        assert!(
            matches!(cancelled, Err(ModelError::Cancelled)),
            "{cancelled:?}"
        );
        assert_eq!(server.join().unwrap(), 0);
        person.join().unwrap();
        assert_eq!(cancellation.hooks(), 0);
    }
}

const KEY: &str = "key-of-the-workshop-4711";

#[test]
fn a_key_goes_to_the_server_and_into_no_error() {
    let settings = Settings {
        api_key: Some(KEY.to_owned()),
        models: vec![Model::named("qwen3:4b")],
        ..Settings::default()
    };
    let script = Script::Sequence(vec![Answer::text("Come in.")]);
    let server = ModelDouble::start_with(script, settings).unwrap();
    let provider = || OpenAiCompatible::new(server.url(), PATIENT).unwrap();
    for wrong in [
        provider(),
        provider().with_key(Arc::new(Secret::new("another-key-0815".to_owned()))),
    ] {
        for refused in [
            ask(&wrong, &request()).result.unwrap_err(),
            wrong
                .preflight(&request(), &Cancellation::new())
                .unwrap_err(),
        ] {
            assert_eq!(
                refused.to_string(),
                "the model server refused the call with 401: Invalid API Key"
            );
        }
        assert!(!format!("{wrong:?}").contains("0815"));
    }
    let key = Arc::new(Secret::new(KEY.to_owned()));
    let right = provider().with_key(key);
    right.preflight(&request(), &Cancellation::new()).unwrap();
    assert_eq!(ask(&right, &request()).result.unwrap().content, "Come in.");

    let broken = provider().with_key(Arc::new(Secret::new("line\nbreak-4711".to_owned())));
    let error = ask(&broken, &request()).result.unwrap_err().to_string();
    assert!(
        error.contains("a character that a header cannot have") && !error.contains("4711"),
        "{error}"
    );
}

const CHILD: &str = "asks_with_the_environment_of_its_parent";
const URL: &str = "ORKET_TEST_URL";

/// A process cannot safely change its own environment, so a second one asks.
#[test]
fn a_proxy_in_the_environment_is_not_used() {
    let answers = vec![Answer::text("direct"); 2];
    let server = ModelDouble::start(Script::Sequence(answers)).unwrap();
    let proxy = one(Answer::text("by proxy"));
    let mut child = Command::new(std::env::current_exe().unwrap());
    child.args(["--exact", CHILD, "--ignored"]);
    for name in [
        "HTTP_PROXY",
        "http_proxy",
        "ALL_PROXY",
        "all_proxy",
        "HTTPS_PROXY",
        "https_proxy",
    ] {
        child.env(name, proxy.url());
    }
    child.env_remove("NO_PROXY").env_remove("no_proxy");
    let output = child.env(URL, server.url()).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && said.contains("1 passed"),
        "{said}"
    );
    assert_eq!((server.exchanges().len(), proxy.requests().len()), (2, 0));
}

#[test]
#[ignore = "the test of the proxy runs it in a process of its own"]
fn asks_with_the_environment_of_its_parent() {
    let url = std::env::var(URL).unwrap();
    for (_, provider) in voices(&url, PATIENT) {
        let outcome = ask(provider.as_ref(), &request());
        assert_eq!(outcome.result.unwrap().content, "direct");
    }
}

/// Cancels streams in a process that does nothing else, and counts its threads and open files before and after.
#[test]
fn cancelled_calls_leave_no_thread_and_no_socket_behind() {
    let faults = Faults {
        // The first piece of the other protocol says only who speaks.
        lines_per_chunk: Some(2),
        chunk_delay_ms: 3_600_000,
        ..Faults::default()
    };
    let answers = vec![Answer::text("one two three four").with_faults(faults)];
    let settings = Settings {
        repeats: true,
        ..Settings::default()
    };
    let server = ModelDouble::start_with(Script::Sequence(answers), settings).unwrap();
    let mut child = Command::new(std::env::current_exe().unwrap());
    child.args(["--exact", CANCELS, "--ignored"]);
    let output = child.env(URL, server.url()).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && said.contains("1 passed"),
        "{said}"
    );
    assert_eq!(server.exchanges().len(), 2 * 11);
}

const CANCELS: &str = "cancels_and_counts";

/// Returns how many threads and open files this process has.
fn held() -> (usize, usize) {
    let count = |directory: &str| std::fs::read_dir(directory).unwrap().count();
    (count("/proc/self/task"), count("/proc/self/fd"))
}

#[test]
#[ignore = "another test runs it in a process of its own"]
fn cancels_and_counts() {
    let url = std::env::var(URL).unwrap();
    for (name, provider) in voices(&url, PATIENT) {
        let cancel = || {
            let cancellation = Cancellation::new();
            let switch = cancellation.clone();
            let mut on_delta = |_| switch.cancel();
            let cancelled = provider.invoke(&request(), &mut on_delta, &cancellation);
            assert!(
                matches!(cancelled, Err(ModelError::Cancelled)),
                "{cancelled:?}"
            );
            assert_eq!(cancellation.hooks(), 0);
        };
        cancel();
        let before = held();
        for _ in 0..10 {
            cancel();
        }
        assert_eq!(held(), before, "{name}");
    }
}
