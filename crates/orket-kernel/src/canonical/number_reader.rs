//! Reads numbers.

use super::reader::Fault;
use super::{Number, ParseErrorKind, digits};

/// Reads the number that begins at `start`; returns it and the place after it.
pub(super) fn read(
    bytes: &[u8],
    start: usize,
    max_integer_digits: usize,
) -> Result<(Number, usize), Fault> {
    let digits_start = start + usize::from(bytes.get(start) == Some(&b'-'));
    let digits_end = digits::end(bytes, digits_start);
    let length = digits_end - digits_start;
    if length == 0 {
        return Err(digit_is_missing(
            bytes,
            digits_end,
            "has no digit after its sign",
        ));
    }
    if length > 1 && bytes[digits_start] == b'0' {
        let kind = ParseErrorKind::InvalidNumber {
            reason: "begins with a zero it does not need",
        };
        return Err(Fault {
            kind,
            at: digits_start,
        });
    }
    if let Some(b'.' | b'e' | b'E') = bytes.get(digits_end) {
        return read_double(bytes, start, digits_end);
    }
    if length > max_integer_digits {
        return Err(Fault {
            kind: ParseErrorKind::IntegerTooLong { digits: length },
            at: start,
        });
    }
    Ok((
        Number::from_checked_integer(ascii(&bytes[start..digits_end])),
        digits_end,
    ))
}

/// Reads the double that begins at `start` and whose integer part ends at `at`.
fn read_double(bytes: &[u8], start: usize, mut at: usize) -> Result<(Number, usize), Fault> {
    if bytes.get(at) == Some(&b'.') {
        let end = digits::end(bytes, at + 1);
        if end == at + 1 {
            return Err(digit_is_missing(bytes, end, "has no digit after its point"));
        }
        at = end;
    }
    if let Some(b'e' | b'E') = bytes.get(at) {
        let sign = usize::from(matches!(bytes.get(at + 1), Some(b'+' | b'-')));
        let end = digits::end(bytes, at + 1 + sign);
        if end == at + 1 + sign {
            return Err(digit_is_missing(bytes, end, "has no digit in its exponent"));
        }
        at = end;
    }
    let number = parse_double(ascii(&bytes[start..at])).and_then(Number::from_f64);
    let overflow = Fault {
        kind: ParseErrorKind::NumberOverflow,
        at: start,
    };
    Ok((number.ok_or(overflow)?, at))
}

/// The length up to which the standard library reads an exponent exactly; it stops counting at 65,536.
const EXACT_LENGTH_BYTES: usize = 10_000;

/// Rounds the text of a double correctly; what is too large becomes an infinity.
fn parse_double(text: &str) -> Option<f64> {
    if text.len() <= EXACT_LENGTH_BYTES {
        return text.parse().ok();
    }
    // A long exponent can undo a long row of digits, so both are brought together: 0.digits * 10^exponent.
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let (sign, mantissa) = match mantissa.strip_prefix('-') {
        Some(rest) => ("-", rest),
        None => ("", mantissa),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{whole}{fraction}");
    let significant = digits.trim_start_matches('0');
    if significant.is_empty() {
        return format!("{sign}0.0").parse().ok();
    }
    let leading_zeros = digits.len() - significant.len();
    let point = whole.len() as i64 - leading_zeros as i64;
    let exponent = parse_exponent(exponent)
        .saturating_add(point)
        .clamp(-9_999, 9_999);
    format!("{sign}0.{significant}e{exponent}").parse().ok()
}

/// Reads an exponent; one that is too long for an integer ends at the largest.
fn parse_exponent(text: &str) -> i64 {
    let bound = if text.starts_with('-') {
        i64::MIN
    } else {
        i64::MAX
    };
    text.parse().unwrap_or(bound)
}

/// Takes what is known to be digits, signs, points and exponents as text.
fn ascii(number: &[u8]) -> &str {
    std::str::from_utf8(number).unwrap_or_default()
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
