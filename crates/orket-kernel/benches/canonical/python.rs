//! CPython as a contestant: one process that measures itself when asked.

use std::io::{self, BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

/// A running `python3`; it ends when its standard input does.
pub(crate) struct Python {
    _process: Child,
    requests: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Python {
    /// Starts the process, if there is a Python.
    pub(crate) fn start() -> Option<Python> {
        let mut process = Command::new("python3")
            .args(["-c", include_str!("python.py")])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .ok()?;
        Some(Python {
            requests: process.stdin.take()?,
            answers: BufReader::new(process.stdout.take()?),
            _process: process,
        })
    }

    /// Hands over the document of the turns to come; returns its digest.
    pub(crate) fn take(&mut self, document: &[u8]) -> io::Result<String> {
        writeln!(self.requests, "take {}", document.len())?;
        self.requests.write_all(document)?;
        self.answer()
    }

    /// Returns the shortest time in which the document was read, written and digested.
    pub(crate) fn turn(&mut self, length: Duration) -> io::Result<Duration> {
        writeln!(self.requests, "turn {}", length.as_nanos())?;
        let nanoseconds = self.answer()?.parse().map_err(io::Error::other)?;
        Ok(Duration::from_nanos(nanoseconds))
    }

    fn answer(&mut self) -> io::Result<String> {
        self.requests.flush()?;
        let mut line = String::new();
        self.answers.read_line(&mut line)?;
        Ok(line.trim_end().to_owned())
    }
}
