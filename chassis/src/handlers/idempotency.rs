//! `idempotency`: a call that is sent again is not done again.
//!
//! The caller gives a call a name of its own in `Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header), and the
//! same name when it sends it again because it saw no answer. The first is done and its answer kept; the next gets
//! that answer, success or failure, with `Idempotent-Replayed: true`. While the first is under way the next is 409
//! with `Retry-After`; a name that comes with another target or body is 422; none where one is required, or one that
//! is no string, is 400. A name belongs to one caller and one operation. Callers that are not known share theirs, so
//! let only known ones use it where answers are private.
//!
//! What failed before the operation was begun was not done, and may be made again: what handlers behind this one refused,
//! a caller that left or a deadline that passed before. So may what the operation answers itself with 429 or 503.
//! Once it is begun the call is not done again. Of one whose caller left, whose deadline passed, or whose
//! operation panicked nobody knows what was done: the next one is 409 and says so. So it is after an answer that is too
//! large: it is known only that it was given.
//!
//! As a shadow it remembers and counts all the same, and every call is done. It still reads bodies to compare them: one
//! that cannot be read is answered so.

#![expect(unsafe_code, reason = "the entry of a handler stands in a section of the linker")]

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use http::Method;
use http::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use http_body_util::BodyExt;

use crate::argument::Argument;
use crate::conf::{BuildContext, BuildError, Configure};
use crate::fault::Fault;
use crate::handler;
use crate::handler::{Next, Outlook, Wrap};
use crate::invocation::Invocation;
use crate::memory::Reserved;
use crate::reply::Reply;
use crate::schema::BoxFuture;

mod kept;
mod key;
mod local;
mod metric;
mod policy;
mod refusal;
mod shared;
mod store;
#[cfg(test)]
mod tests;
mod ticket;

pub use policy::{Conf, Full, OnOutage, Place};

use kept::Kept;
use local::Local;
use metric::{Became, Calls};
use shared::Shared;
use store::{End, Record, Standing, Store};
use ticket::Ticket;

static REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");

/// Does a call that is sent again not again: the answer to the first with the same `Idempotency-Key` is given once more.
/// List it behind `auth`, and in front of nothing but what belongs to the operation.
#[handler("idempotency", wrap, after("auth", "compression"))]
pub struct Idempotency {
    methods: Vec<Method>,
    required: bool,
    bare_keys: bool,
    most: u64,
    headers: Vec<HeaderName>,
    lease: Duration,
    retry_after: Duration,
    store: Arc<dyn Store>,
    on_outage: OnOutage,
    calls: Calls,
    _reserved: Option<Reserved>,
}

impl Configure for Idempotency {
    type Conf = Conf;

    fn build(conf: Conf, context: &BuildContext<'_>) -> Result<Self, BuildError> {
        conf.check()?;
        let (store, _reserved) = match conf.store {
            Place::Memory => local(&conf, context),
            Place::Redis => (Arc::new(Shared::build(conf.ttl.0, context)?) as Arc<dyn Store>, None),
        };
        Ok(Self {
            methods: conf.methods()?,
            required: conf.required,
            bare_keys: conf.bare_keys,
            most: conf.max_answer.0,
            headers: conf.headers()?,
            lease: conf.lease.0,
            retry_after: conf.retry_after.0,
            store,
            on_outage: conf.on_outage,
            calls: Calls::new(&context.process.metrics),
            _reserved,
        })
    }
}

/// Keeps answers in the memory of this instance.
fn local(conf: &Conf, context: &BuildContext<'_>) -> (Arc<dyn Store>, Option<Reserved>) {
    let room = usize::try_from(conf.memory.0).unwrap_or(usize::MAX);
    let process = context.process;
    let evicted = (conf.when_full == Full::Evict).then(|| metric::evicted(&process.metrics));
    let store = Arc::new(Local::new(context.clock, conf.ttl.0, room, evicted));
    metric::observe(&process.metrics, context.scope, &Arc::downgrade(&store));
    (store, Some(process.memory.reserve("idempotency", room)))
}

impl Wrap for Idempotency {
    fn wrap<'a>(&'a self, invocation: &'a mut Invocation, next: Next<'a>) -> BoxFuture<'a, Reply> {
        if !self.methods.contains(invocation.method()) || invocation.operation().is_none() {
            return next.run(invocation);
        }
        match key::key(invocation.headers(), self.bare_keys) {
            Ok(Some(key)) => Box::pin(self.once(key, invocation, next)),
            Ok(None) if self.required => self.refuse(Became::Missing, invocation, next),
            Ok(None) => next.run(invocation),
            Err(()) => self.refuse(Became::Malformed, invocation, next),
        }
    }

    fn heeds_mandate(&self) -> bool {
        true
    }

    fn outlook(&self, invocation: &mut Invocation) -> Option<Outlook> {
        if !self.methods.contains(invocation.method()) || invocation.operation().is_none() {
            return Some(Outlook::passing("passes"));
        }
        Some(match key::key(invocation.headers(), self.bare_keys) {
            Ok(Some(_)) => Outlook::passing("passes the first call with this key, and gives its answer again"),
            Ok(None) if self.required => Outlook::refusing(&self.refusal(Became::Missing)),
            Ok(None) => Outlook::passing("passes without a key"),
            Err(()) => Outlook::refusing(&self.refusal(Became::Malformed)),
        })
    }
}

