//! Numbers: integers of any size and finite doubles.

use std::fmt;

use super::short_text::ShortText;
use super::{Limits, double_writer};

/// A JSON number that has a canonical text; it cannot hold NaN or an infinity.
///
/// An integer keeps all its digits, up to the 4,300 that CPython 3.11 reads. Two numbers are equal exactly if their
/// texts are: `1` and `1.0` differ, and so do `0.0` and `-0.0`.
///
/// ```
/// use orket_kernel::canonical::Number;
///
/// assert_eq!(Number::from_f64(1e16).map(|number| number.to_string()), Some("1e+16".to_owned()));
/// assert_eq!(Number::from_f64(f64::NAN), None);
/// assert_eq!(Number::from(7_u64).as_i64(), Some(7));
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Number(Repr);

/// Each number has one representation only, so that derived equality is equality of the texts.
#[derive(Clone, PartialEq, Eq)]
enum Repr {
    Unsigned(u64),
    /// Below zero.
    Negative(i64),
    /// An integer that fits neither, as its decimal text.
    Big(Box<str>),
    /// The bits of a finite double: `-0.0` is not `0.0`.
    Float(u64),
}

/// What a [`Number`] holds, for those who read it out.
pub(super) enum Content<'a> {
    Unsigned(u64),
    Negative(i64),
    Big(&'a str),
    Float(f64),
}

impl Number {
    /// Returns the double `value` as a number, unless it is NaN or infinite.
    pub fn from_f64(value: f64) -> Option<Number> {
        value
            .is_finite()
            .then(|| Number(Repr::Float(value.to_bits())))
    }

    /// Takes the text of a JSON integer, if it has at most 4,300 digits.
    pub fn from_integer_text(text: &str) -> Option<Number> {
        let digits = text.strip_prefix('-').unwrap_or(text);
        let is_integer = !digits.is_empty()
            && digits.len() <= Limits::INTEGER_DIGITS
            && (digits == "0" || !digits.starts_with('0'))
            && digits.bytes().all(|byte| byte.is_ascii_digit());
        is_integer.then(|| Number::from_checked_integer(text))
    }

    /// Takes a text that is known to follow the grammar of a JSON integer.
    pub(super) fn from_checked_integer(text: &str) -> Number {
        if let Ok(value) = text.parse::<u64>() {
            Number::from(value)
        } else if let Ok(value) = text.parse::<i64>() {
            Number::from(value)
        } else {
            Number(Repr::Big(text.into()))
        }
    }

    /// Returns the number as a `u64` if it is an integer in that range.
    pub fn as_u64(&self) -> Option<u64> {
        match self.0 {
            Repr::Unsigned(value) => Some(value),
            _ => None,
        }
    }

    /// Returns the number as an `i64` if it is an integer in that range.
    pub fn as_i64(&self) -> Option<i64> {
        match self.0 {
            Repr::Unsigned(value) => i64::try_from(value).ok(),
            Repr::Negative(value) => Some(value),
            _ => None,
        }
    }

    /// Returns the double if the number was written with a point or an exponent.
    pub fn as_f64(&self) -> Option<f64> {
        match self.0 {
            Repr::Float(bits) => Some(f64::from_bits(bits)),
            _ => None,
        }
    }

    /// Tells whether the number is an integer: written without a point and without an exponent.
    pub fn is_integer(&self) -> bool {
        !matches!(self.0, Repr::Float(_))
    }

    pub(super) fn content(&self) -> Content<'_> {
        match &self.0 {
            Repr::Unsigned(value) => Content::Unsigned(*value),
            Repr::Negative(value) => Content::Negative(*value),
            Repr::Big(text) => Content::Big(text),
            Repr::Float(bits) => Content::Float(f64::from_bits(*bits)),
        }
    }

    /// Hands the canonical text, which is ASCII, to `take`.
    #[inline]
    pub(super) fn with_text<T>(&self, take: impl FnOnce(&[u8]) -> T) -> T {
        match self.content() {
            Content::Unsigned(value) => take(ShortText::of_u64(value).as_bytes()),
            Content::Negative(value) => take(ShortText::of_i64(value).as_bytes()),
            Content::Big(text) => take(text.as_bytes()),
            Content::Float(value) => take(double_writer::text(value).as_bytes()),
        }
    }
}

impl From<u64> for Number {
    fn from(value: u64) -> Number {
        Number(Repr::Unsigned(value))
    }
}

impl From<i64> for Number {
    fn from(value: i64) -> Number {
        match u64::try_from(value) {
            Ok(value) => Number(Repr::Unsigned(value)),
            Err(_) => Number(Repr::Negative(value)),
        }
    }
}

impl From<u128> for Number {
    fn from(value: u128) -> Number {
        match u64::try_from(value) {
            Ok(value) => Number::from(value),
            Err(_) => Number(Repr::Big(value.to_string().into())),
        }
    }
}

impl From<i128> for Number {
    fn from(value: i128) -> Number {
        Number::from_checked_integer(&value.to_string())
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.with_text(|text| f.write_str(std::str::from_utf8(text).unwrap_or_default()))
    }
}

impl fmt::Debug for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.with_text(|text| f.write_str(std::str::from_utf8(text).unwrap_or_default()))
    }
}
