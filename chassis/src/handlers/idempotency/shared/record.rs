//! An answer as bytes, and back.

use bytes::{Buf, BufMut, Bytes};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};

use super::super::store::Record;

/// How answers are written. Others are not read.
const VERSION: u8 = 1;

/// Writes an answer: version, status, how many fields, each with its lengths, and the body.
pub(super) fn encode(record: &Record) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(record.weight());
    bytes.put_u8(VERSION);
    bytes.put_u16(record.status.as_u16());
    bytes.put_u32(length(record.headers.len()));
    for (name, value) in &record.headers {
        for part in [name.as_str().as_bytes(), value.as_bytes()] {
            bytes.put_u32(length(part.len()));
            bytes.put_slice(part);
        }
    }
    bytes.put_slice(&record.body);
    bytes
}

/// Reads an answer; `None` if it is none.
pub(super) fn decode(bytes: Vec<u8>) -> Option<Record> {
    let mut bytes = Bytes::from(bytes);
    if bytes.try_get_u8().ok()? != VERSION {
        return None;
    }
    let status = StatusCode::from_u16(bytes.try_get_u16().ok()?).ok()?;
    let mut headers = HeaderMap::new();
    for _ in 0..bytes.try_get_u32().ok()? {
        let name = HeaderName::from_bytes(&part(&mut bytes)?).ok()?;
        let value = HeaderValue::from_maybe_shared(part(&mut bytes)?).ok()?;
        headers.try_append(name, value).ok()?;
    }
    Some(Record { status, headers, body: bytes })
}

fn part(bytes: &mut Bytes) -> Option<Bytes> {
    let length = usize::try_from(bytes.try_get_u32().ok()?).ok()?;
    (length <= bytes.len()).then(|| bytes.split_to(length))
}

/// What is kept is far shorter.
fn length(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn record() -> Record {
        let mut headers = HeaderMap::new();
        headers.append("etag", HeaderValue::from_static("\"a\""));
        headers.append("link", HeaderValue::from_bytes(b"\xff").unwrap());
        headers.append("link", HeaderValue::from_static(""));
        Record { status: StatusCode::CREATED, headers, body: Bytes::from_static(b"a\0b") }
    }

    #[test]
    fn an_answer_is_read_as_it_was_written() {
        assert_eq!(decode(encode(&record())), Some(record()));
        let empty = Record { status: StatusCode::NO_CONTENT, headers: HeaderMap::new(), body: Bytes::new() };
        assert_eq!(decode(encode(&empty)), Some(empty));
    }

    #[test]
    fn an_answer_that_is_cut_off_in_its_fields_is_none() {
        let whole = encode(&record());
        let fields = whole.len() - record().body.len();
        assert!((0..fields).all(|length| decode(whole[..length].to_vec()).is_none()));
    }

    proptest! {
        #[test]
        fn whatever_is_read_does_no_harm(mut bytes: Vec<u8>) {
            decode(bytes.clone());
            bytes.splice(..0, [VERSION, 0, 200, 0, 0, 0]);
            decode(bytes);
        }
    }
}
