//! Finds the double nearest to a decimal, where that is easy to prove.

use super::powers_of_ten;

/// Returns the double nearest to `significand * 10^exponent`, unless it is too near the middle between two.
///
/// For exponents from -22 to 0 only, where no result is subnormal or too large. The product is known to within less
/// than 2 of its first 128 bits, and the double has 53 of them; only if the other 75 lie that close to one half does it
/// take more than a product.
#[inline]
pub(super) fn double(significand: u64, exponent: i32) -> Option<f64> {
    const REST_BITS: u32 = 128 - 53;
    const HALF: u128 = 1 << (REST_BITS - 1);
    if significand == 0 || !(-22..=0).contains(&exponent) {
        return None;
    }
    let zeros = significand.leading_zeros();
    let factor = u128::from(significand << zeros);
    let scale = powers_of_ten::scaled(exponent);
    let low = (scale & u128::from(u64::MAX)) * factor;
    let product = (scale >> 64) * factor + (low >> 64);

    // Both factors have their first bit set, so the product has its first or second.
    let shift = product.leading_zeros();
    let bits = product << shift;
    let rest = bits & ((1 << REST_BITS) - 1);
    if rest.abs_diff(HALF) <= 4 {
        return None;
    }
    // Rounding up 2^53 - 1 gives 2^53, which a double holds as well.
    let mantissa = (bits >> REST_BITS) as u64 + u64::from(rest > HALF);
    // The product is that of the significand and the power, both shifted to the left, without its last 64 bits.
    let power = 64 - zeros as i32 + powers_of_ten::log2_floor(exponent) - 127 - shift as i32
        + REST_BITS as i32;
    let scale = f64::from_bits(((1023 + power) as u64) << 52);
    Some(mantissa as f64 * scale)
}

#[cfg(test)]
mod tests {
    use super::double;

    #[test]
    fn it_agrees_with_the_standard_library() {
        let mut bits: u64 = 1;
        let mut found = 0;
        for round in 0..400_000 {
            bits = bits
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            let significand = (bits ^ bits >> 31) >> (round % 64);
            let exponent = -(round / 64 % 23);
            if let Some(value) = double(significand, exponent) {
                let text = format!("{significand}e{exponent}");
                assert_eq!(text.parse(), Ok(value), "{text}");
                found += 1;
            }
        }
        assert!(found > 300_000, "{found}");
    }

    #[test]
    fn the_middle_between_two_doubles_is_left() {
        // 2^53 + 1, and the same with a point.
        assert_eq!(double(9_007_199_254_740_993, 0), None);
        assert_eq!(double(9_007_199_254_740_993_000, -3), None);
        assert_eq!(double(u64::MAX, 0), Some(2_f64.powi(64)));
        assert_eq!(double(1, -22), Some(1e-22));
        assert_eq!(double(0, -1), None);
        assert_eq!(double(1, 1), None);
    }
}
