//! `compression`: encodes replies that callers take encoded, and decodes the bodies of requests.
//!
//! The caller chooses the coding with `Accept-Encoding` (RFC 9110 §12.5.3); of those it likes as much the first of
//! `encodings` is taken. A reply is encoded while it is sent, if its type is listed, it is not small, and nothing says
//! that it must stay as it is: another `Content-Encoding`, a range, `Cache-Control: no-transform`. Its strong `ETag`
//! becomes weak, and what was said of its length or digest goes. `Vary` says that it depends on `Accept-Encoding`,
//! whatever the caller accepts, also of what is small or of another type: that is encoded for who takes it no other way.
//! Events and other streams are flushed whenever nothing more is there to be sent. A `HEAD` is answered with the fields
//! of the `GET`, and encodes nothing. Problem documents are sent as they are.
//!
//! A request body with `Content-Encoding` is decoded while it is read. What it may become is bounded in bytes and by
//! its ratio: a small body that becomes a large one ends with 413 before it is large. A coding that is not taken is
//! refused with 415, and `Accept-Encoding` says which are (RFC 9110 §15.5.16).
//!
//! Where a reply holds a secret beside something that a stranger can make the caller send, its length betrays the
//! secret a letter at a time (BREACH). Keep such operations out with `when`, or keep secrets out of bodies.

#![expect(unsafe_code, reason = "the entry of a handler stands in a section of the linker")]

use axum::body::Body;
use http::StatusCode;
use http::header::{ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_LENGTH, HeaderMap, HeaderName, HeaderValue, VARY};

use crate::conf::{BuildContext, BuildError, Configure, Size};
use crate::fault::{Code, Fault};
use crate::handler::{Handler, Verdict};
use crate::invocation::Invocation;
use crate::outbox::shortened;
use crate::reply::Reply;
use crate::{conf, handler};

mod accept;
mod coding;
mod decoded;
mod decoder;
mod encoded;
mod kind;
mod metric;
mod rules;
#[cfg(test)]
mod tests;

pub use coding::{Coding, Effort};

use accept::Choice;
use decoded::{Bounds, Decoded};
use encoded::Encoded;
use kind::{Kind, media_type};
use metric::Sizes;

/// Which bodies are encoded and decoded.
#[conf]
pub struct Conf {
    /// The codings of replies, the best first: `zstd`, `br`, `gzip`, `deflate`. None sends all replies as they are.
    #[conf(default = Coding::ALL.to_vec())]
    pub encodings: Vec<Coding>,
    /// How hard it is tried to make replies small: `low`, `medium` or `high`.
    #[conf(default = Effort::Medium)]
    pub effort: Effort,
    /// The size from which on a reply is encoded. Smaller ones hardly get smaller.
    #[conf(default = Size(1 << 10))]
    pub min_size: Size,
    /// The media types of replies that are encoded: `text/html`, `text/*`, `*+json`. Images and archives hardly get
    /// smaller.
    #[conf(default = usual_types())]
    pub types: Vec<String>,
    /// The bodies of requests.
    #[conf(default)]
    pub requests: Requests,
}

/// How bodies of requests are decoded.
#[conf]
pub struct Requests {
    /// The codings that are decoded. Without one, bodies are passed on as they were sent.
    #[conf(default = Coding::ALL.to_vec())]
    pub encodings: Vec<Coding>,
    /// How large a body may become. A smaller limit on the bodies of calls counts as well.
    #[conf(default = Size(10 << 20))]
    pub max_size: Size,
    /// How many times as large as it was sent a body may become, beyond its first 64KiB.
    #[conf(default = 100, range(1..))]
    pub max_ratio: u64,
}

fn usual_types() -> Vec<String> {
    let names = "text/* *+json *+xml application/json application/xml application/javascript application/wasm \
                 application/yaml application/x-ndjson";
    names.split(' ').map(str::to_owned).collect()
}

/// Encodes replies that callers take encoded (gzip, deflate, br, zstd), and decodes the bodies of requests. List it
/// outside of what looks at bodies.
#[handler("compression")]
pub struct Compression {
    encodings: Vec<Coding>,
    effort: Effort,
    min_size: u64,
    types: Vec<Kind>,
    sizes: [Sizes; Coding::ALL.len()],
    taken: Vec<Coding>,
    bounds: Bounds,
}

impl Configure for Compression {
    type Conf = Conf;

    fn build(conf: Conf, context: &BuildContext<'_>) -> Result<Self, BuildError> {
        let types = conf.types.iter().enumerate().map(|(at, text)| Kind::parse(text, at));
        Ok(Self {
            encodings: conf.encodings,
            effort: conf.effort,
            min_size: conf.min_size.0,
            types: types.collect::<Result<_, _>>()?,
            sizes: Coding::ALL.map(|coding| Sizes::new(&context.process.metrics, coding)),
            taken: conf.requests.encodings,
            bounds: Bounds { most: conf.requests.max_size.0, ratio: conf.requests.max_ratio },
        })
    }
}

