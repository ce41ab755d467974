//! A text that is canonical but for the order of members.

use std::borrow::Cow;

use super::hash_writer::HashWriter;
use super::order::Order;
use crate::Digest;

/// A canonical text with members as they came, and the order in which they belong.
pub(super) struct UnorderedText<'a> {
    pub(super) text: Cow<'a, [u8]>,
    pub(super) order: Order,
}

impl<'a> UnorderedText<'a> {
    /// Returns the canonical text.
    pub(super) fn into_canonical(self) -> Cow<'a, [u8]> {
        if self.order.is_kept() {
            return self.text;
        }
        let mut ordered = Vec::with_capacity(self.text.len());
        self.order
            .write(&self.text, |piece| ordered.extend_from_slice(piece));
        Cow::Owned(ordered)
    }

    /// Returns the digest of the canonical text, which is not put together for that.
    pub(super) fn digest(&self) -> Digest {
        if self.order.is_kept() {
            return Digest::of_bytes(&self.text);
        }
        let mut hash = HashWriter::new();
        self.order.write(&self.text, |piece| hash.take(piece));
        hash.finish()
    }
}
