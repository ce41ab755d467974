//! The lines of a stream, of which one may be repeated very often.

/// How large the pieces of an oversized answer are.
const PIECE_BYTES: usize = 4096;

/// The lines of a stream, without line endings.
#[derive(Debug, Default)]
pub(crate) struct Lines {
    pub(crate) first: Vec<String>,
    /// A line that comes this often after the first ones.
    pub(crate) repeated: Option<(String, usize)>,
    pub(crate) last: Vec<String>,
}

impl Lines {
    /// Puts content of `bytes` bytes between the first and the last lines, made once however long it is.
    pub(crate) fn oversize(&mut self, bytes: usize, line: impl Fn(&str) -> String) {
        let piece = "x".repeat(PIECE_BYTES);
        self.repeated = Some((line(&piece), bytes / PIECE_BYTES));
        if !bytes.is_multiple_of(PIECE_BYTES) {
            self.last.push(line(&piece[..bytes % PIECE_BYTES]));
        }
    }

    /// Returns all lines, each as often as it comes.
    pub(crate) fn all(self) -> Vec<String> {
        let repeated = self.repeated.into_iter();
        let repeated = repeated.flat_map(|(line, times)| std::iter::repeat_n(line, times));
        let mut lines = self.first;
        lines.extend(repeated);
        lines.extend(self.last);
        lines
    }
}
