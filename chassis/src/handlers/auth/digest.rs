//! Digests of tokens under a secret key: what is remembered in their place.
//!
//! A digest is the length of a token, its last bytes as they are, and a sum of products of its words and the key's (NH, from
//! "UMAC: Fast and Secure Message Authentication", Black, Halevi, Krawczyk, Krovetz and Rogaway, 1999). Whoever does not
//! know a token that is remembered would have to guess the end of its signature, at least 88 bits in its last bytes,
//! whatever the algorithm. Whoever knows it, and changes something before those, goes unnoticed in one of 2⁶⁴ calls,
//! whatever computing power is spent on it, and is then who the token says, and no more. A cryptographic hash would take
//! several times as long.

use aws_lc_rs::error::Unspecified;
use aws_lc_rs::rand;

/// How many bytes a product takes.
const BLOCK: usize = 16;

/// Makes digests. It has a key of its own, which nobody is told and which goes with the process.
pub(super) struct Digester {
    key: Box<[Words]>,
}

/// What stands for a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Digest {
    sum: Words,
    end: Words,
    length: u32,
}

/// A block of a token, or what it is multiplied with.
type Words = [u64; 2];

impl Digester {
    /// For tokens of at most so many bytes.
    pub(super) fn new(longest: usize) -> Result<Self, Unspecified> {
        let mut random = vec![0; longest / BLOCK * BLOCK];
        rand::fill(&mut random)?;
        let (blocks, _) = random.as_chunks();
        Ok(Self { key: blocks.iter().map(words).collect() })
    }

    /// `None` for a token that is longer.
    #[inline]
    pub(super) fn of(&self, token: &[u8]) -> Option<Digest> {
        let (blocks, _) = token.as_chunks();
        let key = self.key.get(..blocks.len())?;
        let ((pairs, last), (keys, last_key)) = (blocks.as_chunks::<2>(), key.as_chunks::<2>());
        let mut sum = 0_u128;
        // Two at a time, for half as many rounds.
        for ([a, b], [of_a, of_b]) in pairs.iter().zip(keys) {
            sum = sum.wrapping_add(product(a, of_a)).wrapping_add(product(b, of_b));
        }
        if let ([block], [key]) = (last, last_key) {
            sum = sum.wrapping_add(product(block, key));
        }
        // What is left behind the last block is part of the end, or it would be one more.
        let end = token.last_chunk().map_or_else(|| words(&padded(token)), words);
        Some(Digest { sum: [sum as u64, (sum >> 64) as u64], end, length: u32::try_from(token.len()).ok()? })
    }

    /// How many bytes it takes.
    pub(super) fn memory(&self) -> usize {
        size_of_val(&*self.key)
    }
}

impl Digest {
    /// A number that nobody can choose, and as good as random.
    pub(super) fn number(&self) -> u64 {
        self.sum[0] ^ self.sum[1] ^ self.end[0]
    }
}

fn product(block: &[u8; BLOCK], key: &Words) -> u128 {
    let [a, b] = words(block);
    u128::from(a.wrapping_add(key[0])) * u128::from(b.wrapping_add(key[1]))
}

fn words(bytes: &[u8; BLOCK]) -> Words {
    let (words, _) = bytes.as_chunks();
    [u64::from_le_bytes(words[0]), u64::from_le_bytes(words[1])]
}

/// A token that is shorter than any that is signed. No field of a header has the byte that fills it up.
#[cold]
fn padded(token: &[u8]) -> [u8; BLOCK] {
    let mut block = [0; BLOCK];
    block.iter_mut().zip(token).for_each(|(to, byte)| *to = *byte);
    block
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_token_has_one_digest_and_no_other_has_it(
            token in prop::collection::vec(1_u8.., 0..200), at in any::<prop::sample::Index>(), by in 1_u8..,
        ) {
            let digester = Digester::new(200).unwrap();
            let digest = digester.of(&token).unwrap();
            prop_assert_eq!(digester.of(&token.clone()).unwrap(), digest);
            // A shorter one is kept as it is.
            if token.len() >= BLOCK {
                prop_assert_ne!(Digester::new(200).unwrap().of(&token), Some(digest), "another key");
            }
            if let Some(last) = token.last() {
                let mut other = token.clone();
                *other.get_mut(at.index(token.len())).unwrap() ^= by;
                prop_assert_ne!(digester.of(&other), Some(digest));
                prop_assert_ne!(digester.of(&token[1..]), Some(digest));
                prop_assert_ne!(digester.of(&[&token[..], &[*last]].concat()), Some(digest));
            }
        }
    }

    /// What the definition says, for any number of blocks.
    #[test]
    fn it_is_the_sum_of_the_definition() {
        let digester = Digester::new(100).unwrap();
        for length in [16, 31, 32, 48, 80, 99] {
            let token: Vec<_> = (0..length).map(|at| at as u8 + 1).collect();
            let word = |at: usize| u64::from_le_bytes(*token[at..].first_chunk().unwrap());
            let key = |at: usize| digester.key.as_flattened()[at];
            let sum = (0..length / 16).fold(0_u128, |sum, at| {
                let half = |which: usize| u128::from(word(16 * at + 8 * which).wrapping_add(key(2 * at + which)));
                sum.wrapping_add(half(0) * half(1))
            });
            let Digest { sum: [low, high], end, .. } = digester.of(&token).unwrap();
            assert_eq!(u128::from(low) | u128::from(high) << 64, sum, "{length}");
            assert_eq!(end, [word(length - 16), word(length - 8)]);
        }
    }

    #[test]
    fn a_token_that_is_too_long_has_none() {
        let digester = Digester::new(100).unwrap();
        assert!(digester.of(&[b'a'; 100]).is_some());
        assert!(digester.of(&[b'a'; 112]).is_none());
    }
}
