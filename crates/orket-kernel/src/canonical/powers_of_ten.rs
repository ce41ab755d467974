//! Powers of ten as 128-bit numbers, computed while compiling.

/// The smallest exponent that a double asks for.
const MIN: i32 = -292;
/// The largest one.
const MAX: i32 = 324;

/// Returns `10^exponent / 2^(⌊log2(10^exponent)⌋ - 127)`, rounded up: 128 bits of which the first is set.
#[inline]
pub(super) fn scaled(exponent: i32) -> u128 {
    POWERS[(exponent - MIN) as usize]
}

/// Returns `⌊log2(10^exponent)⌋`; right for every exponent in the table.
#[inline]
pub(super) const fn log2_floor(exponent: i32) -> i32 {
    (exponent * 1_741_647) >> 19
}

static POWERS: [u128; (MAX - MIN + 1) as usize] = computed();

/// A number of 1,344 bits, the least significant 64 first; holds `10^324` and, for the negative exponents, `2^1343`.
type Wide = [u64; 21];

const fn computed() -> [u128; (MAX - MIN + 1) as usize] {
    let mut powers = [0; (MAX - MIN + 1) as usize];
    let mut wide: Wide = [0; 21];
    wide[0] = 1;
    let mut exponent = 0;
    while exponent <= MAX {
        powers[(exponent - MIN) as usize] = leading_bits(&wide, false);
        wide = times_ten(wide);
        exponent += 1;
    }
    // Rounding down at each step leaves what rounding down once at the end would leave.
    let mut wide: Wide = [0; 21];
    wide[20] = 1 << 63;
    let mut exponent = -1;
    while exponent >= MIN {
        wide = by_ten(wide);
        powers[(exponent - MIN) as usize] = leading_bits(&wide, true);
        exponent -= 1;
    }
    powers
}

const fn times_ten(mut wide: Wide) -> Wide {
    let mut carry = 0;
    let mut place = 0;
    while place < wide.len() {
        let product = wide[place] as u128 * 10 + carry;
        wide[place] = product as u64;
        carry = product >> 64;
        place += 1;
    }
    wide
}

const fn by_ten(mut wide: Wide) -> Wide {
    let mut rest = 0;
    let mut place = wide.len();
    while place > 0 {
        place -= 1;
        let dividend = rest << 64 | wide[place] as u128;
        wide[place] = (dividend / 10) as u64;
        rest = dividend % 10;
    }
    wide
}

/// Returns the first 128 bits from the first that is set, plus one if any bit after them is, or more `is_cut_off`.
const fn leading_bits(wide: &Wide, is_cut_off: bool) -> u128 {
    let mut first = wide.len() - 1;
    while wide[first] == 0 {
        first -= 1;
    }
    let shift = wide[first].leading_zeros();
    let high = wide[first] as u128;
    let (mut middle, mut low) = (0, 0);
    let mut is_exact = !is_cut_off;
    if first >= 1 {
        middle = wide[first - 1] as u128;
    }
    if first >= 2 {
        low = wide[first - 2] as u128;
        is_exact = is_exact && low << shift & (u64::MAX as u128) == 0;
    }
    let mut place = 2;
    while place < first {
        place += 1;
        is_exact = is_exact && wide[first - place] == 0;
    }
    let bits = (high << 64 | middle) << shift | (low << shift) >> 64;
    if is_exact { bits } else { bits + 1 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_powers() {
        assert_eq!(scaled(0), 1 << 127);
        assert_eq!(scaled(1), 10 << 124);
        assert_eq!(scaled(-1), 0xcccc_cccc_cccc_cccc_cccc_cccc_cccc_cccd);
        assert_eq!(scaled(55), 0xd0cf_4b50_cfe2_0765_fff4_b4e3_f741_cf6d);
        assert_eq!(scaled(-292), 0xff77_b1fc_bebc_dc4f_25e8_e89c_13bb_0f7b);
    }

    #[test]
    fn neighbours_differ_by_a_factor_of_ten() {
        for exponent in MIN..MAX {
            let (this, next) = (scaled(exponent), scaled(exponent + 1));
            let steps = log2_floor(exponent + 1) - log2_floor(exponent);
            // `this * 10 >> steps` in 128 bits, from its halves.
            let high = (this >> 64) * 10;
            let low = (this & u128::from(u64::MAX)) * 10;
            let product = ((high + (low >> 64)) >> steps << 64)
                | (((high + (low >> 64)) & ((1 << steps) - 1)) << (64 - steps))
                | ((low & u128::from(u64::MAX)) >> steps);
            assert!(product.abs_diff(next) <= 2, "{exponent}");
            assert!(this >> 127 == 1, "{exponent}");
        }
    }
}
