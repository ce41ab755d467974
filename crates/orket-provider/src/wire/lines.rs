//! The lines of a stream that may be cut anywhere.

use orket_ports::model::ModelError;

/// What a line may have besides the answer itself.
const OVERHEAD_BYTES: u64 = 64 * 1024;

/// Puts lines together; the end of the last one may be missing.
#[derive(Debug, Default)]
pub(crate) struct Lines {
    /// The line that is not whole yet.
    line: Vec<u8>,
    number: u64,
}

impl Lines {
    /// Takes bytes and hands every line that they complete to `each`, with its number from 1 and without its line feed. A
    /// line may be somewhat longer than the answer.
    pub(crate) fn push(
        &mut self,
        bytes: &[u8],
        answer_limit_bytes: u64,
        mut each: impl FnMut(u64, &[u8]) -> Result<(), ModelError>,
    ) -> Result<(), ModelError> {
        let mut rest = bytes;
        while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
            let (head, tail) = rest.split_at(end);
            self.extend(head, answer_limit_bytes)?;
            rest = tail.get(1..).unwrap_or_default();
            let (number, line) = self.take();
            each(number, &line)?;
        }
        self.extend(rest, answer_limit_bytes)
    }

    /// Returns the line that has begun, with its number, and begins a new one.
    pub(crate) fn take(&mut self) -> (u64, Vec<u8>) {
        self.number += 1;
        (self.number, std::mem::take(&mut self.line))
    }

    fn extend(&mut self, bytes: &[u8], answer_limit_bytes: u64) -> Result<(), ModelError> {
        let length = self.line.len() as u64 + bytes.len() as u64;
        if length > answer_limit_bytes.saturating_add(OVERHEAD_BYTES) {
            return Err(ModelError::TooLong {
                limit_bytes: answer_limit_bytes,
            });
        }
        self.line.extend_from_slice(bytes);
        Ok(())
    }
}
