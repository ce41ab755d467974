//! SHA-256 digests: the names by which content is known (Law 4).

use std::fmt;
use std::str::FromStr;

use sha2::{Digest as _, Sha256};

/// A SHA-256 digest; its text is 64 lower-case hexadecimal characters.
///
/// ```
/// use orket_kernel::Digest;
///
/// let digest = Digest::of_bytes(b"null");
/// assert_eq!(digest.to_hex(), "74234e98afe7498fb5daf1f36ac2d78acc339464f950703b8c019892f982b90b");
/// assert_eq!(digest.to_hex().parse(), Ok(digest));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest([u8; 32]);

/// Says why a text is not a digest.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParseDigestError {
    /// The text has the wrong length.
    #[error("a digest has 64 characters, this text has {found_bytes} bytes")]
    Length {
        /// The length of the text.
        found_bytes: usize,
    },
    /// A character is not a lower-case hexadecimal digit.
    #[error("a digest holds only 0-9 and a-f, this text breaks that at byte {byte_offset}")]
    Character {
        /// Where the first such character stands.
        byte_offset: usize,
    },
}

impl Digest {
    /// Returns the digest of `bytes` as they are.
    pub fn of_bytes(bytes: &[u8]) -> Digest {
        Digest(Sha256::digest(bytes).into())
    }

    /// Takes 32 bytes that a SHA-256 function returned.
    pub const fn from_bytes(bytes: [u8; 32]) -> Digest {
        Digest(bytes)
    }

    /// Returns the 32 bytes of the digest.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Returns the digest as 64 lower-case hexadecimal characters.
    pub fn to_hex(&self) -> String {
        // Called for every digest of every record: an allocation and a table are several times as fast as `hex::encode`.
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let mut text = String::with_capacity(2 * self.0.len());
        for byte in self.0 {
            text.push(char::from(DIGITS[usize::from(byte >> 4)]));
            text.push(char::from(DIGITS[usize::from(byte & 15)]));
        }
        text
    }

    /// Takes `text` as a digest.
    ///
    /// # Errors
    /// The text must be exactly 64 characters out of `0-9` and `a-f`; upper case is refused, so that a digest has
    /// one spelling only.
    pub fn parse(text: &str) -> Result<Digest, ParseDigestError> {
        if text.len() != 64 {
            return Err(ParseDigestError::Length {
                found_bytes: text.len(),
            });
        }
        let strange = |byte: u8| !matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        if let Some(byte_offset) = text.bytes().position(strange) {
            return Err(ParseDigestError::Character { byte_offset });
        }
        let mut bytes = [0; 32];
        match hex::decode_to_slice(text, &mut bytes) {
            Ok(()) => Ok(Digest(bytes)),
            Err(_) => Err(ParseDigestError::Length {
                found_bytes: text.len(),
            }),
        }
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_hex())
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_hex())
    }
}

impl FromStr for Digest {
    type Err = ParseDigestError;

    fn from_str(text: &str) -> Result<Digest, ParseDigestError> {
        Digest::parse(text)
    }
}

impl serde::Serialize for Digest {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.to_hex())
    }
}

impl<'de> serde::Deserialize<'de> for Digest {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <String as serde::Deserialize>::deserialize(deserializer)?;
        Digest::parse(&text).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_has_one_spelling() {
        let text = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(Digest::of_bytes(b""), Digest::parse(text).unwrap());
        assert_eq!(
            format!("{} {0:?}", Digest::of_bytes(b"")),
            format!("{text} {text}")
        );
        assert_eq!(
            Digest::parse(&text.to_uppercase()),
            Err(ParseDigestError::Character { byte_offset: 0 })
        );
        assert_eq!(
            Digest::parse(&text[1..]),
            Err(ParseDigestError::Length { found_bytes: 63 })
        );
        let wide = format!("{}é", &text[2..]);
        assert_eq!(
            Digest::parse(&wide),
            Err(ParseDigestError::Character { byte_offset: 62 })
        );
    }
}
