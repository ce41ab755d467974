//! Reads numbers.

use super::reader::Fault;
use super::{Number, ParseErrorKind};

/// Reads the number that begins at `start`; returns it and the place after it.
pub(super) fn read(
    text: &str,
    start: usize,
    max_integer_digits: usize,
) -> Result<(Number, usize), Fault> {
    let bytes = text.as_bytes();
    let digits_start = start + usize::from(bytes.get(start) == Some(&b'-'));
    let digits_end = skip_digits(bytes, digits_start);
    let digits = digits_end - digits_start;
    if digits == 0 {
        return Err(digit_is_missing(
            bytes,
            digits_end,
            "has no digit after its sign",
        ));
    }
    if digits > 1 && bytes[digits_start] == b'0' {
        let kind = ParseErrorKind::InvalidNumber {
            reason: "begins with a zero it does not need",
        };
        return Err(Fault {
            kind,
            at: digits_start,
        });
    }
    if let Some(b'.' | b'e' | b'E') = bytes.get(digits_end) {
        return read_double(text, start, digits_end);
    }
    if digits > max_integer_digits {
        return Err(Fault {
            kind: ParseErrorKind::IntegerTooLong { digits },
            at: start,
        });
    }
    Ok((
        Number::from_checked_integer(&text[start..digits_end]),
        digits_end,
    ))
}

/// Reads the double that begins at `start` and whose integer part ends at `at`.
fn read_double(text: &str, start: usize, mut at: usize) -> Result<(Number, usize), Fault> {
    let bytes = text.as_bytes();
    if bytes.get(at) == Some(&b'.') {
        let end = skip_digits(bytes, at + 1);
        if end == at + 1 {
            return Err(digit_is_missing(bytes, end, "has no digit after its point"));
        }
        at = end;
    }
    if let Some(b'e' | b'E') = bytes.get(at) {
        let sign = usize::from(matches!(bytes.get(at + 1), Some(b'+' | b'-')));
        let end = skip_digits(bytes, at + 1 + sign);
        if end == at + 1 + sign {
            return Err(digit_is_missing(bytes, end, "has no digit in its exponent"));
        }
        at = end;
    }
    let number = text[start..at].parse().ok().and_then(Number::from_f64);
    let overflow = Fault {
        kind: ParseErrorKind::NumberOverflow,
        at: start,
    };
    Ok((number.ok_or(overflow)?, at))
}

fn skip_digits(bytes: &[u8], start: usize) -> usize {
    start
        + bytes[start..]
            .iter()
            .take_while(|byte| byte.is_ascii_digit())
            .count()
}

fn digit_is_missing(bytes: &[u8], at: usize, reason: &'static str) -> Fault {
    let kind = if at < bytes.len() {
        ParseErrorKind::InvalidNumber { reason }
    } else {
        ParseErrorKind::UnexpectedEnd {
            expected: "a digit",
        }
    };
    Fault { kind, at }
}
