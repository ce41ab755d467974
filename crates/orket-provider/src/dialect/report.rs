//! What is found on the way through a text, before places are counted in lines.

use orket_kernel::Digest;
use orket_kernel::canonical::Value;
use orket_ports::dialect::{Excerpt, RepairKind, Unreadable};

/// The most calls of one answer.
pub(super) const CALLS_MAX: usize = 256;

/// The most refusals that are told.
pub(super) const REFUSALS_MAX: usize = 32;

/// How much of a part is shown, in bytes.
const SHOWN_BYTES: usize = 200;

/// How much is shown before the first difference, in bytes.
const LEAD_BYTES: usize = 24;

/// A call.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) start: usize,
    pub(super) name: String,
    pub(super) arguments: Value,
}

/// A repair.
#[derive(Debug)]
pub(super) struct Mended {
    pub(super) kind: RepairKind,
    pub(super) start: usize,
    pub(super) before: Excerpt,
    pub(super) after: Excerpt,
}

/// A refusal.
#[derive(Debug)]
pub(super) struct Refused {
    pub(super) reason: Unreadable,
    pub(super) start: usize,
    pub(super) message: String,
    pub(super) instead: String,
}

/// Everything that was found.
#[derive(Debug, Default)]
pub(super) struct Report {
    pub(super) calls: Vec<Found>,
    pub(super) repairs: Vec<Mended>,
    pub(super) refusals: Vec<Refused>,
    /// The parts that are no prose, in order and apart.
    pub(super) removed: Vec<(usize, usize)>,
}

impl Report {
    /// Tells whether nothing more is taken.
    pub(super) fn is_full(&self) -> bool {
        self.calls.len() > CALLS_MAX || self.refusals.len() > REFUSALS_MAX
    }

    pub(super) fn refuse(
        &mut self,
        reason: Unreadable,
        start: usize,
        message: String,
        instead: String,
    ) {
        self.refusals.push(Refused {
            reason,
            start,
            message,
            instead,
        });
    }

    /// Takes a part out of the prose, with what was taken out inside it before.
    pub(super) fn remove(&mut self, start: usize, end: usize) {
        while self.removed.last().is_some_and(|last| last.0 >= start) {
            self.removed.pop();
        }
        match self.removed.last_mut() {
            Some(last) if last.1 >= start => last.1 = last.1.max(end),
            _ => self.removed.push((start, end)),
        }
    }
}

/// Shows a part from its beginning.
pub(super) fn excerpt(part: &str) -> Excerpt {
    excerpt_from(part, 0)
}

/// Shows two parts from where they begin to differ.
pub(super) fn excerpts(before: &str, after: &str) -> (Excerpt, Excerpt) {
    let same = before.bytes().zip(after.bytes());
    let same = same.take_while(|(one, other)| one == other).count();
    let from = same.saturating_sub(LEAD_BYTES);
    (excerpt_from(before, from), excerpt_from(after, from))
}

fn excerpt_from(part: &str, mut from: usize) -> Excerpt {
    while !part.is_char_boundary(from) {
        from -= 1;
    }
    let mut end = part.len().min(from + SHOWN_BYTES);
    while !part.is_char_boundary(end) {
        end -= 1;
    }
    Excerpt {
        text: part.get(from..end).unwrap_or_default().to_owned(),
        length_bytes: part.len() as u64,
        digest: Digest::of_bytes(part.as_bytes()),
    }
}
