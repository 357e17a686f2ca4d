//! The path of a call, in its canonical form.

use std::ops::Range;

use super::TrailingSlash;
use super::escape;
use super::word::{last_word, position, word};

/// A path that can be searched for.
#[derive(Clone, Copy)]
pub(super) struct Path<'p> {
    // Its canonical form, up to a slash that does not count.
    text: &'p [u8],
    // How long it is with that slash.
    len: usize,
    // As it was sent, if it had to be unescaped.
    raw: Option<&'p [u8]>,
}

/// What stands between two slashes, or after the last.
pub(super) struct Segment<'p> {
    pub(super) start: usize,
    pub(super) text: &'p [u8],
    /// The word that begins where it begins.
    pub(super) first: u64,
    /// The word that ends where it ends.
    pub(super) last: u64,
}

impl<'p> Path<'p> {
    /// A path from its canonical form; `None` if it does not begin with a slash.
    #[inline]
    pub(super) fn new(text: &'p [u8], raw: Option<&'p [u8]>, trailing_slash: TrailingSlash) -> Option<Self> {
        let counted = match text {
            // A doubled slash is no trailing slash: `//` is an empty segment.
            [b'/', before @ .., b'/'] if trailing_slash == TrailingSlash::Ignore && !before.is_empty() => {
                if before.ends_with(b"/") { text } else { &text[..text.len() - 1] }
            }
            [b'/', ..] => text,
            _ => return None,
        };
        Some(Self { text: counted, len: text.len(), raw })
    }

    #[inline]
    pub(super) fn len(&self) -> usize {
        self.text.len()
    }

    /// What follows this place.
    #[inline]
    pub(super) fn from(&self, at: usize) -> &'p [u8] {
        self.text.get(at..).unwrap_or_default()
    }

    /// Where the path ends, if that is after a slash that does not count.
    pub(super) fn extra_slash(&self) -> Option<usize> {
        (self.text.len() < self.len).then_some(self.len)
    }

    /// Whether values may have escapes in them.
    #[inline]
    pub(super) fn is_escaped(&self) -> bool {
        self.raw.is_some()
    }

    /// The same range of the path as it was sent.
    #[inline]
    pub(super) fn origin(&self, range: Range<usize>) -> Range<usize> {
        match self.raw {
            Some(raw) => escape::origin(raw, range.start)..escape::origin(raw, range.end),
            None => range,
        }
    }

    /// Whether a value may end here: `%2F` does not end in `F`.
    #[inline]
    pub(super) fn is_whole(&self, end: usize) -> bool {
        self.raw.is_none() || !self.text[end.saturating_sub(2)..end].contains(&b'%')
    }

    /// The segment that begins here.
    #[inline]
    pub(super) fn segment(&self, start: usize) -> Segment<'p> {
        let rest = self.from(start);
        let first = word(rest);
        let len = match position(first, b'/') {
            8 if rest.len() > 8 => long_segment(rest),
            len => rest.len().min(len as usize),
        };
        let until = self.text.get(..start + len).unwrap_or_default();
        Segment { start, text: rest.get(..len).unwrap_or_default(), first, last: last_word(until) }
    }

    /// What a tail that begins here takes, if as many segments are to follow it.
    pub(super) fn tail(&self, start: usize, after: usize) -> Option<Range<usize>> {
        let mut value = self.from(start);
        for _ in 0..after {
            value = &value[..value.iter().rposition(|byte| *byte == b'/')?];
        }
        // A value that began with a slash would be an absolute path to whoever joins it to a directory. A value that
        // is empty is so because of a trailing slash that counts.
        let may_be = value.first().map_or(after == 0, |first| *first != b'/');
        may_be.then_some(start..start + value.len())
    }
}

impl Segment<'_> {
    /// Whether it is `.` or `..` (RFC 3986 §3.3), which is never a value: whoever joins it to a directory leaves it.
    #[inline]
    pub(super) fn is_dots(&self) -> bool {
        matches!(self.text, b"." | b"..")
    }
}

/// The length of a segment of more than eight bytes.
#[inline(never)]
fn long_segment(rest: &[u8]) -> usize {
    let (words, _) = rest.as_chunks::<8>();
    let found = words.iter().map(|word| position(u64::from_le_bytes(*word), b'/') as usize).position(|at| at < 8);
    let start = found.unwrap_or(words.len()) * 8;
    start + rest[start..].iter().take_while(|byte| **byte != b'/').count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> Path<'_> {
        Path::new(text.as_bytes(), None, TrailingSlash::Ignore).unwrap()
    }

    #[test]
    fn segments_of_any_length_end_at_slashes() {
        for len in 0..40 {
            for after in ["", "/b", "/bcdefghijkl/m", "/"] {
                let segment =
                    "abcdefgh\u{af}ijklmno\u{2f2f}éqrstuvwxyz0123456789".chars().take(len).collect::<String>();
                let text = format!("/{segment}{after}");
                assert_eq!(path(&text).segment(1).text, segment.as_bytes(), "{text}");
            }
        }
    }

    #[test]
    fn one_trailing_slash_does_not_count_unless_it_is_doubled() {
        let len = |text: &str| path(text).len();
        assert_eq!((len("/"), len("/a/"), len("//"), len("/a//"), len("/a")), (1, 2, 2, 4, 2));
        assert_eq!(Path::new(b"/a/", None, TrailingSlash::Strict).unwrap().len(), 3);
        assert!(Path::new(b"a", None, TrailingSlash::Strict).is_none());
    }

    #[test]
    fn a_tail_leaves_what_follows_it() {
        let tail = |text: &str, after| path(text).tail(1, after).map(|range| text[range].to_owned());
        assert_eq!(tail("/a/b/c/", 0).as_deref(), Some("a/b/c"));
        assert_eq!(tail("/a/b/c", 1).as_deref(), Some("a/b"));
        assert_eq!((tail("/a", 1), tail("//a", 0), tail("//a", 1)), (None, None, None));
    }
}
