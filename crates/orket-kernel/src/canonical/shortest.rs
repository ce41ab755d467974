//! Finds the shortest decimal that reads back to a double.

use super::powers_of_ten;

/// The number `significand * 10^exponent`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Decimal {
    pub(super) significand: u64,
    pub(super) exponent: i32,
}

impl Decimal {
    /// Returns the decimal of fewest digits that reads back to `value`, and of those the nearest one.
    ///
    /// Of two that are equally near it is the even one, as in Python; the standard library takes the upper one:
    /// 1424059817118515.25 is 1424059817118515.2 here and in Python. Expects a finite value; its sign does not count.
    ///
    /// The method is Schubfach, by Raffaello Giulietti: among the decimals one step apart, where a step is the largest
    /// power of ten below the width of what reads back to the value, there are at most three candidates.
    pub(super) fn shortest(value: f64) -> Decimal {
        let bits = value.to_bits() & (u64::MAX >> 1);
        let (biased, fraction) = ((bits >> 52) as i32, bits & ((1 << 52) - 1));
        let (mantissa, power) = match biased {
            0 => (fraction, -1074),
            _ => (fraction | 1 << 52, biased - 1075),
        };
        if mantissa == 0 {
            return Decimal {
                significand: 0,
                exponent: 0,
            };
        }
        if (-52..=0).contains(&power) && mantissa.trailing_zeros() >= power.unsigned_abs() {
            return Decimal {
                significand: mantissa >> -power,
                exponent: 0,
            }
            .without_zeros();
        }
        // Below a power of two the doubles lie closer together.
        let is_lower_closer = fraction == 0 && biased > 1;
        search(mantissa, power, is_lower_closer).without_zeros()
    }

    fn without_zeros(mut self) -> Decimal {
        while self.significand.is_multiple_of(100) {
            self.significand /= 100;
            self.exponent += 2;
        }
        if self.significand.is_multiple_of(10) {
            self.significand /= 10;
            self.exponent += 1;
        }
        self
    }
}

/// Returns the decimal nearest to `mantissa * 2^power` of those that read back to it, with one digit less if possible.
fn search(mantissa: u64, power: i32, is_lower_closer: bool) -> Decimal {
    // ⌊log10(width)⌋, where the width is 2^power or, at a power of two, three quarters of that.
    let exponent = (power * 1_262_611 - if is_lower_closer { 524_031 } else { 0 }) >> 22;
    let shift = power + powers_of_ten::log2_floor(-exponent) + 1;
    let scale = powers_of_ten::scaled(-exponent);

    // Four times the value and its borders, so that halves are whole.
    let scaled = |quarters: u64| multiply(scale, quarters << shift);
    let value = scaled(4 * mantissa);
    let lower = scaled(4 * mantissa - 2 + u64::from(is_lower_closer));
    let upper = scaled(4 * mantissa + 2);
    // A border is read as the even one of its neighbours.
    let is_odd = mantissa & 1;
    let (lower, upper) = (lower + is_odd, upper - is_odd);

    let floor = value / 4;
    if floor >= 10 {
        let tens = floor / 10;
        let is_floor_inside = lower <= 40 * tens;
        let is_ceiling_inside = 40 * tens + 40 <= upper;
        if is_floor_inside != is_ceiling_inside {
            return Decimal {
                significand: tens + u64::from(is_ceiling_inside),
                exponent: exponent + 1,
            };
        }
    }
    let is_floor_inside = lower <= 4 * floor;
    let is_ceiling_inside = 4 * floor + 4 <= upper;
    let rounds_up = if is_floor_inside != is_ceiling_inside {
        is_ceiling_inside
    } else {
        let middle = 4 * floor + 2;
        value > middle || (value == middle && floor & 1 == 1)
    };
    Decimal {
        significand: floor + u64::from(rounds_up),
        exponent,
    }
}

/// Returns `scale * factor / 2^128`, where the last bit tells whether anything is cut off after the bits before it.
#[inline]
fn multiply(scale: u128, factor: u64) -> u64 {
    let (high, low) = ((scale >> 64) as u64, scale as u64);
    let low = (u128::from(low) * u128::from(factor)) >> 64;
    let product = u128::from(high) * u128::from(factor) + low;
    (product >> 64) as u64 | u64::from(product as u64 > 1)
}

#[cfg(test)]
mod tests {
    use super::Decimal;

    /// Checks what `value` comes to against the standard library, which differs only between two equally near.
    fn check(value: f64) {
        let found = Decimal::shortest(value);
        let text = format!("{}e{}", found.significand, found.exponent);
        assert_eq!(text.parse(), Ok(value), "{text}");
        let standard = format!("{value:e}");
        let (mantissa, exponent) = standard.split_once('e').unwrap();
        let digits: u64 = mantissa.replace('.', "").parse().unwrap();
        let decimals = mantissa.len().saturating_sub(2) as i32;
        let exponent = exponent.parse::<i32>().unwrap() - decimals;
        if value != 0.0 {
            assert_eq!(found.exponent, exponent, "{value:e}");
            assert!(
                found.significand == digits || (found.significand + 1 == digits && digits % 2 == 1),
                "{value:e}: {found:?}"
            );
        }
    }

    #[test]
    fn every_power_of_two_and_its_neighbours() {
        for power in -1074..1024 {
            let value = 2_f64.powi(power / 2) * 2_f64.powi(power - power / 2);
            for value in [value, value.next_up(), value.next_down()] {
                check(value);
            }
        }
        check(f64::MAX);
        check(0.0);
    }

    #[test]
    fn powers_of_ten_and_their_neighbours() {
        for exponent in -323..309 {
            let value: f64 = format!("1e{exponent}").parse().unwrap();
            for value in [value, value.next_up(), value.next_down(), value * 3.0] {
                if value.is_finite() {
                    check(value);
                }
            }
        }
    }

    #[test]
    fn doubles_of_all_sizes() {
        let mut bits: u64 = 1;
        for _ in 0..200_000 {
            bits = bits
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            let value = f64::from_bits(bits ^ bits >> 29).abs();
            if value.is_finite() {
                check(value);
            }
            check((bits >> 11) as f64 / (1_u64 << 53) as f64);
            check((bits >> 40) as f64 / 1000.0);
            check((bits >> 12) as f64 / 4.0);
        }
    }
}
