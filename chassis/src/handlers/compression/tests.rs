//! Bodies as callers send and get them, run through a chain.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::body::Bytes;
use axum::response::{IntoResponse, Response};
use futures_util::{FutureExt, stream};
use http::Request;
use http::header::{CONTENT_TYPE, ETAG};
use http_body::{Body as HttpBody, Frame};
use http_body_util::BodyExt;
use serde_json::{Value, json};

use super::coding::Encoder;
use super::decoder::Decoder;
use super::*;
use crate::argument::Argument;
use crate::chain::{Chain, Form, Step};
use crate::clock::Clock;
use crate::conf::fixture::built;
use crate::invocation::fixture;
use crate::operation::Operation;
use crate::schema::{BoxFuture, Endpoint};

type Answer = Box<dyn Fn() -> Response + Send + Sync>;

/// Answers as the test says, once it has read the whole body.
struct Answers(Answer);

impl Endpoint for Answers {
    fn call<'a>(&'a self, invocation: &'a mut Invocation) -> BoxFuture<'a, Reply> {
        Box::pin(async move {
            match Bytes::take(invocation).await {
                Ok(body) if body.is_empty() => Reply::from((self.0)()),
                Ok(body) => Reply::new(body),
                Err(response) => Reply::from(response),
            }
        })
    }
}

fn sent_to(conf: Value, request: Request<Body>, answer: impl Fn() -> Response + Send + Sync + 'static) -> Response {
    let handler: Compression = built(conf).unwrap();
    let step = Step { name: "compression".into(), form: Form::Hooks(Arc::new(handler)), terms: None };
    let chain = Chain { name: "default".into(), steps: [step].into() };
    let operation = Operation::new("test", "operation", "GET", "/");
    let mut call = fixture::with_operation(request, operation, Default::default());
    let answers = Answers(Box::new(answer));
    let reply = chain.run(&answers, &mut call, Clock::system()).now_or_never().unwrap();
    reply.into_response(&call)
}

fn get(accept: &str) -> Request<Body> {
    Request::get("/").header(ACCEPT_ENCODING, accept).body(Body::empty()).unwrap()
}

fn text() -> String {
    "the same words again and again, ".repeat(100)
}

fn html() -> Response {
    ([(CONTENT_TYPE, "text/html")], text()).into_response()
}

fn body(response: Response) -> Bytes {
    response.into_body().collect().now_or_never().unwrap().unwrap().to_bytes()
}

fn decoded(coding: Coding, sent: &[u8]) -> Vec<u8> {
    let mut decoder = Decoder::new(coding).unwrap();
    let mut all = decoder.decode(sent, 1 << 30).unwrap();
    all.extend(decoder.finish().unwrap());
    all
}

fn field<'a>(response: &'a Response, name: &str) -> Option<&'a str> {
    response.headers().get(name).map(|value| value.to_str().unwrap())
}

#[test]
fn a_reply_is_encoded_with_the_coding_that_the_caller_takes() {
    for coding in Coding::ALL {
        let response = sent_to(json!({}), get(coding.as_str()), html);
        assert_eq!(field(&response, "content-encoding"), Some(coding.as_str()));
        assert_eq!((field(&response, "vary"), field(&response, "content-length")), (Some("accept-encoding"), None));
        assert_eq!(response.body().size_hint().exact(), None);
        let body = body(response);
        assert!(body.len() < 200, "{}", body.len());
        assert_eq!(decoded(coding, &body), text().as_bytes());
    }
}

#[test]
fn who_takes_none_gets_it_as_it_is_and_caches_are_told() {
    for accept in ["", "identity", "gzip;q=0"] {
        let response = sent_to(json!({}), get(accept), html);
        assert_eq!((field(&response, "content-encoding"), field(&response, "vary")), (None, Some("accept-encoding")));
        assert_eq!(body(response), text());
    }
    let vary = || ([(CONTENT_TYPE, "text/html"), (VARY, "origin, Accept-Encoding")], text()).into_response();
    assert_eq!(sent_to(json!({}), get("gzip"), vary).headers().get_all(VARY).iter().count(), 1);
}

#[test]
fn a_caller_that_takes_nothing_that_there_is_gets_406_and_nothing_is_done() {
    let response = sent_to(json!({}), get("identity;q=0"), || panic!("it must not run"));
    assert_eq!((response.status(), field(&response, "vary")), (StatusCode::NOT_ACCEPTABLE, Some("accept-encoding")));
    let small = || ([(CONTENT_TYPE, "image/png")], "small").into_response();
    assert_eq!(field(&sent_to(json!({}), get("gzip, identity;q=0"), small), "content-encoding"), Some("gzip"));
}

