//! HTTP requests as they are read from a connection.

use std::io::{self, BufRead, Read, Write};
use std::net::TcpStream;

use serde_json::Value;

/// How long the head of a request may be.
const HEAD_BYTES: u64 = 16 * 1024;

/// A request that the server received.
#[derive(Clone, Debug, PartialEq)]
pub struct Received {
    /// The method in upper case.
    pub method: String,
    /// The path without a query.
    pub path: String,
    /// The headers in their order; names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
    /// The body as JSON, if it is that.
    pub json: Option<Value>,
    /// The [`digest`](crate::digest) of that JSON.
    pub digest: Option<String>,
}

impl Received {
    /// Returns the value of the first header of this name.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        headers
            .find(|(header, _)| header.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    pub(crate) fn closes(&self) -> bool {
        self.header("connection")
            .is_some_and(|value| value.eq_ignore_ascii_case("close"))
    }
}

/// What came from a connection.
pub(crate) enum Incoming {
    Request(Received),
    /// Something that is answered with a status and ends the connection.
    Bad(u16, &'static str),
    /// The client has nothing more to say.
    End,
}

/// Reads the next request; its body may have `limit_bytes`.
pub(crate) fn read(
    reader: &mut impl BufRead,
    socket: &TcpStream,
    limit_bytes: u64,
) -> io::Result<Incoming> {
    let mut head = reader.by_ref().take(HEAD_BYTES);
    let mut line = String::new();
    if head.read_line(&mut line)? == 0 {
        return Ok(Incoming::End);
    }
    let mut words = line.split_ascii_whitespace();
    let (Some(method), Some(target), Some("HTTP/1.1"), None) =
        (words.next(), words.next(), words.next(), words.next())
    else {
        return Ok(Incoming::Bad(400, "the request line is not HTTP/1.1"));
    };
    let method = method.to_ascii_uppercase();
    let path = target.split('?').next().unwrap_or_default().to_owned();
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        if head.read_line(&mut line)? == 0 {
            return Ok(Incoming::Bad(
                431,
                "the head of the request is too long or cut",
            ));
        }
        let line = line.trim_end();
        if line.is_empty() {
            break;
        }
        let Some((name, value)) = line.split_once(':') else {
            return Ok(Incoming::Bad(400, "a header has no colon"));
        };
        headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
    let mut request = Received {
        method,
        path,
        headers,
        body: Vec::new(),
        json: None,
        digest: None,
    };
    if request.header("transfer-encoding").is_some() {
        return Ok(Incoming::Bad(411, "a request needs a Content-Length"));
    }
    let length: u64 = match request.header("content-length").map(str::parse) {
        None => 0,
        Some(Ok(length)) => length,
        Some(Err(_)) => return Ok(Incoming::Bad(400, "the Content-Length is no number")),
    };
    if length > limit_bytes {
        return Ok(Incoming::Bad(413, "the request is too large"));
    }
    if request.header("expect").is_some() {
        let mut socket = socket;
        socket.write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
    }
    reader
        .by_ref()
        .take(length)
        .read_to_end(&mut request.body)?;
    if (request.body.len() as u64) < length {
        return Ok(Incoming::End);
    }
    request.json = serde_json::from_slice(&request.body).ok();
    request.digest = request.json.as_ref().map(crate::digest);
    Ok(Incoming::Request(request))
}
