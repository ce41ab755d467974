//! Turns a scripted answer into a response, faults included.

use std::sync::Arc;
use std::time::Duration;

use crate::gzip::gzip;
use crate::lines::Lines;
use crate::reply::{Body, Chunks, Ending, Reply};
use crate::{Answer, Faults};

/// The media types of the two protocols.
pub(crate) const NDJSON: &str = "application/x-ndjson";
pub(crate) const EVENTS: &str = "text/event-stream";
const JSON: &str = "application/json; charset=utf-8";

/// Returns the response to a request for `model`, streamed or whole.
pub(crate) fn reply(answer: &Answer, model: &str, is_streamed: bool) -> Reply {
    let faults = &answer.faults;
    in_place_of_an_answer(faults).unwrap_or_else(|| {
        if is_streamed {
            streamed(faults, answer.stream(model), NDJSON)
        } else {
            whole(faults, answer.whole(model))
        }
    })
}

/// Returns what takes the place of an answer altogether.
pub(crate) fn in_place_of_an_answer(faults: &Faults) -> Option<Reply> {
    let mut reply = if let Some(status) = &faults.status {
        Reply::text(status.code, JSON, status.body.clone())
    } else if let Some(location) = &faults.redirect {
        Reply {
            location: Some(location.clone()),
            ..Reply::text(307, "text/plain", String::new())
        }
    } else {
        return None;
    };
    reply.delay = Duration::from_millis(faults.load_delay_ms);
    Some(reply)
}

pub(crate) fn whole(faults: &Faults, body: String) -> Reply {
    let mut reply = Reply::text(200, JSON, body);
    if faults.gzip
        && let Body::Whole(body) = &mut reply.body
    {
        *body = gzip(body);
        reply.is_gzip = true;
    }
    reply.delay = Duration::from_millis(faults.load_delay_ms);
    reply
}

/// Returns the response that serves recorded lines again.
pub(crate) fn replayed(status: u16, lines: &[String], content_type: &'static str) -> Reply {
    let body = lines.join("\n");
    if status != 200 {
        return Reply::text(status, JSON, body);
    }
    let chunks = body
        .split_inclusive('\n')
        .map(|line| Arc::from(line.as_bytes()));
    chunked(
        Chunks {
            chunks: chunks.collect(),
            delay: Duration::ZERO,
            ending: Ending::Proper,
        },
        content_type,
    )
}

/// Returns the response that streams `lines`; events end with an empty line.
pub(crate) fn streamed(faults: &Faults, lines: Lines, content_type: &'static str) -> Reply {
    let ending = match (content_type == EVENTS, faults.crlf) {
        (false, false) => "\n",
        (false, true) => "\r\n",
        (true, false) => "\n\n",
        (true, true) => "\r\n\r\n",
    };
    let ended = |line: String| -> Arc<[u8]> { Arc::from((line + ending).into_bytes()) };
    let is_cut = faults.cut_mid_line || faults.reset_mid_line;
    let Lines {
        first,
        repeated,
        mut last,
    } = lines;
    let mut chunks: Vec<Arc<[u8]>> = Vec::new();
    // The last line of all is what the faults of the end are about.
    let mut first = first;
    if last.is_empty() && repeated.is_none() {
        last.extend(first.pop());
    }
    let end = last.pop();
    chunks.extend(first.into_iter().map(ended));
    if let Some((line, times)) = repeated {
        chunks.extend(std::iter::repeat_n(ended(line), times));
    }
    chunks.extend(last.into_iter().map(ended));
    chunks.extend(end.map(|mut line| {
        if is_cut {
            line.truncate(line.floor_char_boundary(line.len() / 2));
            Arc::from(line.into_bytes())
        } else if faults.no_final_newline {
            Arc::from(line.into_bytes())
        } else {
            ended(line)
        }
    }));
    if let Some(lines) = faults.lines_per_chunk {
        let groups = chunks.chunks(lines.max(1));
        chunks = groups.map(|group| Arc::from(group.concat())).collect();
    }
    if faults.gzip {
        chunks = vec![Arc::from(gzip(&chunks.concat()))];
    }
    if let Some(bytes) = faults.split_bytes {
        let body = chunks.concat();
        chunks = body.chunks(bytes.max(1)).map(Arc::from).collect();
    }
    let mut reply = chunked(
        Chunks {
            chunks,
            delay: Duration::from_millis(faults.chunk_delay_ms),
            ending: match (faults.reset_mid_line, faults.cut_mid_line) {
                (true, _) => Ending::Reset,
                (false, true) => Ending::Cut,
                (false, false) => Ending::Proper,
            },
        },
        content_type,
    );
    reply.is_gzip = faults.gzip;
    reply.delay = Duration::from_millis(faults.load_delay_ms);
    reply
}

fn chunked(chunks: Chunks, content_type: &'static str) -> Reply {
    Reply {
        status: 200,
        content_type,
        location: None,
        is_gzip: false,
        delay: Duration::ZERO,
        body: Body::Chunks(chunks),
    }
}
