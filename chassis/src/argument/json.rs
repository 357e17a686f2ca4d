//! JSON bodies as arguments.

use axum::body::Bytes;
use http_body::Body as _;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::error::Category;

use super::content::{self, JSON};
use super::refusal::{Flaw, Place, locate, nested};
use super::{Argument, body};
use crate::fault::{Code, Fault};
use crate::invocation::Invocation;

/// JSON (RFC 8259): as an argument the body of the call, as a result the body of the answer.
///
/// As an argument it is the last one. Media types that are built upon JSON, `application/…+json`, are read too.
///
/// # Rejections
/// * 415 with `Accept`: the body has another media type, or says none (RFC 9110 §15.5.16).
/// * 413: it is larger than [`Call::body_limit`](crate::invocation::Call::body_limit).
/// * 400 with line and column: there is no body, or it is cut short, not UTF-8, not JSON, or nested more than 128
///   deep.
/// * 422 with a JSON Pointer (RFC 6901): it is JSON, and not what `T` is read from (RFC 9110 §15.5.21).
///
/// `Option<Json<T>>` is `None` where there is no body; everything else is as above.
///
/// As a result it fails with 500 where `T` cannot be written as JSON, such as a map whose keys are not text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Json<T>(pub T);

impl<T: DeserializeOwned + Send> Argument for Json<T> {
    type Rejection = Fault;

    async fn take(invocation: &mut Invocation) -> Result<Self, Fault> {
        content::expect(invocation, &JSON)?;
        let body = body::read(invocation).await?;
        if body.is_empty() { Err(content::absent(&JSON)) } else { parse(&body).map(Self) }
    }
}

impl<T: DeserializeOwned + Send> Argument for Option<Json<T>> {
    type Rejection = Fault;

    async fn take(invocation: &mut Invocation) -> Result<Self, Fault> {
        if invocation.body.is_end_stream() {
            return Ok(None);
        }
        content::expect(invocation, &JSON)?;
        let body = body::read(invocation).await?;
        if body.is_empty() { Ok(None) } else { parse(&body).map(|value| Some(Json(value))) }
    }
}

fn parse<T: DeserializeOwned>(body: &Bytes) -> Result<T, Fault> {
    let text = body::text(body)?;
    // RFC 8259 §8.1: a byte order mark may be ignored, and some tools write one.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    serde_json::from_str(text).map_err(|error| refusal::<T>(text, error))
}

#[cold]
fn refusal<T: DeserializeOwned>(text: &str, error: serde_json::Error) -> Fault {
    // Reading stops at the first value that does not fit; what comes behind it may not even be JSON.
    let malformed = match error.classify() {
        Category::Data => serde_json::from_str::<IgnoredAny>(text).err(),
        _ => Some(error),
    };
    match malformed {
        Some(error) => {
            let (line, column, message) = (error.line(), error.column(), error.to_string());
            let detail = format!("JSON is expected, and at line {line}, column {column} it is not: {}", bare(&message));
            Flaw::new("", detail).refuse(Code::InvalidArgument, Place::Body)
        }
        None => misfit::<T>(text).refuse(Code::UnprocessableContent, Place::Body),
    }
}

/// Where JSON is not what `T` is read from.
fn misfit<T: DeserializeOwned>(text: &str) -> Flaw {
    match locate::<T, _>(&mut serde_json::Deserializer::from_str(text)) {
        Some((path, error)) => nested(&path, bare(&error.to_string())),
        None => Flaw::new("", "it is not what this operation reads"),
    }
}

/// The message without its place: the pointer, or the sentence around it, says that better.
fn bare(message: &str) -> &str {
    message.rsplit_once(" at line ").map_or(message, |(message, _)| message)
}

#[cfg(test)]
mod tests {
    use std::io;

    use axum::body::Body;
    use futures_util::{FutureExt, stream};
    use http::Request;
    use proptest::prelude::*;
    use serde::Deserialize;
    use serde_json::Value;

    use super::*;
    use crate::invocation::fixture::call;

    #[derive(Debug, PartialEq, Deserialize)]
    struct Letter {
        visitor: Visitor,
        #[serde(default)]
        pages: Vec<u8>,
    }

    #[derive(Debug, PartialEq, Deserialize)]
    struct Visitor {
        name: String,
    }

    fn take<T: DeserializeOwned + Send>(media_type: Option<&str>, body: impl Into<Body>) -> Result<T, Fault> {
        let request =
            media_type.map_or_else(Request::builder, |value| Request::builder().header("content-type", value));
        let json = Json::take(&mut call(request.body(body.into()).unwrap())).now_or_never().unwrap();
        json.map(|Json(value)| value)
    }

    fn refused(body: impl Into<Body>) -> (Code, String, String) {
        let fault = take::<Letter>(Some("application/json"), body).unwrap_err();
        let violation = &fault.violations()[0];
        assert_eq!(violation.place, "body");
        (fault.code(), violation.pointer.clone(), violation.detail.clone())
    }

