//! The path of a call, in its canonical form.

use std::ops::Range;

use super::TrailingSlash;
use super::escape;
use super::word::{last_word, position, word};

/// A path that can be searched for.
#[derive(Clone, Copy)]
pub(super) struct Path<'p> {
    // Its canonical form, up to a slash that does not count; at least a word, with zeros after a shorter one.
    text: &'p [u8],
    // How long it is without them.
    len: usize,
    // How long it is with that slash.
    sent: usize,
    // As it was sent, if it had to be unescaped.
    raw: Option<&'p [u8]>,
}

/// What stands between two slashes, or after the last.
pub(super) struct Segment {
    pub(super) start: usize,
    pub(super) end: usize,
    /// The word that begins where it begins.
    pub(super) first: u64,
    /// The word that ends where it ends.
    pub(super) last: u64,
}

impl<'p> Path<'p> {
    /// A path from its canonical form; `None` if it does not begin with a slash. One that is short needs the room.
    #[inline]
    pub(super) fn new(
        text: &'p [u8],
        raw: Option<&'p [u8]>,
        trailing_slash: TrailingSlash,
        room: &'p mut [u8; 8],
    ) -> Option<Self> {
        let counted = match text {
            // A doubled slash is no trailing slash: `//` is an empty segment.
            [b'/', before @ .., b'/'] if trailing_slash == TrailingSlash::Ignore && !before.is_empty() => {
                if before.ends_with(b"/") { text } else { &text[..text.len() - 1] }
            }
            [b'/', ..] => text,
            _ => return None,
        };
        let mut path = Self { text: counted, len: counted.len(), sent: text.len(), raw };
        if counted.len() < room.len() {
            *room = word(counted).to_le_bytes();
            path.text = room;
        }
        Some(path)
    }

    #[inline]
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// The byte at this place; `None` where the path has ended.
    #[inline]
    pub(super) fn byte(&self, at: usize) -> Option<u8> {
        if at < self.len { self.text.get(at).copied() } else { None }
    }

    /// The word that begins here; zeros follow where the path has ended. There is nothing in it that a branch could be
    /// predicted wrongly for.
    #[inline]
    pub(super) fn word(&self, at: usize) -> u64 {
        let start = at.min(self.text.len().saturating_sub(8));
        let word = self.text.get(start..).and_then(<[u8]>::first_chunk).map_or(0, |word| u64::from_le_bytes(*word));
        word.checked_shr(8 * (at - start) as u32).unwrap_or(0)
    }

    /// What stands here.
    #[inline]
    pub(super) fn slice(&self, range: Range<usize>) -> &'p [u8] {
        self.text.get(range).unwrap_or_default()
    }

    /// Where the path ends, if that is after a slash that does not count.
    pub(super) fn extra_slash(&self) -> Option<usize> {
        (self.len < self.sent).then_some(self.sent)
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
    pub(super) fn segment(&self, start: usize) -> Segment {
        let first = self.word(start);
        let end = match position(first, b'/') {
            8 if self.len > start + 8 => start + 8 + long_segment(self.slice(start + 8..self.len)),
            len => self.len.min(start + len as usize),
        };
        let last = match end.checked_sub(8) {
            Some(at) => self.word(at),
            None => last_word(self.slice(0..end)),
        };
        Segment { start, end, first, last }
    }

    /// What a tail that begins here takes, if as many segments are to follow it.
    pub(super) fn tail(&self, start: usize, after: usize) -> Option<Range<usize>> {
        let mut value = self.slice(start..self.len);
        for _ in 0..after {
            value = &value[..value.iter().rposition(|byte| *byte == b'/')?];
        }
        // A value that began with a slash would be an absolute path to whoever joins it to a directory. A value that
        // is empty is so because of a trailing slash that counts.
        let may_be = value.first().map_or(after == 0, |first| *first != b'/');
        may_be.then_some(start..start + value.len())
    }
}

impl Segment {
    #[inline]
    pub(super) fn len(&self) -> usize {
        self.end - self.start
    }

    /// Whether it is `.` or `..` (RFC 3986 §3.3), which is never a value: whoever joins it to a directory leaves it.
    #[inline]
    pub(super) fn is_dots(&self) -> bool {
        let Self { first, .. } = self;
        match self.len() {
            1 => first & 0xff == DOTS & 0xff,
            2 => first & 0xffff == DOTS,
            _ => false,
        }
    }
}

const DOTS: u64 = u64::from_le_bytes(*b"..\0\0\0\0\0\0");

/// The length of what is left of a segment.
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
        Path::new(text.as_bytes(), None, TrailingSlash::Ignore, Box::leak(Box::default())).unwrap()
    }

    #[test]
    fn segments_of_any_length_end_at_slashes() {
        for len in 0..40 {
            for after in ["", "/b", "/bcdefghijkl/m", "/"] {
                let segment =
                    "abcdefgh\u{af}ijklmno\u{2f2f}éqrstuvwxyz0123456789".chars().take(len).collect::<String>();
                let text = format!("/{segment}{after}");
                let found = path(&text).segment(1);
                assert_eq!(&text[found.start..found.end], segment, "{text}");
            }
        }
    }

    #[test]
    fn one_trailing_slash_does_not_count_unless_it_is_doubled() {
        let len = |text: &str| path(text).len();
        assert_eq!((len("/"), len("/a/"), len("//"), len("/a//"), len("/a")), (1, 2, 2, 4, 2));
        let strict =
            |text: &'static [u8]| Path::new(text, None, TrailingSlash::Strict, &mut [0; 8]).map(|path| path.len());
        assert_eq!((strict(b"/a/"), strict(b"a")), (Some(3), None));
    }

    #[test]
    fn a_tail_leaves_what_follows_it() {
        let tail = |text: &str, after| path(text).tail(1, after).map(|range| text[range].to_owned());
        assert_eq!(tail("/a/b/c/", 0).as_deref(), Some("a/b/c"));
        assert_eq!(tail("/a/b/c", 1).as_deref(), Some("a/b"));
        assert_eq!((tail("/a", 1), tail("//a", 0), tail("//a", 1)), (None, None, None));
    }
}
