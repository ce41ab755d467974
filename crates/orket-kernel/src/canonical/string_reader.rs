//! Reads what stands between two quotation marks.

use super::reader::Fault;
use super::{ParseErrorKind, scan};

/// Reads the string whose first character stands at `start`; returns it and the place after its closing quote.
pub(super) fn read(text: &str, start: usize) -> Result<(String, usize), Fault> {
    let bytes = text.as_bytes();
    let mut at = start + scan::plain_length(&bytes[start..]);
    let mut decoded = text[start..at].to_owned();
    loop {
        match bytes.get(at) {
            Some(b'"') => return Ok((decoded, at + 1)),
            Some(b'\\') => {
                let (character, next) = read_escape(bytes, at)?;
                decoded.push(character);
                let end = next + scan::plain_length(&bytes[next..]);
                decoded.push_str(&text[next..end]);
                at = end;
            }
            Some(control) => {
                let kind = ParseErrorKind::ControlCharacter {
                    found: char::from(*control),
                };
                return Err(Fault { kind, at });
            }
            None => {
                let kind = ParseErrorKind::UnexpectedEnd {
                    expected: "the end of a string",
                };
                return Err(Fault { kind, at });
            }
        }
    }
}

/// Reads the escape whose backslash stands at `at`; returns its character and the place after it.
pub(super) fn read_escape(bytes: &[u8], at: usize) -> Result<(char, usize), Fault> {
    let character = match bytes.get(at + 1) {
        Some(b'"') => '"',
        Some(b'\\') => '\\',
        Some(b'/') => '/',
        Some(b'b') => '\u{8}',
        Some(b'f') => '\u{c}',
        Some(b'n') => '\n',
        Some(b'r') => '\r',
        Some(b't') => '\t',
        Some(b'u') => return read_unicode_escape(bytes, at),
        Some(_) => {
            return Err(Fault {
                kind: ParseErrorKind::InvalidEscape,
                at,
            });
        }
        None => return Err(escape_is_cut_off(bytes)),
    };
    Ok((character, at + 2))
}

fn read_unicode_escape(bytes: &[u8], at: usize) -> Result<(char, usize), Fault> {
    let unit = read_code_unit(bytes, at)?;
    if let Some(character) = char::from_u32(u32::from(unit)) {
        return Ok((character, at + 6));
    }
    // A high surrogate is worth something only if the very next thing is the escape of a low one.
    if bytes.get(at + 6..at + 8) == Some(br"\u")
        && let Ok(second) = read_code_unit(bytes, at + 6)
        && let Some(Ok(character)) = char::decode_utf16([unit, second]).next()
    {
        return Ok((character, at + 12));
    }
    Err(Fault {
        kind: ParseErrorKind::LoneSurrogate { unit },
        at,
    })
}

/// Reads the four digits of the `\u` escape whose backslash stands at `at`.
fn read_code_unit(bytes: &[u8], at: usize) -> Result<u16, Fault> {
    let mut unit = 0;
    for place in at + 2..at + 6 {
        let Some(byte) = bytes.get(place) else {
            return Err(escape_is_cut_off(bytes));
        };
        let digit = match byte {
            b'0'..=b'9' => byte - b'0',
            b'a'..=b'f' => byte - b'a' + 10,
            b'A'..=b'F' => byte - b'A' + 10,
            _ => {
                return Err(Fault {
                    kind: ParseErrorKind::InvalidEscape,
                    at,
                });
            }
        };
        unit = unit << 4 | u16::from(digit);
    }
    Ok(unit)
}

fn escape_is_cut_off(bytes: &[u8]) -> Fault {
    let kind = ParseErrorKind::UnexpectedEnd {
        expected: "the rest of an escape",
    };
    Fault {
        kind,
        at: bytes.len(),
    }
}
