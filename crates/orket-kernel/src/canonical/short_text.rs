//! The text of a number, without an allocation.

/// An ASCII text of at most 32 bytes; the longest written here, a negative double with exponent, has 24.
#[derive(Clone, Copy, Default)]
pub(super) struct ShortText {
    bytes: [u8; 32],
    length: usize,
}

const PAIRS: &[u8; 200] = b"\
    0001020304050607080910111213141516171819202122232425262728293031323334353637383940414243444546474849\
    5051525354555657585960616263646566676869707172737475767778798081828384858687888990919293949596979899";

impl ShortText {
    /// Returns the decimal digits of `value`.
    #[inline]
    pub(super) fn of_u64(mut value: u64) -> ShortText {
        // Filled from the end, two digits at a time.
        let mut digits = [0; 20];
        let mut start = digits.len();
        while value >= 100 {
            let pair = (value % 100) as usize * 2;
            value /= 100;
            start -= 2;
            digits[start..start + 2].copy_from_slice(&PAIRS[pair..pair + 2]);
        }
        let pair = value as usize * 2;
        if value >= 10 {
            start -= 1;
            digits[start] = PAIRS[pair + 1];
            start -= 1;
            digits[start] = PAIRS[pair];
        } else {
            start -= 1;
            digits[start] = PAIRS[pair + 1];
        }
        let mut text = ShortText::default();
        text.push(&digits[start..]);
        text
    }

    /// Returns the decimal text of `value`.
    #[inline]
    pub(super) fn of_i64(value: i64) -> ShortText {
        let digits = ShortText::of_u64(value.unsigned_abs());
        if value >= 0 {
            return digits;
        }
        let mut text = ShortText::default();
        text.push(b"-");
        text.push(digits.as_bytes());
        text
    }

    /// Adds ASCII characters; they must fit.
    #[inline]
    pub(super) fn push(&mut self, ascii: &[u8]) {
        let end = self.length + ascii.len();
        self.bytes[self.length..end].copy_from_slice(ascii);
        self.length = end;
    }

    /// Adds zeros; they must fit.
    #[inline]
    pub(super) fn push_zeros(&mut self, count: usize) {
        let end = self.length + count;
        self.bytes[self.length..end].fill(b'0');
        self.length = end;
    }

    #[inline]
    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.length]
    }

    #[inline]
    pub(super) fn as_str(&self) -> &str {
        std::str::from_utf8(self.as_bytes()).unwrap_or_default()
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
                assert_eq!(ShortText::of_u64(value).as_str(), value.to_string());
                assert_eq!(
                    ShortText::of_i64(value as i64).as_str(),
                    (value as i64).to_string()
                );
            }
            value /= 7;
        }
        assert_eq!(ShortText::of_u64(0).as_str(), "0");
    }
}
