//! Any text as an event line: what is read can be written, and is the same issue when it is read again.

use orket_kernel::event;

/// Panics if reading or writing event lines breaks a promise on `bytes`.
pub(crate) fn check(bytes: &[u8]) {
    let Ok(line) = std::str::from_utf8(bytes) else {
        return;
    };
    let Some(issue) = event::parse(line) else {
        return;
    };
    assert!(!line.contains(['\n', '\r']), "two lines were read as one");
    let written = event::format(&issue);
    assert!(!written.contains(['\n', '\r']), "{written:?} has two lines");
    assert_eq!(event::parse(&written).as_ref(), Some(&issue), "{written:?}");
    // Only the details have more than one spelling.
    assert_eq!(before_details(&written), before_details(line));
}

/// The line up to its fifth separator; a pipe after an odd number of backslashes separates nothing.
fn before_details(line: &str) -> Option<&str> {
    let mut is_escaped = false;
    let separators = line.char_indices().filter(|(_, character)| {
        let separates = *character == '|' && !is_escaped;
        is_escaped = *character == '\\' && !is_escaped;
        separates
    });
    let (end, _) = separators.take(5).last()?;
    line.get(..end)
}
