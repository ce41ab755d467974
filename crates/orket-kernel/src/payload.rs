//! The bytes of an object: held in memory, or read again from where they lie.

use std::borrow::Cow;
use std::fmt;
use std::io::{self, Read};
use std::sync::Arc;

use sha2::{Digest as _, Sha256};

use crate::canonical::Limits;
use crate::{Digest, ReadError};

/// How much of a stream is in memory at a time.
const BUFFER_BYTES: usize = 64 * 1024;

/// Where the bytes of a stream lie. Whoever implements it knows files; the kernel does not.
pub trait PayloadSource: fmt::Debug + Send + Sync {
    /// Begins to read at the first byte.
    ///
    /// # Errors
    /// Fails if they are not there any more, or cannot be read.
    fn open(&self) -> io::Result<Box<dyn Read + Send>>;
}

/// Bytes that were measured and digested, and that are read anew whenever they are needed.
#[derive(Clone, Debug)]
pub struct Stream {
    digest: Digest,
    length_bytes: u64,
    source: Arc<dyn PayloadSource>,
}

impl Stream {
    /// Names the bytes of a source that have this digest and this length. Both are believed until the bytes are read: a
    /// reading that ends otherwise fails.
    pub fn new(digest: Digest, length_bytes: u64, source: Arc<dyn PayloadSource>) -> Stream {
        Stream {
            digest,
            length_bytes,
            source,
        }
    }

    /// Reads a source once, to its end, and names its bytes. `None` if there are more than `limit_bytes`.
    ///
    /// # Errors
    /// Fails if the source cannot be read.
    pub fn measure(source: Arc<dyn PayloadSource>, limit_bytes: u64) -> io::Result<Option<Stream>> {
        let mut reader = source.open()?.take(limit_bytes.saturating_add(1));
        let mut hasher = Sha256::new();
        let length_bytes = pass(&mut reader, |bytes| hasher.update(bytes))?;
        if length_bytes > limit_bytes {
            return Ok(None);
        }
        let digest = Digest::from_bytes(hasher.finalize().into());
        Ok(Some(Stream::new(digest, length_bytes, source)))
    }

    /// Returns the digest.
    pub fn digest(&self) -> Digest {
        self.digest
    }
}

/// The bytes of an object.
///
/// Documents are held. Raw content may be as long as a disk is wide, so what is long is a [`Stream`], which nobody has to
/// hold: it is copied from where it lies to where it goes.
#[derive(Clone)]
pub enum Payload {
    /// In memory.
    Held(Vec<u8>),
    /// Anywhere else.
    Streamed(Stream),
}

impl Payload {
    /// Returns how many bytes there are.
    pub fn length_bytes(&self) -> u64 {
        match self {
            Payload::Held(bytes) => bytes.len() as u64,
            Payload::Streamed(stream) => stream.length_bytes,
        }
    }

    /// Returns the digest: of held bytes it is computed, of a stream it is the one that was measured.
    pub fn digest(&self) -> Digest {
        match self {
            Payload::Held(bytes) => Digest::of_bytes(bytes),
            Payload::Streamed(stream) => stream.digest,
        }
    }

    /// Begins to read at the first byte. Whoever reads a stream to its end knows that the bytes had its length and its
    /// digest: the last read fails otherwise, with [`io::ErrorKind::InvalidData`].
    ///
    /// # Errors
    /// Fails if the source cannot be opened.
    pub fn open(&self) -> io::Result<Box<dyn Read + '_>> {
        Ok(match self {
            Payload::Held(bytes) => Box::new(bytes.as_slice()),
            Payload::Streamed(stream) => Box::new(Checked {
                reader: stream.source.open()?,
                hasher: Some(Sha256::new()),
                left_bytes: stream.length_bytes,
                digest: stream.digest,
            }),
        })
    }

    /// Reads everything once and holds nothing of it: the bytes are there and have the digest.
    ///
    /// # Errors
    /// As [`Payload::open`], and if reading fails.
    pub fn check(&self) -> io::Result<()> {
        match self {
            Payload::Held(_) => Ok(()),
            Payload::Streamed(_) => pass(&mut *self.open()?, |_| ()).map(drop),
        }
    }

    /// Returns the bytes in memory, for documents.
    ///
    /// # Errors
    /// As [`Payload::check`], and [`io::ErrorKind::FileTooLarge`] for a stream that is longer than any document may be,
    /// [`Limits::BYTES`].
    pub fn into_bytes(self) -> io::Result<Vec<u8>> {
        match self {
            Payload::Held(bytes) => Ok(bytes),
            Payload::Streamed(_) => self.to_bytes().map(Cow::into_owned),
        }
    }

    /// As [`Payload::into_bytes`]; what is held is lent.
    ///
    /// # Errors
    /// As [`Payload::into_bytes`].
    pub fn to_bytes(&self) -> io::Result<Cow<'_, [u8]>> {
        match self {
            Payload::Held(bytes) => Ok(Cow::Borrowed(bytes)),
            Payload::Streamed(stream) if stream.length_bytes > Limits::BYTES as u64 => {
                Err(io::ErrorKind::FileTooLarge.into())
            }
            Payload::Streamed(_) => {
                let mut bytes = Vec::new();
                self.open()?.read_to_end(&mut bytes)?;
                Ok(Cow::Owned(bytes))
            }
        }
    }
}

impl From<Vec<u8>> for Payload {
    fn from(bytes: Vec<u8>) -> Payload {
        Payload::Held(bytes)
    }
}

