//! From a text to its canonical text or its digest, without a value in between.

use std::borrow::Cow;

use super::{Limits, ParseError, reader, rewriter, writer};
use crate::Digest;

/// Returns the canonical text of the JSON text `bytes`, read within the default [`Limits`].
///
/// It is what [`to_bytes`](super::to_bytes) makes of what [`parse`](super::parse) returns, but faster. A text that is
/// canonical as it stands is not copied, unless it holds an escape or a number that only reading tells to be canonical.
///
/// # Limitations
/// The text is held in memory until its end, because the last member of an object may be the first in its order. That
/// takes at most 25 times the length of the input (many short members in the wrong order), and usually once.
///
/// # Errors
/// As [`parse`](super::parse).
///
/// ```
/// use std::borrow::Cow;
///
/// use orket_kernel::canonical;
///
/// let text = canonical::canonicalize(br#" {"b": 1e2, "a": "\u00e9"} "#)?;
/// assert_eq!(text, r#"{"a":"é","b":100.0}"#.as_bytes());
/// assert!(matches!(canonical::canonicalize(&text)?, Cow::Borrowed(_)));
/// # Ok::<(), canonical::ParseError>(())
/// ```
pub fn canonicalize(bytes: &[u8]) -> Result<Cow<'_, [u8]>, ParseError> {
    canonicalize_with(bytes, &Limits::default())
}

/// Returns the canonical text of the JSON text `bytes`, read within `limits`.
///
/// # Errors
/// As [`parse`](super::parse).
pub fn canonicalize_with<'a>(
    bytes: &'a [u8],
    limits: &Limits,
) -> Result<Cow<'a, [u8]>, ParseError> {
    match rewriter::rewrite(bytes, limits) {
        Some(text) => Ok(text.into_canonical()),
        // The reader knows what is wrong.
        None => Ok(Cow::Owned(writer::to_bytes(&reader::parse_with(
            bytes, limits,
        )?))),
    }
}

/// Returns the SHA-256 digest of the canonical text of the JSON text `bytes`, read within the default [`Limits`].
///
/// It is what [`digest`](super::digest) makes of what [`parse`](super::parse) returns, but faster. It takes memory as
/// [`canonicalize`] does, but a text whose members change places is not put together a second time.
///
/// # Errors
/// As [`parse`](super::parse).
///
/// ```
/// use orket_kernel::Digest;
/// use orket_kernel::canonical;
///
/// let digest = canonical::digest_bytes(br#" {"b": 1, "a": [] } "#)?;
/// assert_eq!(digest, Digest::of_bytes(br#"{"a":[],"b":1}"#));
/// # Ok::<(), canonical::ParseError>(())
/// ```
pub fn digest_bytes(bytes: &[u8]) -> Result<Digest, ParseError> {
    digest_bytes_with(bytes, &Limits::default())
}

/// Returns the SHA-256 digest of the canonical text of the JSON text `bytes`, read within `limits`.
///
/// # Errors
/// As [`parse`](super::parse).
pub fn digest_bytes_with(bytes: &[u8], limits: &Limits) -> Result<Digest, ParseError> {
    match rewriter::rewrite(bytes, limits) {
        Some(text) => Ok(text.digest()),
        // The reader knows what is wrong.
        None => Ok(writer::digest(&reader::parse_with(bytes, limits)?)),
    }
}
