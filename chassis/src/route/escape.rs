//! Percent-encoding as the matcher sees it: which spellings of a path segment are the same segment.
//!
//! RFC 3986 §6.2.2 is followed to the letter. An escaped character is the character itself, unless it is reserved
//! (§2.2) or the percent sign: `%61` is `a` and `%20` is a space, but `%2F` is no slash and `%3A` starts no verb,
//! because escaping them is how a caller says that they are part of a value.

use std::cmp::Ordering;
use std::ops::Range;

use percent_encoding::percent_decode;

/// Whether a path can be compared at all, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Spelling {
    /// Nothing is escaped: bytes are compared as they are.
    Plain,
    /// Something is escaped, and every `%` begins an escape.
    Escaped,
    /// A `%` without two hexadecimal digits after it, or a NUL.
    Malformed,
}

impl Spelling {
    pub(super) fn of(raw: &[u8]) -> Self {
        // No early exit, so that the loop becomes a few vector instructions: nearly all paths are plain.
        if !raw.iter().fold(false, |found, byte| found | (*byte == b'%') | (*byte == 0)) {
            return Self::Plain;
        }
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

/// One segment of a path, or a part of one, as it was sent.
#[derive(Clone, Copy)]
pub(super) struct Raw<'p> {
    pub(super) bytes: &'p [u8],
    /// Whether there may be escapes in it.
    pub(super) escaped: bool,
}

impl<'p> Raw<'p> {
    /// How the segment compares to a literal in its canonical form.
    pub(super) fn cmp(self, literal: &[u8]) -> Ordering {
        if self.escaped { canonical(self.bytes).cmp(literal.iter().copied()) } else { self.bytes.cmp(literal) }
    }

    /// What stands between a prefix and a suffix that are in their canonical form; never nothing.
    pub(super) fn between(self, prefix: &[u8], suffix: &[u8]) -> Option<Range<usize>> {
        let (start, end) = if self.escaped {
            (prefix_end(self.bytes, prefix)?, suffix_start(self.bytes, suffix)?)
        } else {
            let starts = self.bytes.starts_with(prefix) && self.bytes.ends_with(suffix);
            (prefix.len(), if starts { self.bytes.len() - suffix.len() } else { 0 })
        };
        (start < end).then_some(start..end)
    }

    /// The part of it in this range.
    pub(super) fn part(self, range: Range<usize>) -> Self {
        Self { bytes: self.bytes.get(range).unwrap_or_default(), escaped: self.escaped }
    }

    /// The value, byte by byte, nothing escaped any more.
    pub(super) fn decoded(self) -> impl Iterator<Item = u8> + 'p {
        percent_decode(self.bytes)
    }
}

/// The canonical form of a segment: what can be unescaped is, hexadecimal digits that stay are upper-case.
pub(super) fn canonical(raw: &[u8]) -> Canonical<'_> {
    Canonical { raw, at: 0, digits: 0 }
}

pub(super) struct Canonical<'a> {
    raw: &'a [u8],
    at: usize,
    // How many digits of an escape that stays are still to come.
    digits: u8,
}

impl Iterator for Canonical<'_> {
    type Item = u8;

    fn next(&mut self) -> Option<u8> {
        let byte = *self.raw.get(self.at)?;
        if self.digits > 0 {
            self.digits -= 1;
            self.at += 1;
            return Some(byte.to_ascii_uppercase());
        }
        if byte == b'%' {
            match escaped(self.raw, self.at) {
                Some(value) if !is_reserved(value) => {
                    self.at += 3;
                    return Some(value);
                }
                _ => self.digits = 2,
            }
        }
        self.at += 1;
        Some(byte)
    }
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

// A canonical byte was one byte, or an escape of three.

fn prefix_end(raw: &[u8], prefix: &[u8]) -> Option<usize> {
    let mut ends = prefix.len()..=prefix.len() * 3;
    ends.find(|end| {
        raw.get(..*end).is_some_and(|part| is_boundary(raw, *end) && canonical(part).eq(prefix.iter().copied()))
    })
}

fn suffix_start(raw: &[u8], suffix: &[u8]) -> Option<usize> {
    let starts = (suffix.len()..=suffix.len() * 3).map_while(|len| raw.len().checked_sub(len));
    starts.into_iter().find(|start| {
        raw.get(*start..).is_some_and(|part| is_boundary(raw, *start) && canonical(part).eq(suffix.iter().copied()))
    })
}

/// Whether no escape goes across this place.
fn is_boundary(raw: &[u8], at: usize) -> bool {
    !(1..=2).any(|back| at.checked_sub(back).and_then(|before| raw.get(before)) == Some(&b'%'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(raw: &str) -> String {
        String::from_utf8(canonical(raw.as_bytes()).collect()).unwrap()
    }

    fn between<'p>(raw: &'p str, prefix: &str, suffix: &str) -> Option<&'p str> {
        let segment = Raw { bytes: raw.as_bytes(), escaped: raw.contains('%') };
        Some(&raw[segment.between(prefix.as_bytes(), suffix.as_bytes())?])
    }

    #[test]
    fn an_escape_is_its_character_unless_that_is_reserved() {
        assert_eq!(form("hello%20w%6frld%7E"), "hello world~");
        assert_eq!(form("a%2fb%3ac%25d%2B"), "a%2Fb%3Ac%25d%2B");
        assert_eq!(form("caf%c3%a9"), "café");
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
    fn affixes_are_found_in_any_spelling_and_leave_a_value() {
        assert_eq!(between("12.json", "", ".json"), Some("12"));
        assert_eq!(between("12%2ejson", "", ".json"), Some("12"));
        assert_eq!(between("%76%31%20", "v", ""), Some("%31%20"));
        assert_eq!(between("%76%31", "v", "1"), None);
        assert_eq!(between(".json", "", ".json"), None);
        assert_eq!(between("aba", "ab", "ba"), None);
    }

    #[test]
    fn an_escaped_delimiter_is_part_of_the_value() {
        assert_eq!(between("7%3Acancel", "", ":cancel"), None);
        assert_eq!(between("7%3A:cancel", "", ":cancel"), Some("7%3A"));
        assert_eq!(between("a%2Fb", "a", "b"), Some("%2F"));
        assert_eq!(between("%2Fb", "", "Fb"), None);
    }
}
