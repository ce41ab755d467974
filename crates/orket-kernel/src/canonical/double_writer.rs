//! Writes a double as CPython's `repr` does.

use super::short_text::{Digits, ShortText};
use super::shortest::Decimal;

/// Returns the text of a finite double: its shortest digits, laid out as Python lays them out.
pub(super) fn text(value: f64) -> ShortText {
    let shortest = Decimal::shortest(value);
    let digits = Digits::of(shortest.significand);
    let mut text = ShortText::new(value.is_sign_negative());
    // How many digits stand before the point.
    let point = match shortest.significand {
        0 => 1,
        _ => digits.length as i32 + shortest.exponent,
    };
    match point {
        1..=16 => {
            let whole = point as usize;
            text.push_digits(&digits, 0, whole);
            text.push(b'.');
            text.push_digits(&digits, whole, digits.length.saturating_sub(whole).max(1));
        }
        -3..=0 => {
            text.push(b'0');
            text.push(b'.');
            for _ in point..0 {
                text.push(b'0');
            }
            text.push_digits(&digits, 0, digits.length);
        }
        _ => {
            text.push_digits(&digits, 0, 1);
            if digits.length > 1 {
                text.push(b'.');
                text.push_digits(&digits, 1, digits.length - 1);
            }
            push_exponent(&mut text, point - 1);
        }
    }
    text
}

/// e-05 and e+16: an exponent has a sign and at least two digits.
fn push_exponent(text: &mut ShortText, exponent: i32) {
    text.push(b'e');
    text.push(if exponent < 0 { b'-' } else { b'+' });
    if exponent.unsigned_abs() < 10 {
        text.push(b'0');
    }
    let digits = Digits::of(exponent.unsigned_abs().into());
    text.push_digits(&digits, 0, digits.length);
}

#[cfg(test)]
mod tests {
    fn text(value: f64) -> String {
        String::from_utf8(super::text(value).as_bytes().to_vec()).unwrap()
    }

    #[test]
    fn the_layout_changes_where_python_changes_it() {
        for expected in [
            "0.0",
            "-0.0",
            "1.0",
            "-1.5",
            "1234.5",
            "9999999999999998.0",
            "1e+16",
            "1.5e+16",
            "0.0001",
            "0.00012",
            "1e-05",
            "1.2e-05",
            "5e-324",
            "1.7976931348623157e+308",
            "-2.2250738585072014e-308",
        ] {
            assert_eq!(text(expected.parse().unwrap()), expected);
        }
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
