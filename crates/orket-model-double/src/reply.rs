//! HTTP responses as they are written to a connection.

use std::io::{self, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use crate::stop::Stop;

/// A response.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) content_type: &'static str,
    pub(crate) location: Option<String>,
    /// Says that the body is packed.
    pub(crate) is_gzip: bool,
    /// Waits before the head.
    pub(crate) delay: Duration,
    pub(crate) body: Body,
}

#[derive(Debug)]
pub(crate) enum Body {
    Whole(Vec<u8>),
    Chunks(Chunks),
}

/// A body in chunked transfer coding.
#[derive(Debug)]
pub(crate) struct Chunks {
    pub(crate) chunks: Vec<Arc<[u8]>>,
    /// Waits before each chunk but the first.
    pub(crate) delay: Duration,
    pub(crate) ending: Ending,
}

/// What comes after the last chunk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// The end of the body.
    Proper,
    /// The end of the connection.
    Cut,
    /// A reset of the connection.
    Reset,
}

/// What can be done with a connection after a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum After {
    Usable,
    Close,
    Reset,
}

/// How much of an answer is kept to be served again: more than any limit that a client is tested with.
const KEPT_BYTES: usize = 1024 * 1024;

impl Reply {
    pub(crate) fn json(status: u16, body: &Value) -> Reply {
        Reply::text(status, "application/json; charset=utf-8", body.to_string())
    }

    pub(crate) fn error(status: u16, error: &str) -> Reply {
        Reply::json(status, &json!({ "error": error }))
    }

    pub(crate) fn text(status: u16, content_type: &'static str, body: String) -> Reply {
        Reply {
            status,
            content_type,
            location: None,
            is_gzip: false,
            delay: Duration::ZERO,
            body: Body::Whole(body.into_bytes()),
        }
    }

    /// Returns the body split at every line feed; of an enormous one the beginning.
    pub(crate) fn lines(&self) -> Vec<String> {
        let body = match &self.body {
            Body::Whole(body) => body.clone(),
            Body::Chunks(body) => {
                let mut kept = Vec::new();
                for chunk in &body.chunks {
                    if kept.len() > KEPT_BYTES {
                        break;
                    }
                    kept.extend_from_slice(chunk);
                }
                kept
            }
        };
        let text = String::from_utf8_lossy(&body);
        text.split('\n').map(str::to_owned).collect()
    }

    /// Writes the response; tells what becomes of the connection.
    pub(crate) fn write(
        &self,
        mut socket: &TcpStream,
        is_head: bool,
        stop: &Stop,
    ) -> io::Result<After> {
        stop.wait(self.delay);
        let mut head = format!(
            "HTTP/1.1 {} {}\r\nContent-Type: {}\r\n",
            self.status,
            reason(self.status),
            self.content_type
        );
        if let Some(location) = &self.location {
            head.push_str(&format!("Location: {location}\r\n"));
        }
        if self.is_gzip {
            head.push_str("Content-Encoding: gzip\r\n");
        }
        match &self.body {
            Body::Whole(body) => {
                head.push_str(&format!("Content-Length: {}\r\n\r\n", body.len()));
                let mut bytes = head.into_bytes();
                if !is_head {
                    bytes.extend_from_slice(body);
                }
                socket.write_all(&bytes)?;
                Ok(After::Usable)
            }
            Body::Chunks(body) => {
                head.push_str("Transfer-Encoding: chunked\r\n\r\n");
                socket.write_all(head.as_bytes())?;
                body.write(socket, stop)
            }
        }
    }
}

impl Chunks {
    fn write(&self, mut socket: &TcpStream, stop: &Stop) -> io::Result<After> {
        for (index, chunk) in self.chunks.iter().enumerate() {
            if index > 0 {
                stop.wait(self.delay);
            }
            if stop.is_given() {
                return Ok(After::Close);
            }
            let mut bytes = format!("{:x}\r\n", chunk.len()).into_bytes();
            bytes.extend_from_slice(chunk);
            bytes.extend_from_slice(b"\r\n");
            socket.write_all(&bytes)?;
        }
        match self.ending {
            Ending::Proper => {
                socket.write_all(b"0\r\n\r\n")?;
                Ok(After::Usable)
            }
            Ending::Cut => Ok(After::Close),
            Ending::Reset => Ok(After::Reset),
        }
    }
}

fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        307 => "Temporary Redirect",
        400 => "Bad Request",
        401 => "Unauthorized",
        404 => "Not Found",
        405 => "Method Not Allowed",
        411 => "Length Required",
        413 => "Content Too Large",
        431 => "Request Header Fields Too Large",
        500 => "Internal Server Error",
        503 => "Service Unavailable",
        _ => "Scripted",
    }
}
