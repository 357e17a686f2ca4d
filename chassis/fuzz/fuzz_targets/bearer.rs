//! Any `Authorization` fields, one a line: a token is found only where one is sent, and holds nothing that none has.

#![no_main]

use chassis::handlers::auth::bearer;
use http::{HeaderMap, HeaderValue, header};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let mut headers = HeaderMap::new();
    for line in bytes.split(|byte| *byte == b'\n').take(4) {
        let Ok(value) = HeaderValue::from_bytes(line) else { return };
        headers.append(header::AUTHORIZATION, value);
    }
    let Ok(Some(token)) = bearer(&headers) else { return };
    assert_eq!(headers.len(), 1, "two fields are ambiguous");
    assert!(!token.is_empty() && !token.contains(|c: char| c.is_ascii_whitespace() || !c.is_ascii()), "{token:?}");
});
