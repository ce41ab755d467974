//! Rewrites a text into its canonical text, in one pass and without building a value.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::ops::Range;

use super::hash_writer::HashWriter;
use super::order::{Member, Order};
use super::{Limits, number_reader, plain_number, scan, string_reader, utf8, writer};
use crate::Digest;

/// The canonical text of a document, but for the order of its members.
pub(super) struct Rewritten<'a> {
    /// The text with members as they came, if that is not simply a part of the input.
    text: Option<Vec<u8>>,
    /// That part, then.
    input: &'a [u8],
    order: Order,
}

impl<'a> Rewritten<'a> {
    /// Rewrites the document `input`; returns nothing if anything is wrong with it.
    ///
    /// What is wrong is left to the [reader](super::reader) to say.
    pub(super) fn read(input: &'a [u8], limits: &Limits) -> Option<Rewritten<'a>> {
        if input.len() > limits.max_bytes || !utf8::is_utf8(input) {
            return None;
        }
        let mut rewriter = Rewriter::new(input, limits.bounded());
        let end = rewriter.read_document()?;
        Some(rewriter.finish(end))
    }

    /// Returns the canonical text.
    pub(super) fn into_text(self) -> Cow<'a, [u8]> {
        if !self.order.is_kept() {
            let mut ordered = Vec::with_capacity(self.text().len());
            self.order
                .write(self.text(), |piece| ordered.extend_from_slice(piece));
            return Cow::Owned(ordered);
        }
        match self.text {
            Some(text) => Cow::Owned(text),
            None => Cow::Borrowed(self.input),
        }
    }

    /// Returns the digest of the canonical text.
    pub(super) fn digest(&self) -> Digest {
        if self.order.is_kept() {
            return Digest::of_bytes(self.text());
        }
        let mut hash = HashWriter::new();
        self.order.write(self.text(), |piece| hash.take(piece));
        hash.finish()
    }

    /// Returns the text with members as they came.
    fn text(&self) -> &[u8] {
        self.text.as_deref().unwrap_or(self.input)
    }
}

/// An array or an object that is not closed yet.
#[derive(Clone, Copy)]
enum Open {
    Array,
    Object(OpenObject),
}

#[derive(Clone, Copy)]
struct OpenObject {
    /// Where its members begin among the members of all open objects.
    first_member: usize,
    /// The index under which its order is noted.
    noted: usize,
    /// Whether each key so far came after the one before it.
    is_sorted: bool,
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
    members: Vec<Member>,
    order: Order,
    /// The decoded keys that have escapes; they lie behind the input in the numbering of [`Member::key`].
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
            members: Vec::new(),
            order: Order::default(),
            decoded_keys: Vec::new(),
        }
    }

    fn finish(mut self, end: usize) -> Rewritten<'a> {
        let mut text = None;
        if !self.text.is_empty() {
            self.copy_up_to(end);
            text = Some(self.text);
        }
        Rewritten {
            text,
            input: &self.bytes[self.kept..end],
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
                    let mut object = OpenObject {
                        first_member: self.members.len(),
                        noted: self.order.open(self.position()),
                        is_sorted: true,
                    };
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
        let member = Member {
            prefix: prefix(self.keys().of(&key)),
            key,
            place: start..start,
            noted: self.order.noted(),
        };
        if let Some(last) = self.members[object.first_member..].last() {
            object.is_sorted &= self.keys().compare(last, &member).is_lt();
        }
        self.members.push(member);
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
        if object.is_sorted {
            self.order.close(object.noted);
        } else {
            let end = self.position();
            self.sort(object, end)?;
        }
        self.members.truncate(object.first_member);
        Some(())
    }

    /// Brings the members of `object`, which ends at `end`, into their order, unless a key is there twice.
    #[inline(never)]
    fn sort(&mut self, object: OpenObject, end: usize) -> Option<()> {
        let members = &mut self.members[object.first_member..];
        let mut next = end + 1;
        for member in members.iter_mut().rev() {
            // A comma stands between two members.
            member.place.end = next - 1;
            next = member.place.start;
        }
        let keys = Keys {
            input: self.bytes,
            decoded: &self.decoded_keys,
        };
        members.sort_unstable_by(|left, right| keys.compare(left, right));
        let is_strict = members.is_sorted_by(|left, right| keys.compare(left, right).is_lt());
        let places = members
            .iter()
            .map(|member| (member.place.clone(), member.noted));
        self.order.close_sorted(object.noted, end, places);
        is_strict.then_some(())
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
        self.text.extend_from_slice(number.to_string().as_bytes());
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
        self.copy_up_to(self.at);
        while let Some(b' ' | b'\n' | b'\t' | b'\r') = self.bytes.get(self.at) {
            self.at += 1;
        }
        self.kept = self.at;
    }

    #[inline]
    fn copy_up_to(&mut self, end: usize) {
        self.text.extend_from_slice(&self.bytes[self.kept..end]);
    }

    /// Returns where in the canonical text the reader is.
    #[inline]
    fn position(&self) -> usize {
        self.text.len() + (self.at - self.kept)
    }

    #[inline]
    fn keys(&self) -> Keys<'_> {
        Keys {
            input: self.bytes,
            decoded: &self.decoded_keys,
        }
    }
}

/// Finds the text of keys.
#[derive(Clone, Copy)]
struct Keys<'a> {
    input: &'a [u8],
    decoded: &'a [u8],
}

impl Keys<'_> {
    #[inline]
    fn of(&self, key: &Range<usize>) -> &[u8] {
        match key.start.checked_sub(self.input.len()) {
            None => &self.input[key.clone()],
            Some(start) => &self.decoded[start..start + key.len()],
        }
    }

    #[inline]
    fn compare(&self, left: &Member, right: &Member) -> Ordering {
        left.prefix
            .cmp(&right.prefix)
            .then_with(|| self.of(&left.key).cmp(self.of(&right.key)))
    }
}

/// Returns the first eight bytes of a key as a number that sorts as they do; what is missing counts as zero.
#[inline]
fn prefix(key: &[u8]) -> u64 {
    match key.first_chunk::<8>() {
        Some(first) => u64::from_be_bytes(*first),
        None => {
            let mut first = [0; 8];
            first[..key.len()].copy_from_slice(key);
            u64::from_be_bytes(first)
        }
    }
}

fn push_character(bytes: &mut Vec<u8>, character: char) {
    bytes.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
}
