//! The text of a number, without an allocation.

/// An ASCII text of a number; the longest, a negative double with exponent, has 24 bytes.
#[derive(Clone, Copy)]
pub(super) struct ShortText {
    /// So long that whole [`Digits`] fit behind everything that comes before digits.
    bytes: [u8; 64],
    length: usize,
}

/// The decimal digits of a number, followed by zeros.
pub(super) struct Digits {
    /// Always copied in pieces of a fixed length, which needs no call.
    bytes: [u8; 2 * Digits::PIECE_BYTES],
    pub(super) length: usize,
}

const PAIRS: &[u8; 200] = b"\
    0001020304050607080910111213141516171819202122232425262728293031323334353637383940414243444546474849\
    5051525354555657585960616263646566676869707172737475767778798081828384858687888990919293949596979899";

impl Digits {
    const PIECE_BYTES: usize = 24;

    #[inline]
    pub(super) fn of(mut value: u64) -> Digits {
        let mut bytes = [b'0'; 2 * Digits::PIECE_BYTES];
        let length = 1 + value.checked_ilog10().unwrap_or(0) as usize;
        let mut end = length;
        while value >= 10 {
            let pair = (value % 100) as usize * 2;
            value /= 100;
            bytes[end - 2] = PAIRS[pair];
            bytes[end - 1] = PAIRS[pair + 1];
            end -= 2;
        }
        if end > 0 {
            bytes[0] = b'0' + value as u8;
        }
        Digits { bytes, length }
    }
}

impl ShortText {
    #[inline]
    pub(super) fn new(is_negative: bool) -> ShortText {
        ShortText {
            bytes: [b'-'; 64],
            length: usize::from(is_negative),
        }
    }

    /// Returns the decimal text of `value`.
    #[inline]
    pub(super) fn of_u64(value: u64) -> ShortText {
        let digits = Digits::of(value);
        let mut text = ShortText::new(false);
        text.push_digits(&digits, 0, digits.length);
        text
    }

    /// Returns the decimal text of `value`.
    #[inline]
    pub(super) fn of_i64(value: i64) -> ShortText {
        let digits = Digits::of(value.unsigned_abs());
        let mut text = ShortText::new(value < 0);
        text.push_digits(&digits, 0, digits.length);
        text
    }

    /// Adds an ASCII character; it must fit.
    #[inline]
    pub(super) fn push(&mut self, character: u8) {
        self.bytes[self.length] = character;
        self.length += 1;
    }

    /// Adds `count` digits from the one at `start`, and zeros where there are no more; there must be at most 24.
    #[inline]
    pub(super) fn push_digits(&mut self, digits: &Digits, start: usize, count: usize) {
        let piece = &digits.bytes[start..start + Digits::PIECE_BYTES];
        self.bytes[self.length..self.length + Digits::PIECE_BYTES].copy_from_slice(piece);
        self.length += count;
    }

    #[inline]
    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.length]
    }
}

#[cfg(test)]
mod tests {
    use super::ShortText;

    #[test]
    fn integers_of_every_length() {
        let mut value = u64::MAX;
        while value > 0 {
            for value in [value, value - 1] {
                assert_eq!(
                    ShortText::of_u64(value).as_bytes(),
                    value.to_string().as_bytes()
                );
                let signed = value as i64;
                assert_eq!(
                    ShortText::of_i64(signed).as_bytes(),
                    signed.to_string().as_bytes()
                );
            }
            value = value / 10 * 9;
        }
        for value in 0..2_000 {
            assert_eq!(
                ShortText::of_u64(value).as_bytes(),
                value.to_string().as_bytes()
            );
        }
    }
}
