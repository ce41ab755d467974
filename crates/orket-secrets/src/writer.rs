//! A writer that takes secrets out.

use std::io::{self, Write};

use crate::{Scrubber, Stream};

/// Writes what is written to it without its secrets. [`ScrubbingWriter::finish`] writes the rest.
///
/// Flushing writes what is certain; what may be the beginning of a secret stays back. A writer that is dropped keeps it for
/// good: half a secret is not written by accident.
pub struct ScrubbingWriter<'s, W: Write> {
    scrubber: &'s Scrubber,
    stream: Stream<'s>,
    inner: W,
}

impl<'s, W: Write> ScrubbingWriter<'s, W> {
    pub(crate) fn new(scrubber: &'s Scrubber, inner: W) -> ScrubbingWriter<'s, W> {
        ScrubbingWriter {
            scrubber,
            stream: scrubber.stream(),
            inner,
        }
    }

    /// Writes the rest and returns the writer below.
    ///
    /// # Errors
    /// Those of the writer below.
    pub fn finish(mut self) -> io::Result<W> {
        let mut rest = Vec::new();
        let scrubber = self.scrubber;
        self.stream
            .finish(&mut |piece| scrubber.append(piece, &mut rest));
        self.inner.write_all(&rest)?;
        self.inner.flush()?;
        Ok(self.inner)
    }
}

impl<W: Write> Write for ScrubbingWriter<'_, W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut certain = Vec::new();
        let scrubber = self.scrubber;
        self.stream
            .push(bytes, &mut |piece| scrubber.append(piece, &mut certain));
        self.inner.write_all(&certain)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}
