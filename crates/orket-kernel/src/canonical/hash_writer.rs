//! Collects small pieces of a text for SHA-256.

use sha2::{Digest as _, Sha256};

use super::small_copy;
use crate::Digest;

const BUFFER_BYTES: usize = 4096;

/// Feeds a text to SHA-256 in pieces that are worth a call.
pub(super) struct HashWriter {
    hasher: Sha256,
    buffer: [u8; BUFFER_BYTES],
    filled_bytes: usize,
}

impl HashWriter {
    pub(super) fn new() -> HashWriter {
        HashWriter {
            hasher: Sha256::new(),
            buffer: [0; BUFFER_BYTES],
            filled_bytes: 0,
        }
    }

    /// Takes the next bytes of the text.
    #[inline]
    pub(super) fn take(&mut self, bytes: &[u8]) {
        match self
            .buffer
            .get_mut(self.filled_bytes..self.filled_bytes + bytes.len())
        {
            Some(place) => {
                small_copy::copy(place, bytes);
                self.filled_bytes += bytes.len();
            }
            None => self.take_and_flush(bytes),
        }
    }

    #[inline(never)]
    fn take_and_flush(&mut self, bytes: &[u8]) {
        self.flush();
        if bytes.len() > BUFFER_BYTES / 2 {
            self.hasher.update(bytes);
        } else {
            self.take(bytes);
        }
    }

    /// Returns the digest of all that was taken.
    pub(super) fn finish(mut self) -> Digest {
        self.flush();
        Digest::from_bytes(self.hasher.finalize().into())
    }

    fn flush(&mut self) {
        self.hasher.update(&self.buffer[..self.filled_bytes]);
        self.filled_bytes = 0;
    }
}
