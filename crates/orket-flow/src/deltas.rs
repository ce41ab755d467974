//! The pieces of an answer while it arrives, without their secrets.

use orket_ports::model::Delta;
use orket_secrets::{Scrubber, TextStream};

/// What may be shown of an answer that is not whole. A piece that may be the beginning of a secret waits for the next.
pub(crate) struct Deltas<'s> {
    scrubber: &'s Scrubber,
    content: TextStream<'s>,
    thinking: TextStream<'s>,
}

impl<'s> Deltas<'s> {
    pub(crate) fn new(scrubber: &'s Scrubber) -> Deltas<'s> {
        Deltas {
            scrubber,
            content: scrubber.text_stream(),
            thinking: scrubber.text_stream(),
        }
    }

    /// Takes a piece and shows what is certain.
    pub(crate) fn push(&mut self, delta: Delta, show: &mut dyn FnMut(&str, String)) {
        let (kind, text) = match delta {
            Delta::Content(text) => ("content", self.content.push(&text)),
            Delta::Thinking(text) => ("thinking", self.thinking.push(&text)),
            Delta::ToolCall(call) => {
                show("tool_call", self.scrubber.text(&call.name).into_owned());
                return;
            }
        };
        show_some(kind, text, show);
    }

    /// Shows the rest.
    pub(crate) fn finish(self, show: &mut dyn FnMut(&str, String)) {
        show_some("thinking", self.thinking.finish(), show);
        show_some("content", self.content.finish(), show);
    }
}

fn show_some(kind: &str, text: String, show: &mut dyn FnMut(&str, String)) {
    if !text.is_empty() {
        show(kind, text);
    }
}
