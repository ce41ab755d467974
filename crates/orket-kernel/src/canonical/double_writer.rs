//! Writes a double as CPython's `repr` does.

use std::fmt::{self, Write};

/// Writes a finite double: its shortest digits, laid out as Python lays them out.
pub(super) fn write(value: f64, out: &mut impl Write) -> fmt::Result {
    let sign = if value.is_sign_negative() { "-" } else { "" };
    let shortest = Decimal::shortest(value.abs())?;
    let mut digits = ShortText::default();
    write!(digits, "{}", shortest.significand)?;
    let digits = digits.as_str();

    let point = digits.len() as i32 + shortest.exponent;
    match point {
        // 12300.0 and 12.3
        1..=16 => match digits.split_at_checked(point as usize) {
            Some((whole, fraction)) if !fraction.is_empty() => {
                write!(out, "{sign}{whole}.{fraction}")
            }
            _ => write!(out, "{sign}{digits:0<width$}.0", width = point as usize),
        },
        // 0.00123
        -3..=0 => write!(
            out,
            "{sign}0.{digits:0>width$}",
            width = digits.len() + point.unsigned_abs() as usize
        ),
        // 1.23e-05 and 1e+16
        _ => {
            let (first, rest) = digits.split_at(1);
            let point_text = if rest.is_empty() { "" } else { "." };
            write!(out, "{sign}{first}{point_text}{rest}e{:+03}", point - 1)
        }
    }
}

/// The number `significand * 10^exponent`.
#[derive(Clone, Copy)]
struct Decimal {
    significand: u64,
    exponent: i32,
}

impl Decimal {
    /// Returns the decimal of fewest digits that reads back to `value`, and of those the nearest one.
    ///
    /// The standard library finds it, but where two are equally near it takes the upper one, and Python the even one:
    /// 1424059817118515.25 prints as 1424059817118515.2 there.
    fn shortest(value: f64) -> Result<Decimal, fmt::Error> {
        let mut text = ShortText::default();
        write!(text, "{value:e}")?;
        let (mantissa, exponent) = text.as_str().split_once('e').ok_or(fmt::Error)?;
        let exponent: i32 = exponent.parse().map_err(|_| fmt::Error)?;
        let digit_values = mantissa
            .bytes()
            .filter(u8::is_ascii_digit)
            .map(|byte| byte - b'0');
        let significand = digit_values.fold(0, |sum, digit| sum * 10 + u64::from(digit));
        let decimals = mantissa.len().saturating_sub(2) as i32;

        let upper = Decimal {
            significand,
            exponent: exponent - decimals,
        };
        if !upper.is_odd() || !upper.is_half_a_step_above(value) {
            return Ok(upper);
        }
        let lower = Decimal {
            significand: significand - 1,
            ..upper
        };
        Ok(if lower.reads_back_to(value)? {
            lower
        } else {
            upper
        })
    }

    fn is_odd(self) -> bool {
        self.significand % 2 == 1
    }

    /// Tells whether `value` lies exactly in the middle between this decimal and the next lower one of its length.
    ///
    /// That is: `value = (2 * significand - 1) * 5^exponent * 2^(exponent - 1)`, where the first factor is odd. With
    /// `value = odd * 2^power`, the powers of two must be equal, and so must the odd parts.
    fn is_half_a_step_above(self, value: f64) -> bool {
        let bits = value.to_bits();
        let biased = (bits >> 52) as i32;
        let fraction = bits & ((1 << 52) - 1);
        let (mantissa, power) = match biased {
            0 => (fraction, -1074),
            _ => (fraction | 1 << 52, biased - 1075),
        };
        let zeros = mantissa.trailing_zeros();
        if power + zeros as i32 != self.exponent - 1 {
            return false;
        }
        let odd = u128::from(mantissa >> zeros);
        let middle = u128::from(2 * self.significand - 1);
        // A power of five beyond 128 bits cannot divide a number of 64.
        match 5_u128.checked_pow(self.exponent.unsigned_abs()) {
            Some(fives) if self.exponent >= 0 => middle.checked_mul(fives) == Some(odd),
            Some(fives) => odd.checked_mul(fives) == Some(middle),
            None => false,
        }
    }

    fn reads_back_to(self, value: f64) -> Result<bool, fmt::Error> {
        let mut text = ShortText::default();
        write!(text, "{}e{}", self.significand, self.exponent)?;
        Ok(text.as_str().parse() == Ok(value))
    }
}

/// A text of at most 32 bytes, which needs no allocation; the longest written here has 24.
#[derive(Default)]
struct ShortText {
    bytes: [u8; 32],
    length: usize,
}

impl ShortText {
    fn as_str(&self) -> &str {
        std::str::from_utf8(&self.bytes[..self.length]).unwrap_or_default()
    }
}

impl Write for ShortText {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let end = self.length + text.len();
        let place = self.bytes.get_mut(self.length..end).ok_or(fmt::Error)?;
        place.copy_from_slice(text.as_bytes());
        self.length = end;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    fn text(value: f64) -> String {
        let mut text = String::new();
        super::write(value, &mut text).unwrap();
        text
    }

    #[test]
    fn of_two_equally_near_decimals_the_even_one_is_taken() {
        // Printed by CPython 3.11.
        assert_eq!(
            text("1424059817118515.25".parse().unwrap()),
            "1424059817118515.2"
        );
        assert_eq!(
            text("1424059817118515.75".parse().unwrap()),
            "1424059817118515.8"
        );
        assert_eq!(
            text("-795538454923977.25".parse().unwrap()),
            "-795538454923977.2"
        );
        assert_eq!(text(2_f64.powi(-44)), "5.684341886080802e-14");
        assert_eq!(text(2_f64.powi(-24)), "5.960464477539063e-08");
        assert_eq!(text(2_f64.powi(89)), "6.189700196426902e+26");
    }

    #[test]
    fn every_power_of_two_and_its_neighbours_read_back() {
        for power in -1074..1024 {
            let value = 2_f64.powi(power / 2) * 2_f64.powi(power - power / 2);
            for value in [value, value.next_up(), value.next_down()] {
                assert_eq!(text(value).parse(), Ok(value));
            }
        }
    }
}
