//! Checks that bytes are UTF-8, many at a time whatever the language.

/// How many bytes are looked at together.
const BLOCK_BYTES: usize = 64;
/// How far back a character can begin before its last byte.
const LOOK_BACK_BYTES: usize = 3;

/// Tells whether `bytes` are UTF-8, as [`std::str::from_utf8`] does.
///
/// What may stand at a place depends on the three bytes before it only, so each place is judged by itself and without
/// a branch: compilers turn that into vector instructions. The standard library goes from character to character,
/// which takes several times as long where few of them are ASCII.
pub(super) fn is_utf8(bytes: &[u8]) -> bool {
    let mut start = 0;
    // The first block has nothing before it, the last lacks some bytes: both are judged in a copy between zeros.
    // A zero after a character that is cut off is as wrong as any other byte that does not continue it.
    if !is_edge_utf8(bytes, start) {
        return false;
    }
    start += BLOCK_BYTES;
    while let Some(block) = block_at(bytes, start) {
        let before = block_at(bytes, start - 1);
        let (Some(before), Some(second), Some(third)) = (
            before,
            block_at(bytes, start - 2),
            block_at(bytes, start - 3),
        ) else {
            return false;
        };
        let needs_no_more = before[0] < 0xc0 && second[0] < 0xe0 && third[0] < 0xf0;
        let is_right =
            (needs_no_more && is_ascii(block)) || is_block_utf8(block, before, second, third);
        if !is_right {
            return false;
        }
        start += BLOCK_BYTES;
    }
    start > bytes.len() || is_edge_utf8(bytes, start)
}

#[inline]
fn block_at(bytes: &[u8], start: usize) -> Option<&[u8; BLOCK_BYTES]> {
    bytes.get(start..)?.first_chunk()
}

#[inline]
fn is_ascii(block: &[u8; BLOCK_BYTES]) -> bool {
    block.iter().fold(0, |all, byte| all | byte) < 0x80
}

/// Judges the block at `start` and the three bytes after it if the text ends there, with zeros where it has no bytes.
#[inline(never)]
fn is_edge_utf8(bytes: &[u8], start: usize) -> bool {
    let mut copy = [0; LOOK_BACK_BYTES + BLOCK_BYTES];
    let from = start.saturating_sub(LOOK_BACK_BYTES);
    let to = bytes.len().min(start + BLOCK_BYTES);
    let place = LOOK_BACK_BYTES - (start - from);
    copy[place..place + (to - from)].copy_from_slice(&bytes[from..to]);
    match (
        block_at(&copy, 3),
        block_at(&copy, 2),
        block_at(&copy, 1),
        block_at(&copy, 0),
    ) {
        (Some(block), Some(before), Some(second), Some(third)) => {
            is_block_utf8(block, before, second, third)
        }
        _ => false,
    }
}

/// Judges each byte of `block` by those one, two and three places `before` it.
#[inline]
fn is_block_utf8(
    block: &[u8; BLOCK_BYTES],
    before: &[u8; BLOCK_BYTES],
    second: &[u8; BLOCK_BYTES],
    third: &[u8; BLOCK_BYTES],
) -> bool {
    let mut is_wrong = false;
    for at in 0..BLOCK_BYTES {
        let (byte, before) = (block[at], before[at]);
        let continues = (byte & 0xc0) == 0x80;
        let must_continue = (before >= 0xc0) | (second[at] >= 0xe0) | (third[at] >= 0xf0);
        // C0 and C1 begin nothing that is not shorter otherwise; beyond F4 lies nothing.
        let is_no_byte = ((byte & 0xfe) == 0xc0) | (byte >= 0xf5);
        // Overlong after E0 and F0, surrogates after ED, beyond U+10FFFF after F4.
        let is_no_second = ((before == 0xe0) & (byte < 0xa0))
            | ((before == 0xed) & (byte >= 0xa0))
            | ((before == 0xf0) & (byte < 0x90))
            | ((before == 0xf4) & (byte >= 0x90));
        is_wrong |= (continues ^ must_continue) | is_no_byte | is_no_second;
    }
    !is_wrong
}

#[cfg(test)]
mod tests {
    use super::is_utf8;

    /// Puts `bytes` at every place of a block and at the end of the text.
    fn check(bytes: &[u8]) {
        let expected = std::str::from_utf8(bytes).is_ok();
        for filler in ["a", "é"] {
            for before in [0, 1, 57, 60, 61, 62, 63, 64, 65, 125, 128, 190] {
                for after in [0, 1, 2, 3, 64, 130] {
                    let mut text = filler.repeat(before).into_bytes();
                    text.extend(bytes);
                    text.extend(filler.repeat(after).into_bytes());
                    assert_eq!(is_utf8(&text), expected, "{bytes:x?} {before} {after}");
                }
            }
        }
    }

    #[test]
    fn it_agrees_with_the_standard_library_on_every_border() {
        let interesting = [
            0x00, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xc1, 0xc2, 0xdf, 0xe0, 0xe1,
            0xec, 0xed, 0xee, 0xef, 0xf0, 0xf1, 0xf3, 0xf4, 0xf5, 0xff,
        ];
        check(b"");
        for first in interesting {
            check(&[first]);
            for second in interesting {
                check(&[first, second]);
            }
        }
    }

    #[test]
    fn it_agrees_with_the_standard_library_on_sequences_of_three_and_four() {
        let interesting = [
            0x41, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc2, 0xe0, 0xe1, 0xed, 0xf0, 0xf1, 0xf4,
        ];
        for first in interesting {
            for second in interesting {
                for third in interesting {
                    for fourth in interesting {
                        let bytes = [first, second, third, fourth];
                        let expected = std::str::from_utf8(&bytes).is_ok();
                        let mut text = vec![b'a'; 62];
                        text.extend(bytes);
                        assert_eq!(is_utf8(&text), expected, "{bytes:x?}");
                        text.extend([b'a'; 64]);
                        assert_eq!(is_utf8(&text), expected, "{bytes:x?}");
                    }
                }
            }
        }
    }

    #[test]
    fn whole_characters_of_every_length_pass_at_every_place() {
        let text = "aé道🎼".repeat(100);
        for start in 0..text.len() {
            if text.is_char_boundary(start) {
                assert!(is_utf8(&text.as_bytes()[start..]));
            } else {
                assert!(!is_utf8(&text.as_bytes()[start..]));
                assert!(!is_utf8(&text.as_bytes()[..start]));
            }
        }
    }
}
