//! Taking secrets out of a stream, however it is cut into pieces.

use crate::Scrubber;

/// The most bytes that are looked at together.
pub(crate) const WINDOW_BYTES: usize = 64 * 1024;

/// What kind of secret was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind<'s> {
    /// A known value, by the name of its secret.
    Known(&'s str),
    /// A shape, by its name.
    Shape(&'static str),
}

/// A piece of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Piece<'p> {
    /// Nothing is in it.
    Clean(&'p [u8]),
    /// A secret, in whatever form it stands.
    Secret {
        /// What kind it is of; of several that lie over each other the first.
        kind: Kind<'p>,
        /// How many bytes it takes in the stream.
        length_bytes: usize,
        /// How many ends of lines are among them, and how many bytes come behind the last.
        lines: (usize, usize),
    },
}

/// A stream from which secrets are taken. However it is cut into pieces, the same comes out.
///
/// What may be the beginning of a secret is held back until it is known; that is no more than some 50 KiB, and mostly nothing.
pub struct Stream<'s> {
    scrubber: &'s Scrubber,
    held: Vec<u8>,
    /// The two bytes before what is held.
    before: Vec<u8>,
}

/// A stretch of what is held: start, end, what it is.
type Stretch<'s> = (usize, usize, Kind<'s>);

impl<'s> Stream<'s> {
    pub(crate) fn new(scrubber: &'s Scrubber) -> Stream<'s> {
        Stream {
            scrubber,
            held: Vec::new(),
            before: Vec::new(),
        }
    }

    /// Takes more of the stream and hands on what is certain.
    pub fn push(&mut self, bytes: &[u8], hand_on: &mut dyn FnMut(Piece<'_>)) {
        for part in bytes.chunks(WINDOW_BYTES) {
            self.held.extend_from_slice(part);
            self.settle(false, hand_on);
        }
    }

    /// Ends the stream and hands on the rest.
    pub fn finish(mut self, hand_on: &mut dyn FnMut(Piece<'_>)) {
        self.settle(true, hand_on);
    }

    /// Returns how many bytes are held back. Whoever cuts a stream throws them away: they may be half of a secret.
    pub fn held_bytes(&self) -> usize {
        self.held.len()
    }

    fn settle(&mut self, is_whole: bool, hand_on: &mut dyn FnMut(Piece<'_>)) {
        let known = self.scrubber.known.find(&self.held, is_whole);
        let (hits, open) = self
            .scrubber
            .search
            .find(&self.held, &self.before, is_whole);
        let names = &self.scrubber.known.names;
        let of_known = known.spans.iter().map(|(start, end, name)| {
            let name = names.get(*name).map_or("", String::as_str);
            (*start, *end, Kind::Known(name))
        });
        let of_shapes = hits
            .iter()
            .map(|hit| (hit.start, hit.end, Kind::Shape(hit.name)));
        let stretches = merged(of_known.chain(of_shapes).collect());
        let mut safe = self.held.len();
        for open in [known.open, open].into_iter().flatten() {
            safe = safe.min(open);
        }
        // Nothing is cut that belongs together: a find, the words before it, an escape, a character.
        loop {
            let earlier = safe;
            let whole = stretches.iter().map(|(start, end, _)| (*start, *end));
            let whole = whole.chain(hits.iter().map(|hit| (hit.begin, hit.end)));
            for (start, end) in whole {
                if start < safe && safe < end {
                    safe = start;
                }
            }
            for view in &known.views {
                safe = view.before_unit(safe);
            }
            safe = before_character(&self.held, safe);
            if safe == earlier {
                break;
            }
        }
        let mut at = 0;
        for (start, end, kind) in stretches.iter().filter(|(_, end, _)| *end <= safe) {
            hand_on_clean(self.held.get(at..*start), hand_on);
            let hidden = self.held.get(*start..*end).unwrap_or_default();
            let last_line = hidden
                .rsplit(|byte| *byte == b'\n')
                .next()
                .unwrap_or_default();
            hand_on(Piece::Secret {
                kind: *kind,
                length_bytes: hidden.len(),
                lines: (
                    hidden.iter().filter(|byte| **byte == b'\n').count(),
                    last_line.len(),
                ),
            });
            at = *end;
        }
        hand_on_clean(self.held.get(at..safe), hand_on);
        self.before.extend_from_slice(
            self.held
                .get(safe.saturating_sub(2)..safe)
                .unwrap_or_default(),
        );
        self.before.drain(..self.before.len().saturating_sub(2));
        zeroize::Zeroize::zeroize(self.held.get_mut(..safe).unwrap_or_default());
        self.held.drain(..safe);
    }
}

fn hand_on_clean(bytes: Option<&[u8]>, hand_on: &mut dyn FnMut(Piece<'_>)) {
    if let Some(bytes) = bytes.filter(|bytes| !bytes.is_empty()) {
        hand_on(Piece::Clean(bytes));
    }
}

/// Makes one stretch of those that lie over each other.
fn merged(mut stretches: Vec<Stretch<'_>>) -> Vec<Stretch<'_>> {
    // Of two at one place the longer goes first, and a name before a shape: it tells more.
    stretches.sort_by_key(|(start, end, kind)| {
        (*start, usize::MAX - *end, matches!(kind, Kind::Shape(_)))
    });
    let mut merged: Vec<Stretch<'_>> = Vec::new();
    for (start, end, kind) in stretches {
        match merged.last_mut() {
            Some((_, last_end, _)) if start < *last_end => *last_end = end.max(*last_end),
            _ => merged.push((start, end, kind)),
        }
    }
    merged
}

/// Moves a place inside of a UTF-8 character to its beginning.
fn before_character(bytes: &[u8], place: usize) -> usize {
    let is_inside = |at: &usize| bytes.get(*at).is_some_and(|byte| byte & 0xc0 == 0x80);
    if !is_inside(&place) {
        return place;
    }
    // What is longer than a character is none.
    let start = (place.saturating_sub(3)..place)
        .rev()
        .find(|at| !is_inside(at));
    start
        .filter(|start| bytes.get(*start).is_some_and(|byte| *byte >= 0xc0))
        .unwrap_or(place)
}
