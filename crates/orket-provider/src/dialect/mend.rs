//! Mending a JSON text whose faults leave no doubt about what was meant.

use std::borrow::Cow;

use super::extent::Seen;

/// Returns the text with raw control characters escaped, commas before closing brackets removed, and `\'` as `'`.
pub(super) fn mend<'a>(text: &'a str, seen: &Seen) -> Cow<'a, str> {
    if !seen.needs_mending() {
        return Cow::Borrowed(text);
    }
    let mut mended = String::with_capacity(text.len() + 16);
    let mut in_string = false;
    let mut characters = text.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => {
                in_string = !in_string;
                mended.push('"');
            }
            '\\' if in_string => match text.as_bytes().get(at + 1) {
                Some(b'\'') => {}
                Some(b'"' | b'\\') => {
                    mended.push('\\');
                    mended.extend(characters.next().map(|(_, escaped)| escaped));
                }
                _ => mended.push('\\'),
            },
            '\n' if in_string => mended.push_str("\\n"),
            '\r' if in_string => mended.push_str("\\r"),
            '\t' if in_string => mended.push_str("\\t"),
            control if in_string && control < ' ' => {
                mended.push_str(&format!("\\u{:04x}", u32::from(control)));
            }
            ',' if !in_string => {
                let next = text.get(at + 1..).unwrap_or_default().bytes();
                let mut next = next.skip_while(|byte| matches!(byte, b' ' | b'\t' | b'\n' | b'\r'));
                if !matches!(next.next(), Some(b'}' | b']')) {
                    mended.push(',');
                }
            }
            other => mended.push(other),
        }
    }
    Cow::Owned(mended)
}
