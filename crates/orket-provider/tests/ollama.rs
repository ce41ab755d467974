//! What only a provider with a connection can get wrong.
#![allow(
    clippy::unwrap_used,
    reason = "a failing test is loud by panicking, in its helpers too"
)]

mod asking;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::Command;
use std::thread;
use std::time::Duration;

use orket_model_double::{Answer, Faults, ModelDouble, Script};
use orket_ports::ModelProvider;
use orket_ports::model::{Cancellation, ModelError};
use orket_provider::Ollama;

use asking::{ask, kind, request};

const PATIENT: Duration = Duration::from_secs(60);

fn one(answer: Answer) -> ModelDouble {
    ModelDouble::start(Script::Sequence(vec![answer])).unwrap()
}

/// Asks a server that does `serve` with its first connection and shows the failure.
fn failure_of(serve: impl FnOnce(TcpStream) + Send + 'static) -> ModelError {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let server = thread::spawn(move || serve(listener.accept().unwrap().0));
    let outcome = ask(&Ollama::new(&url, PATIENT).unwrap(), &request());
    server.join().unwrap();
    outcome.result.unwrap_err()
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
    let error = ask(&Ollama::new(&url, PATIENT).unwrap(), &request())
        .result
        .unwrap_err();
    let expected = format!("no model server answers at {url}: Connection refused");
    assert!(error.to_string().starts_with(&expected), "{error}");
}

#[test]
fn a_call_that_takes_too_long_ends_at_its_deadline() {
    let server = one(Answer::text("late").with_faults(Faults {
        load_delay_ms: 60_000,
        ..Faults::default()
    }));
    let provider = Ollama::new(server.url(), Duration::from_millis(50)).unwrap();
    let error = ask(&provider, &request()).result.unwrap_err();
    assert_eq!(error.to_string(), "the model did not answer within 1 s");
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
    let silent = failure_of(|socket| {
        read_request(&socket);
    });
    assert_eq!(kind(&silent), "Truncated", "{silent}");

    // Data that was not read makes the system reset the connection.
    let reset = failure_of(|mut socket| {
        socket.read_exact(&mut [0; 10]).unwrap();
        let head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{\"mes\r\n";
        socket.write_all(head.as_bytes()).unwrap();
    });
    assert_eq!(kind(&reset), "Truncated", "{reset}");
}

#[test]
fn what_is_not_http_or_is_packed_is_refused() {
    let garbage = failure_of(|mut socket| {
        read_request(&socket);
        socket.write_all(b"SSH-2.0-OpenSSH_9.9\r\n\r\n").unwrap();
    });
    assert_eq!(kind(&garbage), "Protocol", "{garbage}");

    let packed = failure_of(|mut socket| {
        read_request(&socket);
        let head = "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 0\r\n\r\n";
        socket.write_all(head.as_bytes()).unwrap();
    });
    assert_eq!(
        packed.to_string(),
        "the model server does not speak the protocol: the answer is encoded as gzip, which was not asked for"
    );
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
    let elsewhere = one(Answer::text("from elsewhere"));
    let place = format!("{}/api/chat", elsewhere.url());
    let server = one(Answer::default().with_faults(Faults {
        redirect: Some(place.clone()),
        ..Faults::default()
    }));
    let provider = Ollama::new(server.url(), PATIENT).unwrap();
    let error = ask(&provider, &request()).result.unwrap_err();
    assert_eq!(
        error.to_string(),
        format!("the model server answered 307: it redirects to {place}, which is not followed")
    );
    assert!(elsewhere.requests().is_empty());
}

#[test]
fn a_model_in_the_cloud_is_not_asked() {
    let server = one(Answer::text("from afar"));
    let provider = Ollama::new(server.url(), PATIENT).unwrap();
    let mut request = request();
    request.model = "gpt-oss:120b-cloud".to_owned();
    let error = ask(&provider, &request).result.unwrap_err();
    assert_eq!(kind(&error), "NotLocal");
    assert!(server.requests().is_empty());
}

const CHILD: &str = "asks_with_the_environment_of_its_parent";
const URL: &str = "ORKET_TEST_URL";

/// A process cannot safely change its own environment, so a second one asks.
#[test]
fn a_proxy_in_the_environment_is_not_used() {
    let server = one(Answer::text("direct"));
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
    assert_eq!((server.exchanges().len(), proxy.requests().len()), (1, 0));
}

#[test]
#[ignore = "the test of the proxy runs it in a process of its own"]
fn asks_with_the_environment_of_its_parent() {
    let url = std::env::var(URL).unwrap();
    let outcome = ask(&Ollama::new(&url, PATIENT).unwrap(), &request());
    assert_eq!(outcome.result.unwrap().content, "direct");
}
