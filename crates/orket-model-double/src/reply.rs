//! HTTP responses as they are written to a connection.

use std::io::{self, Write};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::{Value, json};

use crate::stop::Stop;

/// A response.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) content_type: &'static str,
    pub(crate) location: Option<String>,
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
    pub(crate) chunks: Vec<Vec<u8>>,
    /// Waits before each chunk but the first.
    pub(crate) delay: Duration,
    /// Closes the connection after the last chunk without saying that it was the last.
    pub(crate) is_cut: bool,
}

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
            delay: Duration::ZERO,
            body: Body::Whole(body.into_bytes()),
        }
    }

    /// Returns the body split at every line feed.
    pub(crate) fn lines(&self) -> Vec<String> {
        let body = match &self.body {
            Body::Whole(body) => body.clone(),
            Body::Chunks(body) => body.chunks.concat(),
        };
        let text = String::from_utf8_lossy(&body);
        text.split('\n').map(str::to_owned).collect()
    }

    /// Writes the response; tells whether the connection can be used again.
    pub(crate) fn write(
        &self,
        mut socket: &TcpStream,
        is_head: bool,
        stop: &Stop,
    ) -> io::Result<bool> {
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
        match &self.body {
            Body::Whole(body) => {
                head.push_str(&format!("Content-Length: {}\r\n\r\n", body.len()));
                let mut bytes = head.into_bytes();
                if !is_head {
                    bytes.extend_from_slice(body);
                }
                socket.write_all(&bytes)?;
                Ok(true)
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
    fn write(&self, mut socket: &TcpStream, stop: &Stop) -> io::Result<bool> {
        for (index, chunk) in self.chunks.iter().enumerate() {
            if index > 0 {
                stop.wait(self.delay);
            }
            if stop.is_given() {
                return Ok(false);
            }
            let mut bytes = format!("{:x}\r\n", chunk.len()).into_bytes();
            bytes.extend_from_slice(chunk);
            bytes.extend_from_slice(b"\r\n");
            socket.write_all(&bytes)?;
        }
        if self.is_cut {
            return Ok(false);
        }
        socket.write_all(b"0\r\n\r\n")?;
        Ok(true)
    }
}

fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        307 => "Temporary Redirect",
        400 => "Bad Request",
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
