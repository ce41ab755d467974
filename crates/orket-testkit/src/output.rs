//! What a command printed and how it ended.

use std::fmt;
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;

/// Texts that differ from machine to machine, and what stands for them in a snapshot.
#[derive(Clone, Debug, Default)]
pub struct Redaction(Vec<(String, &'static str)>);

impl Redaction {
    /// Adds a text; longer ones should come before those that they contain.
    pub fn hide(&mut self, text: impl Into<String>, word: &'static str) {
        self.0.push((text.into(), word));
    }

    /// Returns the text with everything hidden that differs by machine, the tier of the sandbox included.
    pub fn apply(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for (hidden, word) in &self.0 {
            text = text.replace(hidden, word);
        }
        let mut lines: Vec<String> = text.split('\n').map(hide_tier).collect();
        if lines.last().is_some_and(String::is_empty) {
            lines.pop();
            lines.push(String::new());
        }
        lines.join("\n")
    }
}

/// Hides how much of a sandbox a machine has: it ends the line wherever a person is told.
fn hide_tier(line: &str) -> String {
    for word in ["full", "partial (", "none ("] {
        for before in ["sandbox ", "sandbox       "] {
            let at = line.find(&format!("{before}{word}"));
            if let Some(at) = at {
                return format!("{}{before}[tier]", &line[..at]);
            }
        }
    }
    line.to_owned()
}

/// What a command printed and how it ended; printed, it reads as a terminal session.
#[must_use = "either snapshot the output or assert the exit code with .assert_code()"]
#[derive(Clone, Debug)]
pub struct Output {
    /// The command line, as a person types it.
    pub command: String,
    /// The exit code; `None` if a signal ended the command.
    pub code: Option<i32>,
    /// The signal that ended the command.
    pub signal: Option<i32>,
    /// Standard output, redacted.
    pub stdout: String,
    /// Standard error, redacted.
    pub stderr: String,
}

impl Output {
    pub(crate) fn new(
        command: String,
        status: ExitStatus,
        stdout: &[u8],
        stderr: &[u8],
        redaction: &Redaction,
    ) -> Output {
        Output {
            command,
            code: status.code(),
            signal: status.signal(),
            stdout: redaction.apply(&String::from_utf8_lossy(stdout)),
            stderr: redaction.apply(&String::from_utf8_lossy(stderr)),
        }
    }

    /// Passes if the command ended with this exit code.
    ///
    /// # Panics
    /// If it did not; the message is the whole session.
    #[track_caller]
    pub fn assert_code(&self, code: i32) -> &Output {
        assert_eq!(self.code, Some(code), "another exit code:\n{self}");
        self
    }

    /// Returns the one line on standard error that says why a command failed.
    ///
    /// # Panics
    /// If the exit code is another one, if there is not exactly one such line, if it is not the last, or if data was
    /// printed.
    #[track_caller]
    pub fn complaint(&self, code: i32) -> &str {
        assert_eq!(self.code, Some(code), "another exit code:\n{self}");
        assert_eq!(self.stdout, "", "a failure prints no data:\n{self}");
        let complaints = self.stderr.matches("orket: ").count();
        let last = self.stderr.lines().last().unwrap_or_default();
        assert!(
            complaints == 1 && last.starts_with("orket: ") && self.stderr.ends_with('\n'),
            "not exactly one line that says why, at the end:\n{self}"
        );
        last
    }
}

impl fmt::Display for Output {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(formatter, "$ {}", self.command)?;
        write_stream(formatter, &self.stdout)?;
        if !self.stderr.is_empty() {
            writeln!(formatter, "-- standard error --")?;
            write_stream(formatter, &self.stderr)?;
        }
        match (self.code, self.signal) {
            (Some(code), _) => write!(formatter, "[exit {code}]"),
            (None, Some(signal)) => write!(formatter, "[signal {signal}]"),
            (None, None) => formatter.write_str("[no end]"),
        }
    }
}

fn write_stream(formatter: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    formatter.write_str(text)?;
    if !text.is_empty() && !text.ends_with('\n') {
        writeln!(formatter, "[no line end]")?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn output(stdout: &[u8], stderr: &[u8], wait_status: i32) -> Output {
        let mut redaction = Redaction::default();
        redaction.hide("/tmp/x/project", "[project]");
        let status = ExitStatus::from_raw(wait_status);
        Output::new("orket board".into(), status, stdout, stderr, &redaction)
    }

    #[test]
    fn it_reads_as_a_session() {
        let session = output(b"a\nb", b"orket: no /tmp/x/project\n", 3 << 8);
        assert_eq!(
            session.to_string(),
            "$ orket board\na\nb[no line end]\n-- standard error --\norket: no [project]\n[exit 3]"
        );
        let killed = output(b"", b"", 9);
        assert_eq!(killed.to_string(), "$ orket board\n[signal 9]");
    }

    #[test]
    fn the_tier_is_hidden_wherever_it_is_told() {
        for (line, expected) in [
            ("sandbox full", "sandbox [tier]"),
            ("sandbox none (no Landlock: x, y)", "sandbox [tier]"),
            (
                "run r: epic e, sandbox partial (no namespaces: z)",
                "run r: epic e, sandbox [tier]",
            ),
            ("sandbox       full", "sandbox       [tier]"),
            ("a sandbox is fun", "a sandbox is fun"),
        ] {
            assert_eq!(
                Redaction::default().apply(&format!("{line}\n")),
                format!("{expected}\n")
            );
        }
    }

    #[test]
    #[should_panic(expected = "not exactly one line")]
    fn two_complaints_are_one_too_many() {
        output(b"", b"orket: a\norket: b\n", 3 << 8).complaint(3);
    }

    #[test]
    fn a_complaint_comes_after_the_progress() {
        let failed = output(b"", b"turn-0001\norket: a\n", 5 << 8);
        assert_eq!(failed.complaint(5), "orket: a");
    }
}