/// Two payloads are equal if their bytes are, as far as length and digest tell.
impl PartialEq for Payload {
    fn eq(&self, other: &Payload) -> bool {
        match (self, other) {
            (Payload::Held(one), Payload::Held(two)) => one == two,
            _ => self.length_bytes() == other.length_bytes() && self.digest() == other.digest(),
        }
    }
}

impl Eq for Payload {}

impl fmt::Debug for Payload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes {}", self.length_bytes(), self.digest())
    }
}

impl ReadError {
    /// Says that the payload of `place` could not be read to its end.
    pub fn of_payload(place: &str, error: io::Error) -> ReadError {
        let place = place.to_owned();
        match error.kind() {
            io::ErrorKind::InvalidData => ReadError::Corrupt {
                place,
                reason: error.to_string(),
            },
            _ => ReadError::Unavailable {
                place,
                source: Box::new(error),
            },
        }
    }
}

/// Lets a stream pass and compares it with what was measured.
struct Checked {
    reader: Box<dyn Read + Send>,
    /// `None` once the end was reached and found right.
    hasher: Option<Sha256>,
    left_bytes: u64,
    digest: Digest,
}

impl Read for Checked {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let changed = |reason: &str| io::Error::new(io::ErrorKind::InvalidData, reason);
        if buffer.is_empty() {
            return Ok(0);
        }
        let read = self.reader.read(buffer)?;
        let Some(hasher) = &mut self.hasher else {
            return Ok(0);
        };
        if read as u64 > self.left_bytes || (read == 0 && self.left_bytes > 0) {
            return Err(changed("the bytes do not match the length"));
        }
        hasher.update(buffer.get(..read).unwrap_or_default());
        self.left_bytes -= read as u64;
        if read == 0 {
            let found = self.hasher.take().map(|hasher| hasher.finalize().into());
            if found.map(Digest::from_bytes) != Some(self.digest) {
                return Err(changed("the bytes do not match the digest"));
            }
        }
        Ok(read)
    }
}

/// Hands everything of a reader on, a piece at a time, and returns how long it was.
fn pass(reader: &mut dyn Read, mut take: impl FnMut(&[u8])) -> io::Result<u64> {
    let mut buffer = vec![0; BUFFER_BYTES];
    let mut length_bytes = 0;
    loop {
        let read = match reader.read(&mut buffer) {
            Ok(0) => return Ok(length_bytes),
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        take(buffer.get(..read).unwrap_or_default());
        length_bytes += read as u64;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Bytes that are handed out a few at a time, as a pipe does.
    #[derive(Debug)]
    struct Slow(&'static [u8]);

    struct Drops(&'static [u8]);

    impl PayloadSource for Slow {
        fn open(&self) -> io::Result<Box<dyn Read + Send>> {
            Ok(Box::new(Drops(self.0)))
        }
    }

    impl Read for Drops {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let length = buffer.len().min(3);
            self.0.read(&mut buffer[..length])
        }
    }

    fn stream(of: &[u8], lies: &'static [u8]) -> Payload {
        let source = Arc::new(Slow(lies));
        Payload::Streamed(Stream::new(Digest::of_bytes(of), of.len() as u64, source))
    }

    #[test]
    fn a_stream_is_what_was_measured_or_its_reading_fails() {
        for (case, lies, fault) in [
            ("as it was", &b"some bytes"[..], None),
            ("one bit", b"some bytez", Some("digest")),
            ("shorter", b"some byte", Some("length")),
            ("longer", b"some bytes.", Some("length")),
            ("gone", b"", Some("length")),
        ] {
            let payload = stream(b"some bytes", lies);
            let read = payload.clone().into_bytes();
            let checked = payload.check();
            match fault {
                None => assert_eq!((read.unwrap(), checked.is_ok()), (lies.to_vec(), true)),
                Some(fault) => {
                    for error in [read.unwrap_err(), checked.unwrap_err()] {
                        assert_eq!(error.kind(), io::ErrorKind::InvalidData, "{case}");
                        assert!(error.to_string().ends_with(fault), "{case}: {error}");
                    }
                }
            }
        }
        let empty = stream(b"", b"");
        assert_eq!(empty.into_bytes().unwrap(), b"");
    }

    #[test]
    fn what_is_too_long_for_a_document_is_not_taken_into_memory() {
        let long = Stream::new(Digest::of_bytes(b""), (64 << 20) + 1, Arc::new(Slow(b"")));
        let error = Payload::Streamed(long).into_bytes().unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::FileTooLarge);
    }

    #[test]
    fn what_is_longer_than_the_limit_is_not_measured() {
        let measure = |limit| Stream::measure(Arc::new(Slow(b"four")), limit).unwrap();
        let measured = Payload::Streamed(measure(4).unwrap());
        assert_eq!(measured, Payload::Held(b"four".to_vec()));
        assert!(measure(3).is_none());
    }

    #[test]
    fn payloads_are_equal_by_their_bytes() {
        let held = |bytes: &[u8]| Payload::Held(bytes.to_vec());
        assert_eq!(stream(b"a", b"a"), held(b"a"));
        assert_eq!(held(b"a"), stream(b"a", b"a"));
        assert_ne!(stream(b"a", b"a"), held(b"b"));
        assert_ne!(stream(b"a", b"a"), stream(b"b", b"b"));
        assert_ne!(held(b"a"), held(b"b"));
    }
}