/// Whether a reply stays as it is for who takes gzip, and whether it says that others may get it otherwise.
fn kept(change: impl Fn(&mut Response) + Send + Sync + 'static) -> (bool, bool) {
    let response = sent_to(json!({}), get("gzip"), move || {
        let mut response = html();
        change(&mut response);
        response
    });
    (field(&response, "content-encoding") != Some("gzip"), response.headers().contains_key(VARY))
}

#[test]
fn what_must_or_may_as_well_stay_as_it_is_is_not_touched() {
    let (encoded, unworthy, always) = ((false, true), (true, true), (true, false));
    let said = |name: &'static str, value: &'static str| {
        move |response: &mut Response| {
            response.headers_mut().insert(name, HeaderValue::from_static(value));
        }
    };
    assert_eq!(kept(|_| {}), encoded);
    assert_eq!(kept(said("content-encoding", "identity")), encoded);
    assert_eq!(kept(said("content-encoding", "br")), always);
    assert_eq!(kept(said("content-range", "bytes 0-9/10")), always);
    assert_eq!(kept(said("cache-control", "public, No-Transform")), always);
    for status in [204, 205, 206] {
        let with = move |response: &mut Response| *response.status_mut() = StatusCode::from_u16(status).unwrap();
        assert_eq!(kept(with), always, "{status}");
    }
    assert_eq!(kept(said("content-type", "image/png")), unworthy);
    assert_eq!(kept(|response| *response.body_mut() = Body::from("small")), unworthy);
    assert_eq!(kept(|response| _ = response.headers_mut().remove(CONTENT_TYPE)), unworthy);
    let offers_none = sent_to(json!({ "encodings": [] }), get("gzip"), html);
    assert_eq!((field(&offers_none, "content-encoding"), field(&offers_none, "vary")), (None, None));
}

#[test]
fn what_was_said_of_the_bytes_does_not_outlive_them() {
    let tagged = |tag: &'static str| {
        move || {
            let fields =
                [("content-type", "text/css"), ("etag", tag), ("accept-ranges", "bytes"), ("content-length", "3200")];
            (fields, text()).into_response()
        }
    };
    let response = sent_to(json!({}), get("gzip"), tagged("\"v1\""));
    assert_eq!((&response.headers()[ETAG], field(&response, "accept-ranges")), (&"W/\"v1\"".parse().unwrap(), None));
    assert_eq!(field(&response, "content-length"), None);
    assert_eq!(sent_to(json!({}), get("gzip"), tagged("W/\"v1\"")).headers()[ETAG], "W/\"v1\"");
    assert_eq!(sent_to(json!({}), get(""), tagged("\"v1\"")).headers()[ETAG], "\"v1\"");
}

#[test]
fn who_has_an_encoded_one_is_told_that_this_one_is_unchanged() {
    let told = |tag: &'static str, known: &str| {
        let unchanged = move || (StatusCode::NOT_MODIFIED, [("etag", tag)]).into_response();
        let request = Request::get("/").header(ACCEPT_ENCODING, "gzip").header("if-none-match", known);
        let response = sent_to(json!({}), request.body(Body::empty()).unwrap(), unchanged);
        assert_eq!(response.headers()[VARY], "accept-encoding", "{tag} {known}");
        response.headers()[ETAG].to_str().unwrap().to_owned()
    };
    assert_eq!(told("\"v1\"", "\"v0\", W/\"v1\""), "W/\"v1\"");
    assert_eq!(told("\"v1\"", "\"v1\""), "\"v1\"");
    assert_eq!(told("\"v1\"", "*"), "\"v1\"");
    assert_eq!(told("W/\"v1\"", "W/\"v1\""), "W/\"v1\"");
    assert_eq!(told("\"v,1\"", "\"v0\", W/\"v,1\""), "W/\"v,1\"");
    assert_eq!(told("\"1\"", "W/\"v, W/\", \"1\""), "\"1\"", "what is within a tag is no tag");
}

#[test]
fn a_head_has_the_fields_of_the_get_and_says_no_length() {
    let request = Request::head("/").header(ACCEPT_ENCODING, "gzip").body(Body::empty()).unwrap();
    let response = sent_to(json!({}), request, html);
    assert_eq!((field(&response, "content-encoding"), response.body().size_hint().exact()), (Some("gzip"), None));
}

