//! Finds the bearer token of a call (RFC 6750 §2.1): in the `Authorization` field and nowhere else.

use http::{HeaderMap, HeaderValue, header};

use super::refusal::Refusal;
use crate::field::sole;

/// The token of `Authorization: Bearer …`, the scheme in any case. `None` where nothing or another scheme is sent.
///
/// A token is never looked for in the query: it would end up in logs and histories (RFC 9700 §4.3.2).
///
/// # Errors
/// More than one `Authorization` field, or a token with characters that no token has.
pub fn bearer(headers: &HeaderMap) -> Result<Option<&str>, Refusal> {
    credentials(headers)?.map(token).transpose()
}

/// The same, but what is sent may be anything.
fn credentials(headers: &HeaderMap) -> Result<Option<&[u8]>, Refusal> {
    let sent = authorization(headers)?;
    Ok(sent.and_then(|(scheme, rest)| scheme.eq_ignore_ascii_case(b"bearer").then_some(rest)))
}

/// What the `Authorization` field says (RFC 9110 §11.4): the scheme, and what comes after it.
pub(super) fn authorization(headers: &HeaderMap) -> Result<Option<(&[u8], &[u8])>, Refusal> {
    let value = sole(headers, &header::AUTHORIZATION).map_err(|_| Refusal::Several)?;
    let Some(value) = value.map(HeaderValue::as_bytes) else { return Ok(None) };
    // As nearly everybody writes it.
    if let Some(token) = value.strip_prefix(b"Bearer ") {
        return Ok(Some((&value[..6], token.trim_ascii())));
    }
    let (scheme, rest) = value.split_at(value.iter().position(|byte| *byte == b' ').unwrap_or(value.len()));
    Ok(Some((scheme, rest.trim_ascii())))
}

/// What was sent, if it is a `token68` (RFC 9110 §11.2).
pub(super) fn token(sent: &[u8]) -> Result<&str, Refusal> {
    let allowed = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._~+/=".contains(byte);
    match std::str::from_utf8(sent) {
        Ok(text) if !sent.is_empty() && sent.iter().all(allowed) => Ok(text),
        _ => Err(Refusal::Malformed),
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use proptest::prelude::*;

    use super::*;

    fn headers(values: &[&[u8]]) -> HeaderMap {
        let field = |value: &&[u8]| (header::AUTHORIZATION, HeaderValue::from_bytes(value).unwrap());
        let mut headers = HeaderMap::new();
        headers.extend(values.iter().map(field));
        headers
    }

    #[test]
    fn the_scheme_is_read_in_any_case() {
        for value in ["Bearer a.b.c", "bearer a.b.c", "BEARER   a.b.c "] {
            assert_eq!(bearer(&headers(&[value.as_bytes()])), Ok(Some("a.b.c")), "{value}");
        }
    }

    #[test]
    fn another_scheme_is_no_token() {
        assert_eq!(bearer(&headers(&[])), Ok(None));
        assert_eq!(bearer(&headers(&[b"Basic QWxhZGRpbg=="])), Ok(None));
        assert_eq!(bearer(&headers(&[b"QWxhZGRpbg=="])), Ok(None));
        assert_eq!(bearer(&headers(&[b"Bearera.b.c"])), Ok(None));
    }

    #[test]
    fn what_no_token_looks_like_is_refused() {
        for value in [&b"Bearer"[..], b"Bearer ", b"Bearer a b", b"Bearer a,Bearer b", b"Bearer \"a\"", b"Bearer \xff"]
        {
            assert_eq!(bearer(&headers(&[value])), Err(Refusal::Malformed), "{value:?}");
        }
    }

    #[test]
    fn a_second_field_is_refused_whatever_it_says() {
        assert_eq!(bearer(&headers(&[b"Bearer a", b"Bearer a"])), Err(Refusal::Several));
        assert_eq!(bearer(&headers(&[b"Bearer a", b"Basic b"])), Err(Refusal::Several));
    }

    proptest! {
        #[test]
        fn no_bytes_panic_and_a_token_is_part_of_the_field(bytes in proptest::collection::vec(b' '..=b'~', 0..40)) {
            let headers = headers(&[&[b"Bearer ", &bytes[..]].concat()]);
            if let Ok(Some(token)) = bearer(&headers) {
                prop_assert_eq!(token, std::str::from_utf8(&bytes).unwrap().trim_matches(' '));
            }
        }
    }
}
