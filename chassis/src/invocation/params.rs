//! The values a path template captured, as ranges of the path that was matched.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

use percent_encoding::percent_decode_str;

/// How many captures fit without the heap.
const INLINE: usize = 6;

/// A range of the path, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Capture {
    start: u32,
    end: u32,
}

impl From<Range<usize>> for Capture {
    fn from(range: Range<usize>) -> Self {
        // A path is far below 4 GiB: hyper refuses targets above 65,534 bytes.
        Self { start: range.start as u32, end: range.end as u32 }
    }
}

/// The captured values of one call, in the order of the template.
///
/// The values stay ranges of the raw path until they are asked for, and are percent-decoded then: an encoded slash
/// never splits a segment.
#[derive(Clone, Debug, Default)]
pub struct Params {
    inline: [Capture; INLINE],
    more: Vec<Capture>,
    len: usize,
}

impl Params {
    /// Appends the value of the next name.
    pub fn push(&mut self, capture: impl Into<Capture>) {
        match self.inline.get_mut(self.len) {
            Some(slot) => *slot = capture.into(),
            None => self.more.push(capture.into()),
        }
        self.len += 1;
    }

    /// Forgets all values after the first `len`: the matcher went back.
    pub fn truncate(&mut self, len: usize) {
        self.more.truncate(len.saturating_sub(INLINE));
        self.len = self.len.min(len);
    }

    /// How many values there are.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The raw value at this place of the template.
    pub fn at<'p>(&self, path: &'p str, index: usize) -> Option<&'p str> {
        if index >= self.len {
            return None;
        }
        let capture = self.inline.get(index).or_else(|| self.more.get(index - INLINE))?;
        path.get(capture.start as usize..capture.end as usize)
    }
}

/// Undoes percent-encoding (RFC 3986 §2.1).
///
/// # Errors
/// A `%` without two hexadecimal digits behind it, or a result that is not UTF-8.
pub fn decode(raw: &str) -> Result<Cow<'_, str>, Undecodable> {
    if !raw.contains('%') {
        return Ok(Cow::Borrowed(raw));
    }
    if !is_encoded(raw) {
        return Err(Undecodable::Escape);
    }
    percent_decode_str(raw).decode_utf8().map_err(|_| Undecodable::Utf8)
}

/// Whether two hexadecimal digits follow every `%`.
fn is_encoded(raw: &str) -> bool {
    raw.split('%').skip(1).all(|rest| rest.len() >= 2 && rest.bytes().take(2).all(|digit| digit.is_ascii_hexdigit()))
}

/// Why a text cannot be percent-decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Undecodable {
    /// A `%` stands without two hexadecimal digits behind it.
    Escape,
    /// What comes out is not UTF-8.
    Utf8,
}

impl fmt::Display for Undecodable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Escape => "two hexadecimal digits are expected after every `%`; a `%` itself is written `%25`",
            Self::Utf8 => "UTF-8 is expected once it is percent-decoded",
        })
    }
}

impl std::error::Error for Undecodable {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_beyond_the_inline_ones_are_kept_and_forgotten_alike() {
        let path = "/a/b/c/d/e/f/g/h";
        let mut params = Params::default();
        for start in (1..path.len()).step_by(2) {
            params.push(start..start + 1);
        }
        assert_eq!(params.at(path, 7), Some("h"));
        params.truncate(7);
        assert_eq!((params.at(path, 6), params.at(path, 7)), (Some("g"), None));
        params.truncate(2);
        params.push(15..16);
        assert_eq!((params.len(), params.at(path, 2)), (3, Some("h")));
    }

    #[test]
    fn only_whole_escapes_of_utf8_are_decoded() {
        assert_eq!(decode("a+b"), Ok(Cow::Borrowed("a+b")));
        assert_eq!(decode("a%2Fb%c3%A4").as_deref(), Ok("a/bä"));
        for raw in ["%", "%4", "%zz", "a%2", "%%41", "%2ä"] {
            assert_eq!(decode(raw), Err(Undecodable::Escape), "{raw}");
        }
        assert_eq!(decode("%ff"), Err(Undecodable::Utf8));
    }
}
