//! Eight bytes of text as one number, so that they are compared at once.

/// The first eight bytes as one number; zeros follow if there are fewer.
#[inline]
pub(super) fn word(text: &[u8]) -> u64 {
    if let Some(word) = text.first_chunk::<8>() {
        return u64::from_le_bytes(*word);
    }
    match (text.first_chunk::<4>(), text.last_chunk::<4>()) {
        // Where the two overlap they are the same.
        (Some(first), Some(last)) => {
            let last = u64::from(u32::from_le_bytes(*last));
            u64::from(u32::from_le_bytes(*first)) | last << (8 * (text.len() - 4))
        }
        _ => text.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte)),
    }
}

/// The last eight bytes as one number; zeros stand before them if there are fewer.
#[inline]
pub(super) fn last_word(text: &[u8]) -> u64 {
    match text.last_chunk::<8>() {
        Some(word) => u64::from_le_bytes(*word),
        None => word(text).checked_shl(64 - 8 * text.len() as u32).unwrap_or(0),
    }
}

/// The bits of the first bytes of a word.
pub(super) fn mask(bytes: usize) -> u64 {
    u64::MAX.checked_shr(64 - 8 * bytes.min(8) as u32).unwrap_or(0)
}

/// The place of a byte in a word; 8 if it is not there.
#[inline]
pub(super) fn position(word: u64, byte: u8) -> u32 {
    const LOW: u64 = u64::from_le_bytes([0x7f; 8]);
    let word = word ^ u64::from_le_bytes([byte; 8]);
    // The highest bit of each byte that is zero now, exactly.
    let zeros = !(((word & LOW) + LOW) | word | LOW);
    zeros.trailing_zeros() / 8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_padded_with_zeros() {
        let text = b"abcdefghijkl";
        for len in 0..=text.len() {
            let text = &text[..len];
            let ahead = text.iter().take(8).rev().fold(0, |word, byte| word << 8 | u64::from(*byte));
            let behind = &text[len.saturating_sub(8)..];
            let behind = behind.iter().fold(0, |word, byte| word >> 8 | u64::from(*byte) << 56);
            assert_eq!((word(text), last_word(text)), (ahead, behind));
        }
    }

    #[test]
    fn the_place_of_a_byte_is_exact() {
        for byte in 1..=255_u8 {
            for other in
                [1, byte ^ 1, byte.wrapping_add(1), byte ^ 0x80, 255].into_iter().filter(|other| *other != byte)
            {
                assert_eq!(position(u64::from_le_bytes([other; 8]), byte), 8);
                for at in 0..8 {
                    let mut bytes = [other; 8];
                    bytes[at] = byte;
                    bytes[7] = byte;
                    assert_eq!(position(u64::from_le_bytes(bytes), byte), at as u32);
                }
            }
        }
    }

    #[test]
    fn a_mask_covers_the_first_bytes() {
        assert_eq!((mask(0), mask(1), mask(8), mask(20)), (0, 0xff, u64::MAX, u64::MAX));
    }
}
