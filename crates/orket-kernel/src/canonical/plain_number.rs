//! Recognises numbers whose text is canonical as it stands.

use super::shortest::Decimal;
use super::{digits, nearest};

/// Any decimal of so many digits comes back from a double unchanged (`DBL_DIG` of C).
const EXACT_DIGITS: usize = f64::DIGITS as usize;

/// Returns where the number that begins at `start` ends, if its text is known to be canonical.
///
/// An integer is, but for `-0`. So is a decimal without exponent if
/// - it has at most 15 digits from the first that is not zero, since no other decimal that short is read as the same
///   double; or else its double is found to be written with these digits; and
/// - no zero at its end could be left out, and
/// - it is neither below 0.0001 nor above 1e16, where Python writes an exponent.
///
/// All else, the faulty included, must be read and written.
#[inline]
pub(super) fn end(bytes: &[u8], start: usize, max_integer_digits: usize) -> Option<usize> {
    let is_negative = bytes.get(start) == Some(&b'-');
    let whole_start = start + usize::from(is_negative);
    let whole_end = digits::end(bytes, whole_start);
    let whole_digits = whole_end - whole_start;
    let begins_with_zero = *bytes.get(whole_start)? == b'0';
    if whole_digits == 0 || (begins_with_zero && whole_digits > 1) {
        return None;
    }
    match bytes.get(whole_end) {
        Some(b'.') => {}
        Some(b'e' | b'E') => return None,
        _ => {
            let is_minus_zero = is_negative && begins_with_zero;
            return (whole_digits <= max_integer_digits && !is_minus_zero).then_some(whole_end);
        }
    }
    let fraction_start = whole_end + 1;
    let end = digits::end(bytes, fraction_start);
    if let Some(b'e' | b'E') = bytes.get(end) {
        return None;
    }
    let (whole, fraction) = (&bytes[whole_start..whole_end], &bytes[fraction_start..end]);
    let zeros = match whole {
        b"0" => fraction.iter().take_while(|digit| **digit == b'0').count(),
        _ => 0,
    };
    let significant = match whole {
        b"0" => fraction.len() - zeros,
        _ => whole.len() + fraction.len(),
    };
    let is_shortest = match fraction {
        [] => false,
        [b'0'] => whole.len() <= EXACT_DIGITS,
        [.., b'0'] => false,
        _ if zeros > 3 || whole.len() > 16 => false,
        _ => significant <= EXACT_DIGITS || (significant <= 18 && is_shortest(whole, fraction)),
    };
    is_shortest.then_some(end)
}

/// Tells whether a decimal of at most 18 digits is the shortest that reads back to its double.
#[inline(never)]
fn is_shortest(whole: &[u8], fraction: &[u8]) -> bool {
    let significand = digits::append(digits::append(0, whole), fraction);
    let exponent = -(fraction.len() as i32);
    let own = Decimal {
        significand,
        exponent,
    };
    nearest::double(significand, exponent).is_some_and(|value| Decimal::shortest(value) == own)
}

#[cfg(test)]
mod tests {
    use super::super::number_reader;
    use super::end;

    /// Tells whether `text` is taken as it stands, after checking that this would be right.
    fn is_taken(text: &str) -> bool {
        let Some(end) = end(text.as_bytes(), 0, 4_300) else {
            return false;
        };
        assert_eq!(end, text.len(), "{text}");
        let (number, _) = number_reader::read(text.as_bytes(), 0, 4_300).unwrap();
        assert_eq!(number.to_string(), text);
        true
    }

    #[test]
    fn canonical_numbers_are_taken() {
        for text in [
            "0",
            "-1",
            "1234567890123456789012345",
            "0.0",
            "-0.0",
            "1.0",
            "-1.5",
            "0.001",
            "0.000123456789012345",
            "123456789012345.0",
            "12345678901234.5",
            "0.1",
            "999999999999.999",
            "0.1234567890123456",
            "0.8444218515250481",
            "0.30000000000000004",
        ] {
            assert!(is_taken(text), "{text}");
        }
    }

    #[test]
    fn all_else_is_left() {
        for text in [
            "-0",
            "-",
            "01",
            "00.1",
            "-01.5",
            "1.",
            ".5",
            "1.50",
            "0.00",
            "1e5",
            "1.5e5",
            "0.00001",
            "0.12345678901234567890",
            "0.3000000000000000444",
            "0.30000000000000001",
            "1234567890123456.0",
            "",
            "a",
        ] {
            assert!(!is_taken(text), "{text}");
        }
        assert_eq!(end(b"1234", 0, 3), None);
    }

    #[test]
    fn what_is_taken_is_what_would_be_written() {
        let mut digits: u64 = 1;
        for round in 0..200_000_u64 {
            digits = digits
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(round);
            let text = (digits >> 13).to_string();
            let (whole, fraction) = text.split_at(round as usize % text.len());
            let whole = if whole.is_empty() { "0" } else { whole };
            is_taken(&format!("{whole}.{fraction}"));
            let double = f64::from_bits(digits >> 12 | (1023 - 10 + round % 60) << 52);
            let written = format!("{double:?}");
            let _ = written.contains('e') || is_taken(&written);
            is_taken(&format!("-{whole}.{}", fraction.get(..3).unwrap_or("5")));
            is_taken(&format!(
                "0.{:0>width$}",
                &text[..5],
                width = 5 + round as usize % 6
            ));
        }
    }
}