impl Handler for Compression {
    fn before(&self, invocation: &mut Invocation) -> Verdict {
        let choice = accept::choose(invocation.headers(), &self.encodings);
        if choice == Choice::Nothing && invocation.operation().is_some() {
            return Verdict::Refuse(not_acceptable(&self.encodings, invocation.headers()));
        }
        match sent(invocation.headers()) {
            None => Verdict::Continue,
            Some(_) if self.taken.is_empty() => Verdict::Continue,
            Some(name) => match Coding::parse(name).filter(|coding| self.taken.contains(coding)) {
                Some(coding) if invocation.call.may_act() => self.decode(invocation, coding),
                Some(_) => Verdict::Continue,
                None => Verdict::Refuse(unsupported(&self.taken, invocation.headers())),
            },
        }
    }

    fn after(&self, invocation: &Invocation, reply: &mut Reply) {
        if reply.status() == StatusCode::NOT_MODIFIED && reply.fault().is_none() && !self.encodings.is_empty() {
            rules::unchanged(reply.headers_mut(), invocation.headers());
        }
        if !invocation.call.may_act() || !rules::may_be_encoded(reply) {
            return;
        }
        let coding = match accept::choose(invocation.headers(), &self.encodings) {
            Choice::OnlyEncoded(coding) => Some(coding),
            Choice::Encoded(coding) => Some(coding).filter(|_| self.is_worth_it(reply)),
            Choice::Plain | Choice::Nothing => None,
        };
        // Also of what is not worth it: who takes nothing as it is gets that encoded, or 406.
        if !self.encodings.is_empty() {
            rules::vary(reply.headers_mut());
        }
        if let Some(coding) = coding {
            self.encode(reply, coding);
        }
    }
}

impl Compression {
    fn is_worth_it(&self, reply: &Reply) -> bool {
        let is_large = reply.length().is_none_or(|length| length >= self.min_size);
        is_large && media_type(reply.headers()).is_some_and(|name| self.types.iter().any(|kind| kind.fits(name)))
    }

    fn encode(&self, reply: &mut Reply, coding: Coding) {
        let is_events = media_type(reply.headers()).is_some_and(|name| name.eq_ignore_ascii_case("text/event-stream"));
        rules::encoded(reply.headers_mut(), coding);
        let (effort, sizes) = (self.effort, self.sizes[coding as usize].clone());
        reply.map_body(|body| Body::new(Encoded::new(body, coding, effort, is_events, sizes)));
    }

    fn decode(&self, invocation: &mut Invocation, coding: Coding) -> Verdict {
        let bounds = self.bounds;
        invocation.parts.headers.remove(CONTENT_ENCODING);
        invocation.parts.headers.remove(CONTENT_LENGTH);
        let body = std::mem::take(&mut invocation.body);
        invocation.body = Body::new(Decoded::new(body, coding, bounds));
        Verdict::Continue
    }
}

/// The coding that a request says its body has. Several, one inside the other, are no name that anybody knows.
fn sent(headers: &HeaderMap) -> Option<&str> {
    let values = headers.get_all(CONTENT_ENCODING).iter().map(|value| value.to_str().unwrap_or("?"));
    let names = values.flat_map(|value| value.split(',')).map(str::trim);
    let mut names = names.filter(|name| !name.is_empty() && !name.eq_ignore_ascii_case("identity"));
    let first = names.next()?;
    Some(if names.next().is_none() { first } else { "?" })
}

fn listed(codings: &[Coding]) -> String {
    let names: Vec<_> = codings.iter().map(|coding| coding.as_str()).collect();
    if names.is_empty() { "identity".to_owned() } else { names.join(", ") }
}

/// What a field of the call says, for operators, who read no more than the beginning of a long one.
fn said(headers: &HeaderMap, name: &HeaderName) -> String {
    let values = headers.get_all(name).iter().filter_map(|value| value.to_str().ok()).map(shortened);
    values.take(MOST_SAID).collect::<Vec<_>>().join(", ")
}

/// How many values of a field operators are told.
const MOST_SAID: usize = 4;

#[cold]
fn not_acceptable(offered: &[Coding], headers: &HeaderMap) -> Fault {
    let detail =
        format!("`Accept-Encoding` takes no body as it is and no coding of those there are: {}.", listed(offered));
    Fault::new(Code::NotAcceptable, detail)
        .with_evidence("accept-encoding", said(headers, &ACCEPT_ENCODING))
        .with_evidence("encodings", listed(offered))
        .with_remedy("It passes with an `Accept-Encoding` that takes one of `encodings`, or takes `identity`.")
        .with_header(VARY, HeaderValue::from_static("accept-encoding"))
}

#[cold]
fn unsupported(taken: &[Coding], headers: &HeaderMap) -> Fault {
    let taken = listed(taken);
    let detail = format!("The body has a coding that is not taken, or several of them. Send one of these: {taken}.");
    let fault = Fault::new(Code::UnsupportedMediaType, detail)
        .with_evidence("content-encoding", said(headers, &CONTENT_ENCODING))
        .with_evidence("encodings", taken.clone())
        .with_remedy("It passes with a body in one coding of `encodings` of `requests`, or with none.");
    match HeaderValue::from_str(&taken) {
        Ok(taken) => fault.with_header(ACCEPT_ENCODING, taken),
        Err(_) => fault,
    }
}
