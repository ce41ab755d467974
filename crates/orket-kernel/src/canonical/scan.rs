//! Finds the characters of a string that cannot be taken as they are.

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGH_BITS: u64 = 0x8080_8080_8080_8080;

/// Counts the leading bytes that are neither `"` nor `\` nor below 0x20: those mean the same raw and in a string.
///
/// Eight bytes are looked at together: subtracting 1 from a zero byte, or 0x20 from a smaller one, borrows into its
/// high bit. A borrow can reach only later bytes, so the first byte that is marked is rightly marked.
#[inline]
pub(super) fn plain_length(bytes: &[u8]) -> usize {
    let mut length = 0;
    let (words, _) = bytes.as_chunks::<8>();
    for word in words {
        let word = u64::from_le_bytes(*word);
        let quote = word ^ (ONES * b'"' as u64);
        let backslash = word ^ (ONES * b'\\' as u64);
        let marked = (word.wrapping_sub(ONES * 0x20) & !word)
            | (quote.wrapping_sub(ONES) & !quote)
            | (backslash.wrapping_sub(ONES) & !backslash);
        let marked = marked & HIGH_BITS;
        if marked != 0 {
            return length + (marked.trailing_zeros() / 8) as usize;
        }
        length += 8;
    }
    let is_plain = |byte: &&u8| **byte >= 0x20 && **byte != b'"' && **byte != b'\\';
    length + bytes[length..].iter().take_while(is_plain).count()
}

#[cfg(test)]
mod tests {
    use super::plain_length;

    #[test]
    fn the_first_special_byte_is_found_at_every_place_and_after_every_byte() {
        for special in (0..0x20).chain([b'"', b'\\']) {
            for before in (0x20..=0xff).filter(|byte| *byte != b'"' && *byte != b'\\') {
                for length in 0..20 {
                    let mut bytes = vec![before; length];
                    assert_eq!(plain_length(&bytes), length);
                    bytes.extend([
                        special, before, special, b'"', b'\\', 0, 1, b'!', b'#', b']', b'[',
                    ]);
                    assert_eq!(
                        plain_length(&bytes),
                        length,
                        "{special:#x} after {before:#x}"
                    );
                }
            }
        }
    }
}
