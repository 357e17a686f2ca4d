//! Writes URIs into `Location` (RFC 9110 §10.2.2), whatever the values in them hold.

use std::fmt;

use http::HeaderValue;
use percent_encoding::{AsciiSet, CONTROLS, NON_ALPHANUMERIC, percent_encode, utf8_percent_encode};

/// What a URI never holds as it is (RFC 3986 §2); `%` stays, because escapes that are there already are meant.
const FOREIGN: &AsciiSet =
    &CONTROLS.add(b' ').add(b'"').add(b'<').add(b'>').add(b'\\').add(b'^').add(b'`').add(b'{').add(b'|').add(b'}');

/// What a segment of a path does not hold as it is: all but the unreserved characters (RFC 3986 §2.3).
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A value as one segment of a path: it prints percent-encoded, so that a slash in it splits nothing.
///
/// ```
/// use chassis::answer::Segment;
/// assert_eq!(format!("/greetings/{}", Segment("Ada / Bob")), "/greetings/Ada%20%2F%20Bob");
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Segment<'a>(pub &'a str);

impl fmt::Display for Segment<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        utf8_percent_encode(self.0, RESERVED).fmt(f)
    }
}

/// The field value of a location.
pub(super) fn field(location: &str) -> HeaderValue {
    let encoded = percent_encode(location.as_bytes(), FOREIGN).to_string();
    // Nothing but visible ASCII is left, which is what a field value is made of.
    HeaderValue::try_from(encoded).unwrap_or_else(|_| HeaderValue::from_static("/"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::invocation::decode;

    #[test]
    fn a_uri_stays_as_it_is() {
        let uri = "https://example.org:8443/a/b%2Fc;v=1?d=e&f=[g]#h";
        assert_eq!(field(uri), uri);
    }

    proptest! {
        #[test]
        fn a_segment_holds_any_text(text in "\\PC*") {
            let segment = Segment(&text).to_string();
            prop_assert!(!segment.contains('/'));
            prop_assert_eq!(decode(&segment).unwrap(), text);
        }

        #[test]
        fn any_text_becomes_a_field(text in any::<String>()) {
            prop_assert_eq!(decode(field(&text).to_str().unwrap()).is_ok() || text.contains('%'), true);
        }
    }
}
