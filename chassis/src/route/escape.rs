//! Percent-encoding as the matcher sees it: which spellings of a path are the same path.
//!
//! RFC 3986 §6.2.2 is followed to the letter. An escaped character is the character itself, unless it is reserved
//! (§2.2) or the percent sign: `%61` is `a` and `%20` is a space, but `%2F` is no slash and `%3A` starts no verb,
//! because escaping them is how a caller says that they are part of a value.

use std::borrow::Cow;

/// Whether a path can be compared at all, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Spelling {
    /// Nothing is escaped: the path is its own canonical form.
    Plain,
    /// Something is escaped, and every `%` begins an escape.
    Escaped,
    /// A `%` without two hexadecimal digits after it, or a NUL.
    Malformed,
}

impl Spelling {
    pub(super) fn of(raw: &[u8]) -> Self {
        if is_plain(raw) { Self::Plain } else { Self::of_odd(raw) }
    }

    #[cold]
    fn of_odd(raw: &[u8]) -> Self {
        let mut at = 0;
        while let Some(byte) = raw.get(at) {
            at += match (byte, escaped(raw, at)) {
                (0, _) | (b'%', None | Some(0)) => return Self::Malformed,
                (b'%', Some(_)) => 3,
                _ => 1,
            };
        }
        Self::Escaped
    }
}

/// Whether there is neither a `%` nor a NUL, which is so for nearly all paths.
fn is_plain(raw: &[u8]) -> bool {
    let (words, rest) = raw.as_chunks::<8>();
    let odd = words.iter().fold(0, |odd, word| odd | oddities(*word));
    match raw.last_chunk() {
        // Some of it is looked at twice, which is quicker than a loop over the rest.
        Some(last) => odd | oddities(*last) == 0,
        None => !rest.iter().any(|byte| matches!(byte, b'%' | 0)),
    }
}

/// Not zero if one of the bytes is a `%` or a NUL.
#[inline]
fn oddities(word: [u8; 8]) -> u64 {
    const ONES: u64 = u64::from_le_bytes([0x01; 8]);
    const HIGH: u64 = u64::from_le_bytes([0x80; 8]);
    let nul = u64::from_le_bytes(word);
    let percent = nul ^ u64::from_le_bytes([b'%'; 8]);
    // Only a zero byte, or one above a zero byte, borrows and has been small.
    (nul.wrapping_sub(ONES) & !nul | percent.wrapping_sub(ONES) & !percent) & HIGH
}

/// The canonical form: what can be unescaped is, hexadecimal digits that stay are upper-case.
pub(super) fn canonical(raw: &[u8]) -> impl Iterator<Item = u8> {
    units(raw).flat_map(|(_, (bytes, len))| bytes.into_iter().take(len))
}

/// A path, or a part of one, in its canonical form. What is no text then, or malformed, stays as it was sent: no operation
/// answers it.
pub(crate) fn comparable(path: &str) -> Cow<'_, str> {
    match Spelling::of(path.as_bytes()) {
        Spelling::Escaped => {
            String::from_utf8(canonical(path.as_bytes()).collect()).map_or(Cow::Borrowed(path), Cow::Owned)
        }
        Spelling::Plain | Spelling::Malformed => Cow::Borrowed(path),
    }
}

/// Where in the raw path a byte of its canonical form comes from; its end for the end.
pub(super) fn origin(raw: &[u8], canonical: usize) -> usize {
    let mut passed = 0;
    let mut unit = units(raw).skip_while(|(_, (_, len))| {
        passed += len;
        passed <= canonical
    });
    unit.next().map_or(raw.len(), |(at, _)| at)
}

/// The characters and escapes of a path: where each begins, and its canonical bytes.
fn units(raw: &[u8]) -> impl Iterator<Item = (usize, ([u8; 3], usize))> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let byte = *raw.get(at)?;
        let start = at;
        let value = if byte == b'%' { escaped(raw, at) } else { None };
        at += if value.is_some() { 3 } else { 1 };
        let canonical = match value {
            Some(value) if is_reserved(value) => {
                ([b'%', raw[start + 1].to_ascii_uppercase(), raw[start + 2].to_ascii_uppercase()], 3)
            }
            Some(value) => ([value, 0, 0], 1),
            None => ([byte, 0, 0], 1),
        };
        Some((start, canonical))
    })
}

/// The byte that the escape at this place stands for.
fn escaped(raw: &[u8], at: usize) -> Option<u8> {
    let digit = |at: usize| char::from(*raw.get(at)?).to_digit(16);
    let value = digit(at + 1)? * 16 + digit(at + 2)?;
    u8::try_from(value).ok()
}

/// The delimiters of RFC 3986 §2.2, and the percent sign.
fn is_reserved(byte: u8) -> bool {
    b":/?#[]@!$&'()*+,;=%".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(raw: &str) -> String {
        String::from_utf8(canonical(raw.as_bytes()).collect()).unwrap()
    }

    #[test]
    fn an_escape_is_its_character_unless_that_is_reserved() {
        assert_eq!(form("hello%20w%6frld%7E"), "hello world~");
        assert_eq!(form("a%2fb%3ac%25d%2B"), "a%2Fb%3Ac%25d%2B");
        assert_eq!(form("caf%c3%a9"), "café");
    }

    #[test]
    fn what_is_no_text_stays_as_it_was_sent() {
        for (sent, compared) in [("/%61%2f", "/a%2F"), ("/a", "/a"), ("/%61%", "/%61%"), ("/%61%ff", "/%61%ff")] {
            assert_eq!(comparable(sent), compared);
        }
    }

    #[test]
    fn a_percent_sign_begins_an_escape_or_the_path_is_malformed() {
        let of = |raw: &str| Spelling::of(raw.as_bytes());
        assert_eq!((of("/a"), of("/%41"), of("/%4")), (Spelling::Plain, Spelling::Escaped, Spelling::Malformed));
        assert_eq!((of("/%zz"), of("/%"), of("/%+1")), (Spelling::Malformed, Spelling::Malformed, Spelling::Malformed));
        assert_eq!(
            (of("/a%00"), of("/a\0"), of("/%2541")),
            (Spelling::Malformed, Spelling::Malformed, Spelling::Escaped)
        );
    }

    #[test]
    fn a_path_is_plain_unless_any_byte_of_it_is_odd() {
        for len in 1..40 {
            let plain = "/\u{80}é~".chars().cycle().take(len).collect::<String>();
            assert_eq!(Spelling::of(plain.as_bytes()), Spelling::Plain);
            for at in plain.char_indices().map(|(at, _)| at) {
                let with = |odd| [&plain[..at], odd, &plain[at..]].concat();
                assert_eq!(Spelling::of(with("%41").as_bytes()), Spelling::Escaped);
                assert_eq!(Spelling::of(with("\0").as_bytes()), Spelling::Malformed);
            }
        }
    }

    #[test]
    fn every_canonical_byte_knows_where_it_comes_from() {
        let raw = "/a%20b%2fc";
        assert_eq!(form(raw), "/a b%2Fc");
        let origins: Vec<_> = (0..=8).map(|at| origin(raw.as_bytes(), at)).collect();
        assert_eq!(origins, [0, 1, 2, 5, 6, 6, 6, 9, 10]);
    }
}
