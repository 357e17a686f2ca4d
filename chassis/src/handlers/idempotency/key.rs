//! The key that a caller gives a call, and what a call is known by.

use aws_lc_rs::digest::{Context, SHA256, SHA256_OUTPUT_LEN};
use http::HeaderMap;
use sfv::{BareItem, Parser};

use crate::invocation::Invocation;
use crate::principal::Principal;

/// The field (draft-ietf-httpapi-idempotency-key-header §2).
pub(super) const FIELD: &str = "idempotency-key";
/// The longest key, in bytes.
const LONGEST: usize = 255;

/// What a key looks like.
pub(super) const FORM: &str = "one string in quotes, of 1 to 255 printable characters (RFC 9651 §3.3.3), such as \
                               \"8e03978e-40d5-43dd-bc93-6894a57f9324\"";

/// Names a call or what it says: a digest, so that all take the same room.
pub(super) type Digest = [u8; SHA256_OUTPUT_LEN];

/// The key of a call; `None` if it has none.
///
/// # Errors
/// It has several, or what it has is no string.
pub(super) fn key(headers: &HeaderMap, takes_bare: bool) -> Result<Option<String>, ()> {
    let mut values = headers.get_all(FIELD).iter();
    let Some(value) = values.next() else { return Ok(None) };
    let text = value.to_str().map_err(|_| ())?.trim_matches(' ');
    let key = if text.starts_with('"') || !takes_bare { string(text).ok_or(())? } else { bare(text).ok_or(())? };
    let is_one = values.next().is_none() && (1..=LONGEST).contains(&key.len());
    if is_one { Ok(Some(key)) } else { Err(()) }
}

/// A string of structured fields (RFC 9651 §3.3.3). Parameters mean nothing here, and are passed over.
fn string(text: &str) -> Option<String> {
    match Parser::new(text).parse_item() {
        Ok(BareItem::String(string)) => Some(string.into()),
        _ => None,
    }
}

/// A key without quotes, as many clients send it.
fn bare(text: &str) -> Option<String> {
    let is_plain = text.bytes().all(|byte| byte.is_ascii_graphic() && !b"\",;\\".contains(&byte));
    is_plain.then(|| text.to_owned())
}

/// What a key names: it is of one caller and one operation. Callers that are not known are one.
pub(super) fn name(invocation: &Invocation, key: &str) -> Digest {
    let operation = invocation.operation().map_or("", |operation| operation.id.as_str());
    let identity = invocation.call.principal.as_ref().map(Principal::identity);
    let (scheme, subject) = identity.map_or(("", ""), |identity| (&identity.scheme, &identity.subject));
    digest([scheme, subject, operation, key].map(str::as_bytes))
}

/// What tells one payload from another.
pub(super) fn fingerprint(invocation: &Invocation, body: &[u8]) -> Digest {
    let target = invocation.uri().path_and_query().map_or("", |target| target.as_str());
    digest([invocation.method().as_str().as_bytes(), target.as_bytes(), body])
}

/// Each part with its length before it, so that no two lists of parts are alike.
fn digest<const N: usize>(parts: [&[u8]; N]) -> Digest {
    let mut context = Context::new(&SHA256);
    for part in parts {
        context.update(&(part.len() as u64).to_be_bytes());
        context.update(part);
    }
    let mut digest = Digest::default();
    digest.copy_from_slice(context.finish().as_ref());
    digest
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(values: &[&str], takes_bare: bool) -> Result<Option<String>, ()> {
        let mut headers = HeaderMap::new();
        values.iter().for_each(|value| _ = headers.append(FIELD, value.parse().unwrap()));
        key(&headers, takes_bare)
    }

    #[test]
    fn a_key_is_one_quoted_string() {
        assert_eq!(read(&[], false), Ok(None));
        assert_eq!(read(&["\"a-1 b\""], false), Ok(Some("a-1 b".to_owned())));
        assert_eq!(read(&[" \"a\\\"b\\\\\" "], false), Ok(Some("a\"b\\".to_owned())));
        assert_eq!(read(&["\"a\";p=1;q"], false), Ok(Some("a".to_owned())), "parameters mean nothing");
        let long = format!("\"{}\"", "a".repeat(LONGEST + 1));
        for wrong in [
            "a",
            "",
            "\"",
            "\"\"",
            "\"a",
            "\"a\\b\"",
            "\"a\"b\"",
            "\"a\";",
            "\"a\";p=",
            "\"a\", \"b\"",
            "7",
            ":YQ==:",
            &long,
        ] {
            assert_eq!(read(&[wrong], false), Err(()), "{wrong}");
        }
        assert_eq!(read(&["\"a\"", "\"a\""], false), Err(()));
    }

    #[test]
    fn a_bare_key_is_taken_where_that_is_said() {
        assert_eq!(read(&["8e03-40d5"], true), Ok(Some("8e03-40d5".to_owned())));
        assert_eq!(read(&["\"8e03\""], true), Ok(Some("8e03".to_owned())));
        for wrong in ["a, b", "a b", "a;b", "", "\"a"] {
            assert_eq!(read(&[wrong], true), Err(()), "{wrong}");
        }
    }

    #[test]
    fn parts_do_not_run_into_each_other() {
        assert_ne!(digest([b"ab".as_slice(), b"c"]), digest([b"a".as_slice(), b"bc"]));
    }
}
