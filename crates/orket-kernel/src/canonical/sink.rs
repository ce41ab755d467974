//! Where a canonical text goes.

use super::hash_writer::HashWriter;

/// Takes a text piece by piece.
pub(super) trait Sink {
    /// Takes any text.
    fn text(&mut self, text: &str);

    /// Takes bytes that are known to be ASCII.
    fn ascii(&mut self, ascii: &[u8]);
}

impl Sink for String {
    #[inline]
    fn text(&mut self, text: &str) {
        self.push_str(text);
    }

    #[inline]
    fn ascii(&mut self, ascii: &[u8]) {
        self.push_str(std::str::from_utf8(ascii).unwrap_or_default());
    }
}

impl Sink for Vec<u8> {
    #[inline]
    fn text(&mut self, text: &str) {
        self.extend_from_slice(text.as_bytes());
    }

    #[inline]
    fn ascii(&mut self, ascii: &[u8]) {
        self.extend_from_slice(ascii);
    }
}

impl Sink for HashWriter {
    #[inline]
    fn text(&mut self, text: &str) {
        self.take(text.as_bytes());
    }

    #[inline]
    fn ascii(&mut self, ascii: &[u8]) {
        self.take(ascii);
    }
}
