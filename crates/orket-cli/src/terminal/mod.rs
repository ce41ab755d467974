//! What is printed, and how: data to standard output, talk to standard error.

mod hiding;
mod json_lines;
pub(crate) mod pretty;
mod progress;

use std::io::Write;

pub(crate) use hiding::{hide, scrubber};
pub(crate) use json_lines::JsonLines;
pub(crate) use progress::Progress;

use crate::exit::{self, Code, Failure};

/// Prints data without its secrets. A reader that went away is no failure.
pub(crate) fn print_bytes(bytes: &[u8]) -> Result<Code, Failure> {
    print_exact(&hiding::shown(bytes))
}

/// Prints what a command made of the very input that it was given, byte for byte: a digest or a canonical form without its
/// secrets would be another one.
pub(crate) fn print_exact(bytes: &[u8]) -> Result<Code, Failure> {
    let mut output = std::io::stdout().lock();
    match output.write_all(bytes).and_then(|()| output.flush()) {
        Ok(()) => Ok(exit::DONE),
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(exit::DONE),
        Err(error) => Err(Failure::new(
            exit::INVALID,
            format!("standard output cannot be written: {error}"),
        )),
    }
}

/// Prints talk without its secrets. Nobody can be told if that fails.
pub(crate) fn say(text: &str) {
    let text = hiding::shown(text.as_bytes());
    let _ = std::io::stderr().lock().write_all(&text);
}

/// Prints why a command failed, in one line.
pub(crate) fn complain(failure: &Failure) {
    say(&format!("orket: {}\n", plain(&failure.message)));
}

/// Returns text in one line without anything that could steer a terminal.
pub(crate) fn plain(text: &str) -> String {
    text.chars()
        .map(|character| {
            if steers(character) {
                '\u{fffd}'
            } else {
                character
            }
        })
        .collect()
}

/// As [`plain`], but keeps line ends.
pub(crate) fn plain_lines(text: &str) -> String {
    text.trim_end()
        .lines()
        .map(plain)
        .collect::<Vec<_>>()
        .join("\n")
}

/// As [`plain`], cut to what fits a few lines.
pub(crate) fn shortened(text: &str) -> String {
    const SHOWN: usize = 400;
    let text = plain(text);
    if text.chars().count() <= SHOWN {
        return text;
    }
    let cut: String = text.chars().take(SHOWN).collect();
    format!("{cut}… (--json shows all)")
}

fn steers(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_from_outside_cannot_steer_the_terminal() {
        assert_eq!(
            plain("a\u{1b}[2Jb\r\u{9b}1m\u{202e}c"),
            "a\u{fffd}[2Jb\u{fffd}\u{fffd}1m\u{fffd}c"
        );
        assert_eq!(plain_lines("one\ntwo\u{7}\n"), "one\ntwo\u{fffd}");
        assert!(shortened(&"é".repeat(1000)).ends_with("shows all)"));
    }
}
