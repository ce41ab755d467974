//! Rewrites a text into its canonical text, in one pass and without building a value.

use std::borrow::Cow;
use std::ops::Range;

use super::members::{Keys, Members, OpenObject};
use super::order::Order;
use super::unordered_text::UnorderedText;
use super::{Limits, number_reader, plain_number, scan, string_reader, utf8, writer};

/// Rewrites the document `input`; returns nothing if anything is wrong with it.
///
/// What is wrong is left to the [reader](super::reader) to say.
pub(super) fn rewrite<'a>(input: &'a [u8], limits: &Limits) -> Option<UnorderedText<'a>> {
    if input.len() > limits.max_bytes || !utf8::is_utf8(input) {
        return None;
    }
    let mut rewriter = Rewriter::new(input, limits.bounded());
    let end = rewriter.read_document()?;
    Some(rewriter.finish(end))
}

/// An array or an object that is not closed yet.
#[derive(Clone, Copy)]
enum Open {
    Array,
    Object(OpenObject),
}

struct Rewriter<'a> {
    bytes: &'a [u8],
    limits: Limits,
    at: usize,
    /// The canonical text up to where `kept` begins.
    text: Vec<u8>,
    /// From where on the input is canonical, up to `at`. It is copied only when something must change.
    kept: usize,
    open: Vec<Open>,
    members: Members,
    order: Order,
    /// The decoded keys that have escapes; they lie behind the input in the numbering of [`Keys`].
    decoded_keys: Vec<u8>,
}

impl<'a> Rewriter<'a> {
    fn new(bytes: &'a [u8], limits: Limits) -> Rewriter<'a> {
        Rewriter {
            bytes,
            limits,
            at: 0,
            text: Vec::new(),
            kept: 0,
            open: Vec::new(),
            members: Members::default(),
            order: Order::default(),
            decoded_keys: Vec::new(),
        }
    }

    fn finish(mut self, end: usize) -> UnorderedText<'a> {
        let text = if self.text.is_empty() {
            Cow::Borrowed(&self.bytes[self.kept..end])
        } else {
            self.copy_up_to(end);
            Cow::Owned(self.text)
        };
        UnorderedText {
            text,
            order: self.order,
        }
    }

    /// Reads the document; returns where its value ends.
    fn read_document(&mut self) -> Option<usize> {
        self.skip_whitespace();
        loop {
            if self.read_scalar_or_open()? && self.close_what_ends()? {
                let is_whitespace = |byte: &u8| matches!(byte, b' ' | b'\n' | b'\t' | b'\r');
                let nothing_follows = self.bytes[self.at..].iter().all(is_whitespace);
                return nothing_follows.then_some(self.at);
            }
        }
    }

    /// Reads a scalar or an empty array or object, or else only up to the first value inside; tells which.
    fn read_scalar_or_open(&mut self) -> Option<bool> {
        match self.bytes.get(self.at)? {
            b'"' => {
                self.at += 1;
                self.read_string()?;
            }
            b'-' | b'0'..=b'9' => self.read_number()?,
            b'[' => {
                self.enter()?;
                if self.bytes.get(self.at)? != &b']' {
                    self.open.push(Open::Array);
                    return Some(false);
                }
                self.at += 1;
            }
            b'{' => {
                self.enter()?;
                if self.bytes.get(self.at)? != &b'}' {
                    let mut object = self.members.open(self.position(), &mut self.order);
                    self.read_key(&mut object)?;
                    self.open.push(Open::Object(object));
                    return Some(false);
                }
                self.at += 1;
            }
            b't' => self.read_literal(b"true")?,
            b'f' => self.read_literal(b"false")?,
            b'n' => self.read_literal(b"null")?,
            _ => return None,
        }
        Some(true)
    }

    /// Goes on after a value, up to the next one; tells whether there is none because the document ends.
    fn close_what_ends(&mut self) -> Option<bool> {
        loop {
            let Some(innermost) = self.open.last().copied() else {
                return Some(true);
            };
            self.skip_whitespace();
            match (innermost, self.bytes.get(self.at)?) {
                (Open::Array, b',') => {
                    self.at += 1;
                    self.skip_whitespace();
                    return Some(false);
                }
                (Open::Object(mut object), b',') => {
                    self.at += 1;
                    self.skip_whitespace();
                    self.read_key(&mut object)?;
                    *self.open.last_mut()? = Open::Object(object);
                    return Some(false);
                }
                (Open::Array, b']') => {}
                (Open::Object(object), b'}') => self.close_object(object)?,
                _ => return None,
            }
            self.at += 1;
            self.open.pop();
        }
    }

    fn enter(&mut self) -> Option<()> {
        if self.open.len() >= self.limits.max_depth {
            return None;
        }
        self.at += 1;
        self.skip_whitespace();
        Some(())
    }

