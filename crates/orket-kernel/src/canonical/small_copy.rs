//! Copies a few bytes without a call.

/// Copies `from` to `to`, which must be as long.
///
/// Most pieces of a canonical text are a few bytes long; calling the general routine would take longer than copying.
/// Two copies of a fixed length that overlap in the middle serve all lengths from that one to its double.
#[inline(always)]
pub(super) fn copy(to: &mut [u8], from: &[u8]) {
    match from.len() {
        17..=32 => copy_ends::<16>(to, from),
        8..=16 => copy_ends::<8>(to, from),
        4..=7 => copy_ends::<4>(to, from),
        2..=3 => copy_ends::<2>(to, from),
        1 => to[0] = from[0],
        _ => to.copy_from_slice(from),
    }
}

#[inline(always)]
fn copy_ends<const LENGTH: usize>(to: &mut [u8], from: &[u8]) {
    if let (Some(first), Some(last)) = (from.first_chunk::<LENGTH>(), from.last_chunk::<LENGTH>()) {
        if let Some(place) = to.first_chunk_mut() {
            *place = *first;
        }
        if let Some(place) = to.last_chunk_mut() {
            *place = *last;
        }
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_length_is_copied_whole() {
        let from: Vec<u8> = (1..=100).collect();
        for length in 0..=100 {
            let mut to = vec![0; length];
            super::copy(&mut to, &from[..length]);
            assert_eq!(to, from[..length]);
        }
    }
}
