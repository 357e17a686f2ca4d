//! Hexadecimal digits, read several at once: this runs on every call.

use std::fmt;

/// Reads lower-case hexadecimal digits, `N` a multiple of four and twice as many digits.
#[inline]
pub(crate) fn read_hex<const N: usize>(text: &[u8]) -> Option<[u8; N]> {
    let (mut bytes, mut is_right) = ([0; N], true);
    let (long, short) = bytes.as_chunks_mut::<8>();
    let (sixteens, rest) = text.as_chunks::<16>();
    for (eight, digits) in long.iter_mut().zip(sixteens) {
        let (read, right) = sixteen(*digits);
        *eight = read;
        is_right &= right;
    }
    for (four, digits) in short.as_chunks_mut::<4>().0.iter_mut().zip(rest.as_chunks::<8>().0) {
        let (read, right) = eight(*digits);
        *four = read;
        is_right &= right;
    }
    is_right.then_some(bytes)
}

/// Reads sixteen digits, and says whether they are digits.
#[cfg(target_arch = "x86_64")]
#[inline]
fn sixteen(text: [u8; 16]) -> ([u8; 8], bool) {
    #[expect(unsafe_code, reason = "compilers do not see that all sixteen are read by the same instructions")]
    // SAFETY: every processor of this kind has SSE2; it is part of the target.
    unsafe {
        together(text)
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "sse2")]
#[inline]
fn together(text: [u8; 16]) -> ([u8; 8], bool) {
    use std::arch::x86_64::{
        _mm_and_si128, _mm_cmpeq_epi8, _mm_cvtsi128_si64, _mm_min_epu8, _mm_movemask_epi8, _mm_or_si128,
        _mm_packus_epi16, _mm_set_epi64x, _mm_set1_epi8, _mm_set1_epi16, _mm_slli_epi16, _mm_srli_epi16, _mm_sub_epi8,
    };
    let text = u128::from_le_bytes(text);
    let text = _mm_set_epi64x((text >> 64) as i64, text as i64);
    // From 0 to 9, and from 0 to 5; what is less wraps around and is more.
    let number = _mm_sub_epi8(text, _mm_set1_epi8(b'0'.cast_signed()));
    let letter = _mm_sub_epi8(text, _mm_set1_epi8(b'a'.cast_signed()));
    let is_number = _mm_cmpeq_epi8(_mm_min_epu8(number, _mm_set1_epi8(9)), number);
    let is_letter = _mm_cmpeq_epi8(_mm_min_epu8(letter, _mm_set1_epi8(5)), letter);
    let letter = _mm_sub_epi8(letter, _mm_set1_epi8(-10));
    let values = _mm_or_si128(_mm_and_si128(is_number, number), _mm_and_si128(is_letter, letter));
    let is_digit = _mm_movemask_epi8(_mm_or_si128(is_number, is_letter)) == 0xffff;
    // The first digit of a pair is the upper half of its byte, and stands in the lower byte of sixteen bits.
    let pairs = _mm_or_si128(_mm_slli_epi16::<4>(values), _mm_srli_epi16::<8>(values));
    let pairs = _mm_and_si128(pairs, _mm_set1_epi16(0xff));
    (_mm_cvtsi128_si64(_mm_packus_epi16(pairs, pairs)).to_le_bytes(), is_digit)
}

/// Reads sixteen digits, and says whether they are digits.
#[cfg(not(target_arch = "x86_64"))]
#[inline]
fn sixteen(text: [u8; 16]) -> ([u8; 8], bool) {
    let (mut bytes, mut is_right) = ([0; 8], true);
    for (four, digits) in bytes.as_chunks_mut::<4>().0.iter_mut().zip(text.as_chunks::<8>().0) {
        let (read, right) = eight(*digits);
        *four = read;
        is_right &= right;
    }
    (bytes, is_right)
}

/// Reads eight digits, and says whether they are digits.
#[inline]
fn eight(text: [u8; 8]) -> ([u8; 4], bool) {
    const EACH: u64 = 0x0101_0101_0101_0101;
    let text = u64::from_le_bytes(text);
    // Letters have bit 6 set and start with 1 in their lower half: `a` is 1 + 9.
    let letters = (text >> 6) & EACH;
    let values = (text & (0x0f * EACH)) + (letters << 3) + letters;
    // The upper half is that of `0`, or with two bits changed that of `a`.
    let upper = text ^ (0x30 * EACH);
    let amiss = (upper & (0xa0 * EACH)) | ((upper ^ (upper >> 2)) & (0x10 * EACH));
    // More than 9 are letters and nothing else is; none is worth more than 15.
    let amiss = amiss | ((((values + 0x76 * EACH) >> 7) ^ letters) & EACH) | (values & (0xf0 * EACH));
    let pairs = ((values << 4) | (values >> 8)) & 0x00ff_00ff_00ff_00ff;
    let halves = (pairs | (pairs >> 8)) & 0x0000_ffff_0000_ffff;
    (((halves | (halves >> 16)) as u32).to_le_bytes(), amiss == 0)
}

pub(super) fn write_hex(bytes: &[u8], text: &mut [u8]) {
    for (byte, pair) in bytes.iter().zip(text.chunks_exact_mut(2)) {
        pair[0] = b"0123456789abcdef"[usize::from(byte >> 4)];
        pair[1] = b"0123456789abcdef"[usize::from(byte & 0x0f)];
    }
}

/// Bytes that print as lower-case hexadecimal digits.
#[derive(Clone, Copy)]
pub struct Hex<'a>(pub &'a [u8]);

impl fmt::Display for Hex<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Hex<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn digits_are_read_like_one_by_one(text in "[0-9a-f]{16}|[ -~]{16}", byte: u8, at in 0_usize..16) {
            let mut bytes: [u8; 16] = text.as_bytes().try_into().unwrap();
            for bytes in [bytes, { bytes[at] = byte; bytes }] {
                let lower = |byte: &u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(byte);
                let value = |text: &[u8]| text.iter().fold(0, |value, byte| {
                    value << 4 | u64::from((*byte as char).to_digit(16).unwrap())
                });
                let long = bytes.iter().all(lower).then(|| value(&bytes).to_be_bytes());
                prop_assert_eq!(read_hex(&bytes), long);
                let short = bytes[..8].iter().all(lower).then(|| (value(&bytes[..8]) as u32).to_be_bytes());
                prop_assert_eq!(read_hex(&bytes[..8]), short);
            }
        }
    }
}
