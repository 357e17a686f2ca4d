//! Header fields, and those that mean something only if they stand in a request once.

use http::{HeaderMap, HeaderName, HeaderValue};

/// The field stands in the request more than once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Repeated;

/// With so few fields, looking at each costs less than to hash a name.
const FEW: usize = 12;

/// The first value of a field, if it is there.
#[inline]
pub(crate) fn first<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a HeaderValue> {
    match headers.len() {
        0..=FEW => headers.iter().find(|(known, _)| *known == name).map(|(_, value)| value),
        _ => headers.get(name),
    }
}

/// The only value of a field, if it is there.
#[inline]
pub(crate) fn sole<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<Option<&'a HeaderValue>, Repeated> {
    let Some(value) = first(headers, name) else { return Ok(None) };
    // In most requests no field is repeated, and then nobody need look whether this one is.
    let is_sole = headers.len() == headers.keys_len() || headers.get_all(name).iter().nth(1).is_none();
    if is_sole { Ok(Some(value)) } else { Err(Repeated) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_the_only_one_whatever_else_is_repeated() {
        let (a, b) = (HeaderName::from_static("a"), HeaderName::from_static("b"));
        let mut headers = HeaderMap::new();
        assert_eq!(sole(&headers, &a), Ok(None));
        headers.append(&a, HeaderValue::from_static("1"));
        assert_eq!(sole(&headers, &a), Ok(Some(&HeaderValue::from_static("1"))));
        headers.append(&b, HeaderValue::from_static("2"));
        headers.append(&b, HeaderValue::from_static("3"));
        assert_eq!(sole(&headers, &a), Ok(Some(&HeaderValue::from_static("1"))));
        assert_eq!(sole(&headers, &b), Err(Repeated));
    }
}