#[test]
fn a_problem_document_is_sent_as_it_is() {
    let response =
        sent_to(json!({ "min-size": "1B" }), get("gzip"), || Fault::new(Code::NotFound, "Not there.").into_response());
    assert_eq!((field(&response, "content-encoding"), field(&response, "vary")), (None, None));
    assert!(body(response).starts_with(b"{"));
}

/// Gives one piece each time it is polled twice, and trailers at the end.
struct Slow(Vec<&'static str>, bool);

impl HttpBody for Slow {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.1 = !self.1;
        if self.1 {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        let piece = if self.0.is_empty() { None } else { Some(self.0.remove(0)) };
        Poll::Ready(piece.map(|piece| match piece {
            "trailers" => Ok(Frame::trailers([("x-sum".parse().unwrap(), "1".parse().unwrap())].into_iter().collect())),
            piece => Ok(Frame::data(piece.into())),
        }))
    }
}

fn pieces(mut response: Response, coding: Coding) -> Vec<String> {
    let mut decoder = Decoder::new(coding).unwrap();
    let mut pieces = Vec::new();
    while let Some(frame) = response.body_mut().frame().now_or_never().flatten_pending(response.body_mut()) {
        match frame.into_data() {
            Ok(data) => pieces.push(String::from_utf8(decoder.decode(&data, 1 << 20).unwrap()).unwrap()),
            Err(frame) => pieces.push(format!("{:?}", frame.into_trailers().unwrap()["x-sum"])),
        }
    }
    pieces.retain(|piece| !piece.is_empty());
    pieces
}

/// Asks again where there was nothing yet.
trait FlattenPending {
    fn flatten_pending(self, body: &mut Body) -> Option<Frame<Bytes>>;
}

impl FlattenPending for Option<Option<Result<Frame<Bytes>, axum::Error>>> {
    fn flatten_pending(mut self, body: &mut Body) -> Option<Frame<Bytes>> {
        while self.is_none() {
            self = body.frame().now_or_never();
        }
        self.flatten().map(Result::unwrap)
    }
}

#[test]
fn what_is_there_is_sent_before_more_is_waited_for_and_trailers_come_last() {
    for coding in Coding::ALL {
        let slow =
            || ([(CONTENT_TYPE, "text/plain")], Body::new(Slow(vec!["one", "two", "trailers"], false))).into_response();
        assert_eq!(
            pieces(sent_to(json!({}), get(coding.as_str()), slow), coding),
            ["one", "two", "\"1\""],
            "{coding:?}"
        );
    }
}

#[test]
fn every_event_is_sent_at_once() {
    for coding in Coding::ALL {
        let events = || {
            let events = stream::iter(["data: 1\n\n", "data: 2\n\n"].map(Ok::<_, Infallible>));
            ([(CONTENT_TYPE, "text/event-stream; charset=utf-8")], Body::from_stream(events)).into_response()
        };
        let response = sent_to(json!({}), get(coding.as_str()), events);
        assert_eq!(pieces(response, coding), ["data: 1\n\n", "data: 2\n\n"], "{coding:?}");
    }
}

#[test]
fn a_body_that_fails_fails_encoded_too() {
    let broken = || {
        let stream = stream::iter([Ok("begin"), Err(std::io::Error::other("gone"))]);
        ([(CONTENT_TYPE, "text/plain")], Body::from_stream(stream)).into_response()
    };
    let response = sent_to(json!({}), get("gzip"), broken);
    assert!(response.into_body().collect().now_or_never().unwrap().is_err());
}

fn encoded(coding: Coding, text: &[u8]) -> Vec<u8> {
    let mut encoder = Encoder::new(coding, Effort::High).unwrap();
    encoder.write(text).unwrap();
    encoder.finish().unwrap()
}

fn posted(conf: Value, coding: &str, body: Vec<u8>) -> Response {
    let request = Request::post("/").header(CONTENT_ENCODING, coding).header(CONTENT_LENGTH, body.len());
    sent_to(conf, request.body(Body::from(body)).unwrap(), html)
}

#[test]
fn the_body_of_a_request_is_read_decoded() {
    for coding in Coding::ALL {
        let response = posted(json!({}), coding.as_str(), encoded(coding, text().as_bytes()));
        assert_eq!((response.status(), body(response)), (StatusCode::OK, text().into()), "{coding:?}");
    }
    assert_eq!(body(posted(json!({}), "identity", b"plain".to_vec())), "plain");
    assert_eq!(body(posted(json!({ "requests": { "encodings": [] } }), "br", b"odd".to_vec())), "odd");
}

#[test]
fn a_bomb_ends_with_413_and_nonsense_with_400() {
    for coding in Coding::ALL {
        let status = |conf: Value, body: Vec<u8>| posted(conf, coding.as_str(), body).status().as_u16();
        let bomb = encoded(coding, &vec![0; 1 << 20]);
        assert_eq!(status(json!({}), bomb.clone()), 413, "{coding:?}");
        assert_eq!(status(json!({ "requests": { "max-ratio": 100_000 } }), bomb.clone()), 200, "{coding:?}");
        let small = json!({ "requests": { "max-ratio": 100_000, "max-size": "1000KiB" } });
        assert_eq!(status(small, bomb), 413, "{coding:?}");
        assert_eq!(status(json!({}), b"nonsense".to_vec()), 400, "{coding:?}");
        let cut = encoded(coding, text().as_bytes());
        assert_eq!(status(json!({}), cut[..cut.len() - 1].to_vec()), 400, "{coding:?}");
    }
}

#[test]
fn a_refusal_shows_operators_which_limit_and_which_field() {
    let refused = |conf: Value, body: Vec<u8>| {
        let handler: Compression = built(conf).unwrap();
        let request = Request::post("/").header(CONTENT_ENCODING, "gzip");
        let mut call = fixture::call(request.body(body.into()).unwrap());
        assert!(matches!(handler.before(&mut call), Verdict::Continue));
        Reply::from(Bytes::take(&mut call).now_or_never().unwrap().unwrap_err())
    };
    let shown = |fault: &Fault, name: &str| fault.evidence().find(|(known, _)| *known == name).unwrap().1.clone();
    let bomb = encoded(Coding::Gzip, &vec![0; 1 << 20]);
    for (requests, policy, limit) in
        [(json!({}), "max-ratio", 100), (json!({ "max-size": "10KiB" }), "max-size", 10 << 10)]
    {
        let reply = refused(json!({ "requests": requests }), bomb.clone());
        let fault = reply.fault().unwrap();
        assert_eq!(
            (fault.policy(), shown(fault, "limit"), fault.handler()),
            (Some(policy), limit.into(), Some("compression"))
        );
        assert!(fault.remedy().unwrap().contains(policy));
    }
    let junk = refused(json!({}), b"junk".to_vec());
    assert_eq!(shown(junk.fault().unwrap(), "coding"), "gzip");
    let handler: Compression = built(json!({})).unwrap();
    let mut call = fixture::call(Request::post("/").header(CONTENT_ENCODING, "lzw").body(Body::empty()).unwrap());
    let Verdict::Refuse(fault) = handler.before(&mut call) else { panic!("it passed") };
    assert_eq!((shown(&fault, "content-encoding"), fault.remedy().is_some()), (json!("lzw"), true));
}

#[test]
fn a_coding_that_is_not_taken_is_refused_with_those_that_are() {
    let conf = json!({ "requests": { "encodings": ["gzip", "br"] } });
    for said in ["zstd", "compress", "gzip, br", "gzip, gzip", "gzip,gzip,gzip"] {
        let response = posted(conf.clone(), said, Vec::new());
        assert_eq!(
            (response.status().as_u16(), field(&response, "accept-encoding")),
            (415, Some("gzip, br")),
            "{said}"
        );
    }
}

#[test]
fn nothing_is_decoded_or_encoded_where_it_may_not_act() {
    let handler: Compression = built(json!({})).unwrap();
    let request = Request::post("/").header(CONTENT_ENCODING, "gzip").header(ACCEPT_ENCODING, "gzip");
    let mut call = fixture::call(request.body(Body::from("no gzip")).unwrap());
    call.call.decides_only = true;
    assert!(matches!(handler.before(&mut call), Verdict::Continue));
    assert_eq!(Bytes::take(&mut call).now_or_never().unwrap().unwrap(), "no gzip");
    let mut reply = Reply::from(html());
    let length = reply.length();
    handler.after(&call, &mut reply);
    assert_eq!((reply.length(), reply.headers().get(CONTENT_ENCODING)), (length, None));
}

#[test]
fn the_limit_on_bodies_counts_what_they_become() {
    let handler: Compression = built(json!({})).unwrap();
    let request = Request::post("/").header(CONTENT_ENCODING, "gzip");
    let mut call = fixture::call(request.body(encoded(Coding::Gzip, text().as_bytes()).into()).unwrap());
    call.call.body_limit = 1000;
    assert!(matches!(handler.before(&mut call), Verdict::Continue));
    let refused = Bytes::take(&mut call).now_or_never().unwrap().unwrap_err();
    assert_eq!(refused.status(), StatusCode::PAYLOAD_TOO_LARGE);
}
