//! The event stream as JSON lines on standard output.

use std::io::Write;

use orket_kernel::canonical;
use orket_ports::{Event, EventSink};

use super::hiding;

/// Prints every event as one line.
pub(crate) struct JsonLines;

impl EventSink for JsonLines {
    fn emit(&mut self, event: &Event) {
        let Ok(mut line) = canonical::serialize(event) else {
            return;
        };
        line.push(b'\n');
        // A reader that went away must not stop the run.
        let line = hiding::shown(&line);
        let mut output = std::io::stdout().lock();
        let _ = output.write_all(&line).and_then(|()| output.flush());
    }
}