impl Idempotency {
    /// Does the call, unless it was done.
    async fn once(&self, key: String, invocation: &mut Invocation, next: Next<'_>) -> Reply {
        let body = match Bytes::take(invocation).await {
            Ok(body) => body,
            Err(response) => return Reply::from(response),
        };
        let (name, fingerprint) = (key::name(invocation, &key), key::fingerprint(invocation, &body));
        invocation.body = Body::from(body);
        let mut mandate = next.mandate();
        let standing = self.store.begin(name, fingerprint, self.lease(invocation)).await;
        let became = match standing {
            Standing::Begun(number) => {
                self.calls.count(Became::First);
                let ticket = Ticket::new(Arc::clone(&self.store), name, number);
                let operation = ticket.watch(next.endpoint());
                let reply = next.with_endpoint(&operation).run(invocation).await;
                return self.keep(reply, ticket, invocation).await;
            }
            Standing::Answered(record) => {
                self.calls.count(Became::Replayed);
                if !mandate.settles(None, invocation) {
                    return next.run(invocation).await;
                }
                let mut reply = record.reply();
                reply.headers_mut().insert(&REPLAYED, HeaderValue::from_static("true"));
                return reply;
            }
            Standing::Running => Became::Running,
            Standing::Differs => Became::Differing,
            Standing::Unkept => Became::Unkept,
            Standing::Unknown => Became::Unknown,
            Standing::Full => Became::Full,
            Standing::Away if self.on_outage == OnOutage::Pass => {
                self.calls.count(Became::Unchecked);
                return next.run(invocation).await;
            }
            Standing::Away => Became::Away,
        };
        let refusal = self.refusal(became);
        if mandate.settles(Some(&refusal), invocation) { refusal.into() } else { next.run(invocation).await }
    }

    fn lease(&self, invocation: &Invocation) -> Duration {
        let call = &invocation.call;
        call.deadline.map_or(self.lease, |deadline| self.lease.max(deadline.saturating_duration_since(call.arrived)))
    }

    /// Keeps an answer, at once or while it is sent. It leaves when others know of it: whoever has it and calls again is
    /// to get it again.
    // Exclusive, because only so can a call be lent to another thread.
    async fn keep(&self, mut reply: Reply, ticket: Ticket, invocation: &mut Invocation) -> Reply {
        if let Some(end) = ticket.end_without(&reply) {
            ticket.end(end).await;
            return reply;
        }
        let (status, headers) = (reply.status(), Record::fields(reply.headers(), &self.headers));
        if let Some(fault) = reply.fault() {
            let document = document(fault, headers, invocation);
            ticket.end(End::Answered(document)).await;
            return reply;
        }
        let most = usize::try_from(self.most).unwrap_or(usize::MAX);
        let length = reply.length();
        let mut taken = Body::empty();
        reply.map_body(|body| {
            taken = body;
            Body::empty()
        });
        let body = match length {
            // It is there, and need not wait for a caller who may leave.
            Some(length) if length <= self.most => match taken.collect().await {
                Ok(whole) => {
                    let body = whole.to_bytes();
                    ticket.end(End::Answered(Record { status, headers, body: body.clone() })).await;
                    Body::from(body)
                }
                Err(error) => {
                    ticket.end(End::Unkept).await;
                    return Reply::from(Fault::internal(error));
                }
            },
            _ => Body::new(Kept::new(taken, most, ticket, status, headers)),
        };
        reply.map_body(|_| body);
        reply
    }

    #[cold]
    fn refuse<'a>(&'a self, became: Became, invocation: &'a mut Invocation, next: Next<'a>) -> BoxFuture<'a, Reply> {
        let refusal = self.refusal(became);
        match next.mandate().settles(Some(&refusal), invocation) {
            true => Box::pin(std::future::ready(refusal.into())),
            false => next.run(invocation),
        }
    }

    #[cold]
    fn refusal(&self, became: Became) -> Fault {
        self.calls.count(became);
        refusal::of(became, self.retry_after)
    }
}

/// The problem document of a fault, as it is sent.
fn document(fault: &Fault, mut headers: HeaderMap, invocation: &Invocation) -> Record {
    let operation = invocation.operation().map(|operation| operation.id.as_str());
    let trace_id = invocation.call.trace.trace_id().map(|id| id.to_string());
    let body = serde_json::to_vec(&fault.problem(operation, trace_id)).unwrap_or_default();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
    Record { status: fault.status(), headers, body: body.into() }
}
