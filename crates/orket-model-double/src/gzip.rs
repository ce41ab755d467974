//! The gzip form of a body, without any compression.

/// The most bytes of a stored block.
const BLOCK_BYTES: usize = 0xffff;

/// Returns a valid gzip file that holds `bytes` in stored blocks.
pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packed = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];
    let blocks: Vec<&[u8]> = if bytes.is_empty() {
        vec![&[]]
    } else {
        bytes.chunks(BLOCK_BYTES).collect()
    };
    let last = blocks.len() - 1;
    for (place, block) in blocks.into_iter().enumerate() {
        let length = block.len() as u16;
        packed.push(u8::from(place == last));
        packed.extend_from_slice(&length.to_le_bytes());
        packed.extend_from_slice(&(!length).to_le_bytes());
        packed.extend_from_slice(block);
    }
    packed.extend_from_slice(&checksum(bytes).to_le_bytes());
    packed.extend_from_slice(&(bytes.len() as u32).to_le_bytes());
    packed
}

/// CRC-32 of ISO 3309, bit by bit.
fn checksum(bytes: &[u8]) -> u32 {
    let mut register = u32::MAX;
    for byte in bytes {
        register ^= u32::from(*byte);
        for _ in 0..8 {
            let bit = register & 1;
            register = (register >> 1) ^ (0xedb8_8320 * bit);
        }
    }
    !register
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The check value that the catalogues of checksums give.
    #[test]
    fn the_checksum_is_that_of_gzip() {
        assert_eq!(checksum(b"123456789"), 0xcbf4_3926);
    }

    #[test]
    fn long_bodies_have_several_blocks() {
        let packed = gzip(&[7; BLOCK_BYTES + 1]);
        assert_eq!(packed[10], 0);
        assert_eq!(packed[10 + 5 + BLOCK_BYTES], 1);
        assert_eq!(packed.len(), 10 + 2 * 5 + BLOCK_BYTES + 1 + 8);
    }
}