    /// Reads a key, the colon after it and up to the value.
    fn read_key(&mut self, object: &mut OpenObject) -> Option<()> {
        if self.bytes.get(self.at)? != &b'"' {
            return None;
        }
        let start = self.position();
        self.at += 1;
        let key_start = self.at;
        let has_escapes = self.read_string()?;
        let mut key = key_start..self.at - 1;
        if has_escapes {
            key = self.decode_key(key)?;
        }
        let keys = Keys {
            input: self.bytes,
            decoded: &self.decoded_keys,
        };
        self.members.add(object, key, start, keys, &self.order);
        self.skip_whitespace();
        if self.bytes.get(self.at)? != &b':' {
            return None;
        }
        self.at += 1;
        self.skip_whitespace();
        Some(())
    }

    /// Adds a key that has escapes to the decoded ones; returns where it lies.
    fn decode_key(&mut self, key: Range<usize>) -> Option<Range<usize>> {
        let start = self.bytes.len() + self.decoded_keys.len();
        let mut at = key.start;
        while at < key.end {
            let plain = scan::plain_length(&self.bytes[at..key.end]);
            self.decoded_keys
                .extend_from_slice(&self.bytes[at..at + plain]);
            at += plain;
            if at < key.end {
                let (character, next) = string_reader::read_escape(self.bytes, at).ok()?;
                push_character(&mut self.decoded_keys, character);
                at = next;
            }
        }
        Some(start..self.bytes.len() + self.decoded_keys.len())
    }

    fn close_object(&mut self, object: OpenObject) -> Option<()> {
        let end = self.position();
        let keys = Keys {
            input: self.bytes,
            decoded: &self.decoded_keys,
        };
        self.members.close(object, end, keys, &mut self.order)
    }

    /// Reads a string from behind its opening quote; tells whether it has escapes.
    #[inline]
    fn read_string(&mut self) -> Option<bool> {
        let mut has_escapes = false;
        loop {
            self.at += scan::plain_length(self.bytes.get(self.at..)?);
            match self.bytes.get(self.at)? {
                b'"' => {
                    self.at += 1;
                    return Some(has_escapes);
                }
                b'\\' => self.read_escape()?,
                _ => return None,
            }
            has_escapes = true;
        }
    }

    fn read_escape(&mut self) -> Option<()> {
        if let b'"' | b'\\' | b'b' | b'f' | b'n' | b'r' | b't' = self.bytes.get(self.at + 1)? {
            // Python writes these as they are.
            self.at += 2;
            return Some(());
        }
        let (character, next) = string_reader::read_escape(self.bytes, self.at).ok()?;
        self.copy_up_to(self.at);
        match writer::escape(character) {
            Some(escape) => self.text.extend_from_slice(escape.as_bytes()),
            None => push_character(&mut self.text, character),
        }
        self.at = next;
        self.kept = next;
        Some(())
    }

    fn read_number(&mut self) -> Option<()> {
        let digits = self.limits.max_integer_digits;
        if let Some(end) = plain_number::end(self.bytes, self.at, digits) {
            self.at = end;
            return Some(());
        }
        let (number, next) = number_reader::read(self.bytes, self.at, digits).ok()?;
        self.copy_up_to(self.at);
        number.with_text(|text| self.text.extend_from_slice(text));
        self.at = next;
        self.kept = next;
        Some(())
    }

    fn read_literal(&mut self, literal: &[u8]) -> Option<()> {
        let is_there = self.bytes[self.at..].starts_with(literal);
        self.at += literal.len();
        is_there.then_some(())
    }

    #[inline]
    fn skip_whitespace(&mut self) {
        if let Some(b' ' | b'\n' | b'\t' | b'\r') = self.bytes.get(self.at) {
            self.drop_whitespace();
        }
    }

    fn drop_whitespace(&mut self) {
        if self.text.capacity() == 0 {
            // Few texts grow, and one that need not be rewritten takes nothing.
            self.text.reserve(self.bytes.len());
        }
        self.copy_up_to(self.at);
        while let Some(b' ' | b'\n' | b'\t' | b'\r') = self.bytes.get(self.at) {
            self.at += 1;
        }
        self.kept = self.at;
    }

    #[inline]
    fn copy_up_to(&mut self, end: usize) {
        const SHORT_BYTES: usize = 32;
        let length = end - self.kept;
        match self.bytes[self.kept..].first_chunk::<SHORT_BYTES>() {
            // Copying some bytes too many and dropping them is faster than a call that copies a few.
            Some(short) if length <= SHORT_BYTES => {
                self.text.extend_from_slice(short);
                let excess = SHORT_BYTES - length;
                self.text.truncate(self.text.len() - excess);
            }
            _ => self.text.extend_from_slice(&self.bytes[self.kept..end]),
        }
    }

    /// Returns where in the canonical text the reader is.
    #[inline]
    fn position(&self) -> usize {
        self.text.len() + (self.at - self.kept)
    }
}

fn push_character(bytes: &mut Vec<u8>, character: char) {
    bytes.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
}
