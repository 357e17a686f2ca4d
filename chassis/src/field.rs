//! Looks up header fields, also those that may stand in a request only once.

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
    fn the_first_value_is_found_among_few_and_among_many() {
        let (a, mut headers) = (HeaderName::from_static("a"), HeaderMap::new());
        for number in 0..2 * FEW {
            assert_eq!(first(&headers, &a), None, "{number} others");
            headers.append(HeaderName::try_from(format!("x-{number}")).unwrap(), HeaderValue::from_static("other"));
            let mut with = headers.clone();
            with.append(&a, HeaderValue::from_static("1"));
            with.append(&a, HeaderValue::from_static("2"));
            assert_eq!(first(&with, &a), Some(&HeaderValue::from_static("1")), "{number} others");
        }
    }

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
