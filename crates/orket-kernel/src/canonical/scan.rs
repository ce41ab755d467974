//! Finds the characters of a string that cannot be taken as they are.

/// Counts the leading bytes that are neither `"` nor `\` nor below 0x20: those mean the same raw and in a string.
///
/// Sixteen bytes are looked at together, in a form that compilers turn into vector instructions.
#[inline]
pub(super) fn plain_length(bytes: &[u8]) -> usize {
    let (blocks, rest) = bytes.as_chunks::<16>();
    for (index, block) in blocks.iter().enumerate() {
        if let Some(place) = first_special(block) {
            return index * 16 + place;
        }
    }
    if rest.is_empty() {
        return bytes.len();
    }
    match bytes.last_chunk::<16>() {
        // The bytes that are seen for the second time are known to be plain.
        Some(last) => bytes.len() - 16 + first_special(last).unwrap_or(16),
        None => plain_length_below_16(bytes),
    }
}

#[inline]
fn is_special(byte: u8) -> bool {
    (byte < 0x20) | (byte == b'"') | (byte == b'\\')
}

#[inline(always)]
fn first_special(block: &[u8; 16]) -> Option<usize> {
    if !block
        .iter()
        .fold(false, |any, byte| any | is_special(*byte))
    {
        return None;
    }
    let (first, last) = (block.first_chunk::<8>()?, block.last_chunk::<8>()?);
    first_special_of_8(*first).or_else(|| first_special_of_8(*last).map(|place| 8 + place))
}

const ONES: u64 = 0x0101_0101_0101_0101;

/// Subtracting 1 from a zero byte, or 0x20 from a smaller one, borrows into its high bit. A borrow can reach only later
/// bytes, so the first byte that is marked is rightly marked.
#[inline]
fn first_special_of_8(word: [u8; 8]) -> Option<usize> {
    let word = u64::from_le_bytes(word);
    let quote = word ^ (ONES * u64::from(b'"'));
    let backslash = word ^ (ONES * u64::from(b'\\'));
    let marks = (word.wrapping_sub(ONES * 0x20) & !word)
        | (quote.wrapping_sub(ONES) & !quote)
        | (backslash.wrapping_sub(ONES) & !backslash);
    let marks = marks & (ONES << 7);
    (marks != 0).then(|| (marks.trailing_zeros() / 8) as usize)
}

#[inline]
fn plain_length_below_16(bytes: &[u8]) -> usize {
    if let (Some(first), Some(last)) = (bytes.first_chunk::<8>(), bytes.last_chunk::<8>()) {
        return first_special_of_8(*first)
            .unwrap_or_else(|| bytes.len() - 8 + first_special_of_8(*last).unwrap_or(8));
    }
    bytes
        .iter()
        .position(|byte| is_special(*byte))
        .unwrap_or(bytes.len())
}

#[cfg(test)]
mod tests {
    use super::plain_length;

    #[test]
    fn the_first_special_byte_is_found_at_every_place_and_after_every_byte() {
        for special in (0..0x20).chain([b'"', b'\\']) {
            for before in (0x20..=0xff).filter(|byte| *byte != b'"' && *byte != b'\\') {
                for length in 0..36 {
                    let mut bytes = vec![before; length];
                    assert_eq!(plain_length(&bytes), length);
                    for after in [
                        special, before, special, b'"', b'\\', 0, 1, b'!', b'#', b']', b'[',
                    ] {
                        bytes.push(if bytes.len() == length {
                            special
                        } else {
                            after
                        });
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
}