    #[test]
    fn whatever_is_built_upon_json_is_read() {
        for media_type in ["application/json", "Application/JSON ; charset=UTF-8", "application/vnd.acme+json"] {
            let letter = take::<Letter>(Some(media_type), r#"{"visitor": {"name": "Ada"}}"#).unwrap();
            assert_eq!(letter.visitor.name, "Ada", "{media_type}");
        }
    }

    #[test]
    fn another_media_type_is_refused_with_the_one_that_is_read() {
        for media_type in
            [Some("text/plain"), Some("application/jsonp"), Some("+json"), Some("a/+json"), Some(""), None]
        {
            let fault = take::<Value>(media_type, "{}").unwrap_err();
            assert_eq!(fault.code(), Code::UnsupportedMediaType, "{media_type:?}");
            assert_eq!(fault.headers()["accept"], "application/json");
        }
    }

    #[test]
    fn a_compressed_body_is_refused_unless_a_handler_has_unpacked_it() {
        let request = Request::builder().header("content-type", "application/json").header("content-encoding", "gzip");
        let mut call = call(request.body(Body::from("{}")).unwrap());
        let fault = Json::<Value>::take(&mut call).now_or_never().unwrap().unwrap_err();
        assert_eq!(fault.code(), Code::UnsupportedMediaType);
        assert_eq!(fault.headers()["accept-encoding"], "identity");
    }

    #[test]
    fn a_body_without_a_coding_may_say_so() {
        for (said, taken) in
            [("", true), (" , ", true), ("identity", true), ("identity, Identity", true), (",br", false)]
        {
            let request =
                Request::builder().header("content-type", "application/json").header("content-encoding", said);
            let mut call = call(request.body(Body::from("{}")).unwrap());
            let result = Json::<Value>::take(&mut call).now_or_never().unwrap();
            assert_eq!(result.is_ok(), taken, "{said}");
        }
    }

    #[test]
    fn a_missing_body_is_said_to_be_missing() {
        let streamed = Body::from_stream(stream::iter([Ok::<_, io::Error>(Bytes::new())]));
        for (media_type, body) in
            [(None, Body::empty()), (Some("application/json"), Body::empty()), (Some("application/json"), streamed)]
        {
            let fault = take::<Value>(media_type, body).unwrap_err();
            assert_eq!(fault.code(), Code::InvalidArgument);
            assert!(fault.detail().contains("no body"), "{}", fault.detail());
        }
    }

    #[test]
    fn a_body_that_may_be_missing_is_none() {
        let take = |body| {
            let request = Request::builder().header("content-type", "application/json").body(body);
            <Option<Json<u8>> as Argument>::take(&mut call(request.unwrap())).now_or_never().unwrap()
        };
        let streamed = |text| Body::from_stream(stream::iter([Ok::<_, io::Error>(Bytes::from(text))]));
        assert_eq!(take(Body::empty()).unwrap(), None);
        assert_eq!(take(streamed("")).unwrap(), None);
        assert_eq!(take(streamed("7")).unwrap(), Some(Json(7)));
        assert_eq!(take(Body::from("x")).unwrap_err().code(), Code::InvalidArgument);
    }

    #[test]
    fn a_byte_order_mark_is_ignored() {
        assert_eq!(take::<u8>(Some("application/json"), "\u{feff}7").unwrap(), 7);
    }

    #[test]
    fn what_is_not_json_is_refused_with_line_and_column() {
        let (code, pointer, detail) = refused("{\n  \"visitor\": }");
        assert_eq!((code, pointer.as_str()), (Code::InvalidArgument, ""));
        assert!(detail.contains("line 2, column 14"), "{detail}");
        for body in ["{", "{} {}", "{}x", "nul", "\"\u{1}\"", "1e999", r#"{"visitor": 7,}"#] {
            assert_eq!(refused(body).0, Code::InvalidArgument, "{body}");
        }
    }

    #[test]
    fn depth_is_bounded() {
        let fault = take::<Value>(Some("application/json"), "[".repeat(100_000)).unwrap_err();
        assert_eq!(fault.code(), Code::InvalidArgument);
        assert!(fault.detail().contains("recursion limit"), "{}", fault.detail());
    }

    #[test]
    fn what_is_not_utf8_is_refused_with_its_place() {
        let (code, _, detail) = refused(&b"{\"\xff\"}"[..]);
        assert_eq!((code, detail.as_str()), (Code::InvalidArgument, "UTF-8 is expected, and byte 2 is not"));
    }

    #[test]
    fn json_of_another_shape_is_refused_with_a_pointer() {
        let unprocessable = |body: &'static str, pointer: &str| {
            let (code, found, detail) = refused(body);
            assert_eq!((code, found.as_str()), (Code::UnprocessableContent, pointer), "{detail}");
            detail
        };
        let detail = unprocessable(r#"{"visitor": {"name": 7}}"#, "/visitor/name");
        assert_eq!(detail, "invalid type: integer `7`, expected a string");
        unprocessable(r#"{"visitor": {}}"#, "/visitor/name");
        unprocessable(r#"{"visitor": {"name": "a"}, "pages": [1, 2, 300]}"#, "/pages/2");
        assert_eq!(unprocessable("{}", "/visitor"), "it is missing");
        assert_eq!(unprocessable("7", ""), "invalid type: integer `7`, expected an object");
    }

    #[test]
    fn numbers_of_64_bits_stay_whole() {
        assert_eq!(take::<u64>(Some("application/json"), u64::MAX.to_string()).unwrap(), u64::MAX);
    }

    proptest! {
        #[test]
        fn no_body_panics(body in prop::collection::vec(any::<u8>(), 0..64)) {
            let _ = take::<Letter>(Some("application/json"), body);
        }

        #[test]
        fn no_json_panics(body in "[\\[\\]{}:,\"a-z0-9 .\\\\-]{0,48}") {
            let _ = (take::<Letter>(Some("application/json"), body.clone()), take::<Value>(Some("application/json"), body));
        }
    }
}
