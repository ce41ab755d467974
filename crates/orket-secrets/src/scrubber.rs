//! The scrubber: takes secrets out of texts.

use std::borrow::Cow;
use std::fmt;

use crate::known::Known;
use crate::shapes::Search;
use crate::{Kind, Piece, ScrubbingWriter, Stream, TextStream, Vault};

/// Takes known values and shapes of secrets out of everything that passes through it.
///
/// A known value is found as it stands, reversed, in hex and in base64 (at any place of a longer base64 text), and each of
/// these behind up to two of percent encoding, JSON escapes and line breaks, in any mixture. In its place comes
/// `[secret:NAME]`, in that of a shape `[secret:shape]`.
///
/// ```
/// use orket_secrets::{Scrubber, Vault, env_file};
///
/// let entries = env_file::read(b"DEPLOY_TOKEN='correct horse'").unwrap();
/// let vault = Vault::gather(entries, [], &Default::default()).unwrap();
/// let scrubber = Scrubber::new(&vault).unwrap();
/// assert_eq!(scrubber.text("it is correct%20horse."), "it is [secret:DEPLOY_TOKEN].");
/// assert_eq!(scrubber.text("it is esroh tcerroc."), "it is [secret:DEPLOY_TOKEN].");
/// assert_eq!(scrubber.text("password=hunter2hunter2"), "password=[secret:password]");
/// ```
///
/// # Limitations
/// Not found are parts of a value, a value with something between its characters, hex in mixed case or with gaps, other
/// encodings, and what is compressed or encrypted. In base64, up to six bits of the first and the last byte of a value stay
/// beside the mark. The values lie in the memory of the process as long as the scrubber does.
pub struct Scrubber {
    pub(crate) known: Known,
    pub(crate) search: Search,
    /// By the place of the name.
    marks: Vec<String>,
}

/// The secrets are too many or too long to be looked for together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the secrets are too many to be looked for together; take some out of .env")]
pub struct TooMany;

impl Scrubber {
    /// Returns a scrubber for the secrets of a vault, and for shapes.
    ///
    /// # Errors
    /// Fails if the forms of all secrets together do not fit the search, some gigabytes.
    pub fn new(vault: &Vault) -> Result<Scrubber, TooMany> {
        let known = Known::new(vault).map_err(|_| TooMany)?;
        let search = Search::new().map_err(|_| TooMany)?;
        // A name that is itself a secret is not shown.
        let mark = |name: &String| {
            let mark = format!("[secret:{name}]");
            if known.stands_in(&mark) {
                "[secret]".to_owned()
            } else {
                mark
            }
        };
        let marks = known.names.iter().map(mark).collect();
        Ok(Scrubber {
            known,
            search,
            marks,
        })
    }

    /// Takes the secrets out of a text.
    pub fn text<'t>(&self, text: &'t str) -> Cow<'t, str> {
        match self.bytes(text.as_bytes()) {
            Cow::Borrowed(_) => Cow::Borrowed(text),
            Cow::Owned(bytes) => Cow::Owned(String::from_utf8_lossy(&bytes).into_owned()),
        }
    }

    /// Takes the secrets out of some bytes.
    pub fn bytes<'t>(&self, bytes: &'t [u8]) -> Cow<'t, [u8]> {
        self.scrub(bytes, true)
    }

    /// Takes the secrets out of the beginning of something longer. What could be the beginning of a secret at its end is
    /// left out.
    pub fn beginning<'t>(&self, bytes: &'t [u8]) -> Cow<'t, [u8]> {
        self.scrub(bytes, false)
    }

    /// Takes the secret out of the value of a member whose name may say that it is one: `"password": "…"`.
    pub fn member<'t>(&self, name: &str, text: &'t str) -> Cow<'t, str> {
        let scrubbed = self.text(text);
        let (open, close) = (format!("{name}=\""), "\"");
        let told = format!("{open}{scrubbed}{close}");
        if let Cow::Owned(told) = self.text(&told)
            && let Some(value) = told.strip_prefix(&open)
            && let Some(value) = value.strip_suffix(close)
        {
            return Cow::Owned(value.to_owned());
        }
        scrubbed
    }

    /// Returns a stream from which secrets are taken.
    pub fn stream(&self) -> Stream<'_> {
        Stream::new(self)
    }

    /// Returns a stream of text from which secrets are taken.
    pub fn text_stream(&self) -> TextStream<'_> {
        TextStream::new(self)
    }

    /// Returns a writer that takes secrets out of what is written through it.
    pub fn writer<W: std::io::Write>(&self, inner: W) -> ScrubbingWriter<'_, W> {
        ScrubbingWriter::new(self, inner)
    }

    /// Returns what stands in the place of a secret.
    pub(crate) fn mark(&self, kind: Kind<'_>) -> Cow<'_, str> {
        match kind {
            Kind::Shape(name) => Cow::Owned(format!("[secret:{name}]")),
            Kind::Known(name) => {
                let place = self.known.names.iter().position(|known| known == name);
                let mark = place.and_then(|place| self.marks.get(place));
                Cow::Borrowed(mark.map_or("[secret]", String::as_str))
            }
        }
    }

    /// Writes a piece with its mark.
    pub(crate) fn append(&self, piece: Piece<'_>, text: &mut Vec<u8>) {
        match piece {
            Piece::Clean(bytes) => text.extend_from_slice(bytes),
            Piece::Secret { kind, .. } => text.extend_from_slice(self.mark(kind).as_bytes()),
        }
    }

    fn scrub<'t>(&self, bytes: &'t [u8], is_whole: bool) -> Cow<'t, [u8]> {
        let mut is_changed = false;
        let mut scrubbed = Vec::with_capacity(bytes.len());
        let mut stream = self.stream();
        let mut take = |piece: Piece<'_>| {
            is_changed |= matches!(piece, Piece::Secret { .. });
            self.append(piece, &mut scrubbed);
        };
        stream.push(bytes, &mut take);
        if is_whole {
            stream.finish(&mut take);
        }
        if is_changed || scrubbed.len() != bytes.len() {
            Cow::Owned(scrubbed)
        } else {
            Cow::Borrowed(bytes)
        }
    }
}

/// Says how many names it knows, and nothing of what they stand for.
impl fmt::Debug for Scrubber {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Scrubber of {} name(s)", self.known.names.len())
    }
}
