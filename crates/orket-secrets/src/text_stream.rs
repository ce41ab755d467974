//! A text that arrives in pieces.

use crate::{Scrubber, Stream};

/// A stream of text from which secrets are taken.
///
/// ```
/// use orket_secrets::{Scrubber, Vault, env_file};
///
/// let entries = env_file::read(b"DEPLOY_TOKEN='correct horse'").unwrap();
/// let vault = Vault::gather(entries, [], &Default::default()).unwrap();
/// let scrubber = Scrubber::new(&vault).unwrap();
/// let mut stream = scrubber.text_stream();
/// assert_eq!(stream.push("it is correct ho"), "it is ");
/// assert_eq!(stream.push("rse."), "[secret:DEPLOY_TOKEN].");
/// assert_eq!(stream.finish(), "");
/// ```
pub struct TextStream<'s> {
    scrubber: &'s Scrubber,
    stream: Stream<'s>,
}

impl<'s> TextStream<'s> {
    pub(crate) fn new(scrubber: &'s Scrubber) -> TextStream<'s> {
        TextStream {
            scrubber,
            stream: scrubber.stream(),
        }
    }

    /// Takes more of the text and returns what is certain.
    pub fn push(&mut self, text: &str) -> String {
        let mut certain = Vec::new();
        let scrubber = self.scrubber;
        self.stream.push(text.as_bytes(), &mut |piece| {
            scrubber.append(piece, &mut certain)
        });
        told(certain)
    }

    /// Ends the text and returns the rest.
    pub fn finish(self) -> String {
        let mut rest = Vec::new();
        let scrubber = self.scrubber;
        self.stream
            .finish(&mut |piece| scrubber.append(piece, &mut rest));
        told(rest)
    }
}

/// A stream never cuts a character, so nothing is replaced here.
fn told(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes)
        .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}
