//! Looks at rows of decimal digits, eight at a time.

const ONES: u64 = 0x0101_0101_0101_0101;

/// Returns the place of the first byte from `start` on that is no digit.
#[inline]
pub(super) fn end(bytes: &[u8], start: usize) -> usize {
    let mut at = start;
    while let Some(word) = bytes.get(at..).and_then(<[u8]>::first_chunk::<8>) {
        // A digit becomes a number up to 9; what is more than that reaches the high bit, or has it already. A carry can
        // reach only later bytes, so the first byte that is marked is rightly marked.
        let values = u64::from_le_bytes(*word) ^ (ONES * u64::from(b'0'));
        let marks = (values.wrapping_add(ONES * (0x80 - 10)) | values) & (ONES << 7);
        if marks != 0 {
            return at + (marks.trailing_zeros() / 8) as usize;
        }
        at += 8;
    }
    while bytes.get(at).is_some_and(u8::is_ascii_digit) {
        at += 1;
    }
    at
}

/// Appends `digits`, which must be nothing else, to the decimal `number`; the result must fit.
#[inline]
pub(super) fn append(number: u64, digits: &[u8]) -> u64 {
    let (words, rest) = digits.as_chunks::<8>();
    let number = words.iter().fold(number, |number, word| {
        // Neighbours are joined: first digits to pairs, then those to fours, then those to eight.
        let values = u64::from_le_bytes(*word) & (ONES * 0x0f);
        let pairs = (values.wrapping_mul(10) + (values >> 8)) & 0x00ff_00ff_00ff_00ff;
        let fours = (pairs.wrapping_mul(100) + (pairs >> 16)) & 0x0000_ffff_0000_ffff;
        let eight = (fours.wrapping_mul(10_000) + (fours >> 32)) & 0xffff_ffff;
        number.wrapping_mul(100_000_000).wrapping_add(eight)
    });
    rest.iter().fold(number, |number, digit| {
        number
            .wrapping_mul(10)
            .wrapping_add(u64::from(digit.wrapping_sub(b'0')))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_after_every_digit_ends_the_row() {
        for byte in (0..=255_u8).filter(|byte| !byte.is_ascii_digit()) {
            for digit in b'0'..=b'9' {
                for length in 0..20 {
                    let mut bytes = vec![digit; length];
                    assert_eq!(end(&bytes, 0), length);
                    bytes.extend([byte, digit, byte, 0xff, 0, b'/', b':', digit, byte]);
                    assert_eq!(end(&bytes, 0), length, "{byte:#x} after {length}");
                }
            }
        }
        assert_eq!(end(b"12", 2), 2);
    }

    #[test]
    fn rows_of_every_length_are_read() {
        let digits = "9876543210123456789";
        for start in 0..digits.len() {
            for end in start..digits.len() {
                let row = &digits[start..end];
                let expected = format!("7{row}").parse::<u64>().unwrap();
                assert_eq!(append(7, row.as_bytes()), expected);
            }
        }
    }
}
