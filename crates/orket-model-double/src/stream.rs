//! Turns a scripted answer into a response, faults included.

use std::time::Duration;

use crate::Answer;
use crate::reply::{Body, Chunks, Reply};

const NDJSON: &str = "application/x-ndjson";

/// Returns the response to a request for `model`, streamed or whole.
pub(crate) fn reply(answer: &Answer, model: &str, is_streamed: bool) -> Reply {
    let faults = &answer.faults;
    let mut reply = if let Some(status) = &faults.status {
        let content_type = "application/json; charset=utf-8";
        Reply::text(status.code, content_type, status.body.clone())
    } else if let Some(location) = &faults.redirect {
        Reply {
            location: Some(location.clone()),
            ..Reply::text(307, "text/plain", String::new())
        }
    } else if is_streamed {
        streamed(answer, model)
    } else {
        let content_type = "application/json; charset=utf-8";
        Reply::text(200, content_type, answer.whole(model))
    };
    reply.delay = Duration::from_millis(faults.load_delay_ms);
    reply
}

/// Returns the response that serves recorded lines again.
pub(crate) fn replayed(status: u16, lines: &[String]) -> Reply {
    let body = lines.join("\n");
    if status != 200 {
        return Reply::text(status, "application/json; charset=utf-8", body);
    }
    let chunks = body
        .split_inclusive('\n')
        .map(|line| line.as_bytes().to_vec());
    chunked(Chunks {
        chunks: chunks.collect(),
        delay: Duration::ZERO,
        is_cut: false,
    })
}

fn streamed(answer: &Answer, model: &str) -> Reply {
    let faults = &answer.faults;
    let ending = if faults.crlf { "\r\n" } else { "\n" };
    let mut lines = answer.lines(model);
    let last = lines.len().saturating_sub(1);
    for (index, line) in lines.iter_mut().enumerate() {
        if index == last && faults.cut_mid_line {
            line.truncate(line.floor_char_boundary(line.len() / 2));
        } else if index < last || !faults.no_final_newline {
            line.push_str(ending);
        }
    }
    let chunks = match faults.split_bytes {
        Some(bytes) => {
            let body = lines.concat().into_bytes();
            body.chunks(bytes.max(1)).map(<[u8]>::to_vec).collect()
        }
        None => lines.into_iter().map(String::into_bytes).collect(),
    };
    chunked(Chunks {
        chunks,
        delay: Duration::from_millis(faults.chunk_delay_ms),
        is_cut: faults.cut_mid_line,
    })
}

fn chunked(chunks: Chunks) -> Reply {
    Reply {
        status: 200,
        content_type: NDJSON,
        location: None,
        delay: Duration::ZERO,
        body: Body::Chunks(chunks),
    }
}
