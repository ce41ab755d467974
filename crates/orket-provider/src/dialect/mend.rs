//! Mending a JSON text whose faults leave no doubt about what was meant.

use std::borrow::Cow;

use super::extent::Seen;

/// Returns the text with raw control characters escaped, commas before closing brackets removed, and `\'` as `'`.
pub(super) fn mend<'a>(text: &'a str, seen: &Seen) -> Cow<'a, str> {
    if !seen.needs_mending() {
        return Cow::Borrowed(text);
    }
    let bytes = text.as_bytes();
    let mut mended = String::with_capacity(text.len() + text.len() / 16);
    let mut in_string = false;
    // What is kept as it is goes over in pieces; each begins and ends beside an ASCII character.
    let mut from = 0;
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let next = at + 1;
        let (instead, skipped) = match byte {
            b'"' => {
                in_string = !in_string;
                at = next;
                continue;
            }
            b'\\' if in_string => match bytes.get(next) {
                Some(b'\'') => ("'".to_owned(), 2),
                Some(0x20..) => {
                    at += 2;
                    continue;
                }
                _ => {
                    at = next;
                    continue;
                }
            },
            b'\n' if in_string => ("\\n".to_owned(), 1),
            b'\r' if in_string => ("\\r".to_owned(), 1),
            b'\t' if in_string => ("\\t".to_owned(), 1),
            control @ 0..=0x1f if in_string => (format!("\\u{control:04x}"), 1),
            b',' if !in_string && closes(bytes, next) => (String::new(), 1),
            _ if in_string => {
                at = next + plain(bytes, next);
                continue;
            }
            _ => {
                at = next;
                continue;
            }
        };
        mended.push_str(text.get(from..at).unwrap_or_default());
        mended.push_str(&instead);
        at += skipped;
        from = at;
    }
    mended.push_str(text.get(from..).unwrap_or_default());
    Cow::Owned(mended)
}

/// Tells whether the next thing is a closing bracket.
fn closes(bytes: &[u8], at: usize) -> bool {
    let rest = bytes.get(at..).unwrap_or_default().iter();
    let mut rest = rest.skip_while(|byte| matches!(byte, b' ' | b'\t' | b'\n' | b'\r'));
    matches!(rest.next(), Some(b'}' | b']'))
}

/// Returns how many bytes of a string mean themselves.
fn plain(bytes: &[u8], at: usize) -> usize {
    let rest = bytes.get(at..).unwrap_or_default().iter();
    rest.take_while(|byte| !matches!(byte, b'"' | b'\\' | 0..=0x1f))
        .count()
}
