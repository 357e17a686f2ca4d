//! `cache`: what callers have already is not sent again, and what was made for one is given to others.
//!
//! Replies to `GET` and `HEAD` get an `ETag`, and callers that say they have it (`If-None-Match`, compared as RFC 9110
//! §13.1.2 says, or an `If-Modified-Since` that is the `Last-Modified` itself) get 304. `control` tells caches on the
//! way what they may keep.
//!
//! With `keep`, replies stay here for a while, for whoever asks for the same target of the same host, by what `Vary`
//! names (RFC 9111). While one `GET` is answered the others that ask for the same wait for its answer; if that is not to
//! be kept, they go on by themselves, all at once. Kept are 200, 203, 301 and 308 whose bodies are made before they are sent; never what says `no-store`, `no-cache` or `private`, sets a
//! cookie, or varies by everything. Callers that are known get theirs from the operation, unless `private` keeps
//! replies for each of them; whoever sends `Authorization` or `Cookie` and is not known always does. A call that says
//! `no-store` passes by, one that says `no-cache` gets a new answer. A call that changes something and succeeds drops
//! what is kept of its target for everyone and for its caller, if it passes the same `cache`. A reply from here says its
//! `Age`.
//!
//! As a shadow it keeps and counts all the same, and every call gets what the operation makes for it. The body of a reply
//! is still gathered to be kept or tagged.

#![expect(unsafe_code, reason = "the entry of a handler stands in a section of the linker")]

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use http::header::{CACHE_CONTROL, HeaderValue};
use http::{Method, StatusCode};

use crate::conf::{BuildContext, BuildError, Configure, Requirement};
use crate::handler;
use crate::handler::{Mandate, Next, Outlook, Wrap, fact};
use crate::invocation::Invocation;
use crate::operation::Operation;
use crate::reply::Reply;
use crate::schema::BoxFuture;

mod directives;
mod flights;
mod keeping;
mod kept;
mod metric;
mod name;
mod policy;
mod tagging;
#[cfg(test)]
mod tests;
mod validator;
mod watch;

pub use policy::Conf;

use directives::Directives;
use flights::Flight;
use keeping::{Keeping, age, is_fresh_enough};
use kept::{Kept, Known, Shelf, selecting};
use metric::Calls;
use name::Digest;
use tagging::whole;

/// How long it is remembered that a reply was not to be kept, at most: nobody waits for such a one.
const NOT_KEPT: Duration = Duration::from_secs(10);
/// How many calls one waits for, at most. If the first leaves without an answer another one goes; an answer that was not
/// kept would not be the next time either, and who waited for it waits no more.
const WAITS: u8 = 2;

/// Answers callers that have a reply already with 304, tells caches what they may keep, and keeps replies for others who
/// ask for the same. List it last: what it keeps is given without asking those behind it, with what they wrote for another
/// caller. Only `concurrency`, `fault-injection`, `limit-body` and `overload` may stand there; `deadline` too, where the
/// chain has no `auth`, which must stand behind it.
#[handler(
    "cache",
    wrap,
    after(
        "access-log",
        "auth",
        "compression",
        "cors",
        "csrf",
        "idempotency",
        "ip-allow",
        "marker",
        "metrics",
        "rate-limit",
        "request-id",
        "security-headers",
        "set-header",
        "tracing"
    )
)]
pub struct Cache {
    control: Option<HeaderValue>,
    makes_tags: bool,
    most: u64,
    keeping: Option<Keeping>,
    calls: Calls,
}

impl Configure for Cache {
    type Conf = Conf;

    fn build(conf: Conf, context: &BuildContext<'_>) -> Result<Self, BuildError> {
        let process = context.process;
        let keeping = conf.keep()?.map(|fresh| {
            let room = conf.memory.length();
            let shelf = Arc::new(Shelf::new(context.clock, room));
            metric::observe(&process.metrics, context.scope, &Arc::downgrade(&shelf));
            let reserved = process.memory.reserve("cache", room);
            let (flights, clock) = (Arc::default(), context.clock);
            Keeping { fresh, is_private: conf.private, shelf, flights, clock, _reserved: reserved }
        });
        let control = conf.control()?;
        let calls = Calls::new(&process.metrics);
        Ok(Self { control, makes_tags: conf.etag, most: conf.max_body.0, keeping, calls })
    }

    fn requires(conf: &Conf) -> Vec<Requirement> {
        // What is kept is given without asking those behind: whether the caller may have it must be settled.
        let settled = |fact| Requirement { fact, key: "private" };
        if conf.private { vec![settled(fact::ACCESS), settled(fact::PRINCIPAL)] } else { Vec::new() }
    }

    fn suits(conf: &Conf, operations: &[&Operation]) -> Result<(), BuildError> {
        conf.suit(operations)
    }
}

impl Wrap for Cache {
    fn wrap<'a>(&'a self, invocation: &'a mut Invocation, next: Next<'a>) -> BoxFuture<'a, Reply> {
        let is_reading = [Method::GET, Method::HEAD].contains(invocation.method());
        match (invocation.operation(), is_reading) {
            (None, _) => next.run(invocation),
            (Some(_), true) => match next.mandate() {
                mandate if mandate.acts() => Box::pin(self.read(mandate, invocation, next)),
                mandate => Box::pin(self.watch(mandate, invocation, next)),
            },
            (Some(_), false) => Box::pin(self.change(invocation, next)),
        }
    }

    fn heeds_mandate(&self) -> bool {
        true
    }

    fn outlook(&self, invocation: &mut Invocation) -> Option<Outlook> {
        let answers = self.keeping.as_ref().is_some_and(|keeping| keeping.may_answer(invocation));
        let reads = [Method::GET, Method::HEAD].contains(invocation.method()) && invocation.operation().is_some();
        Some(Outlook::passing(match (reads, answers) {
            (true, true) => "answers with what is kept, where it is; otherwise passes and may keep the reply",
            (true, false) => "passes, and may say that the reply is unchanged",
            (false, _) => "passes, and forgets what is kept of this where it changes something",
        }))
    }
}

impl Cache {
    async fn read(&self, mut mandate: Mandate<'_>, invocation: &mut Invocation, next: Next<'_>) -> Reply {
        let mut reply = match &self.keeping {
            Some(keeping) if keeping.may_answer(invocation) => {
                self.kept_or_new(keeping, &mut mandate, invocation, next).await
            }
            Some(_) => {
                self.calls.bypass.increment();
                self.tagged(next.run(invocation).await).await
            }
            None => self.tagged(next.run(invocation).await).await,
        };
        if reply.fault().is_some() || !reply.status().is_success() {
            return reply;
        }
        if let Some(control) = self.control.as_ref().filter(|_| !reply.headers().contains_key(CACHE_CONTROL)) {
            reply.headers_mut().insert(CACHE_CONTROL, control.clone());
        }
        if is_unchanged(&reply, invocation) {
            self.calls.unchanged.increment();
            mandate.settles(None, invocation);
            return validator::unchanged(&reply);
        }
        reply
    }

    /// The answer that is kept, or a new one, which is kept if it may be.
    async fn kept_or_new(
        &self,
        keeping: &Keeping,
        mandate: &mut Mandate<'_>,
        invocation: &mut Invocation,
        next: Next<'_>,
    ) -> Reply {
        let name = name::of(invocation);
        let asks = Directives::read(invocation.headers());
        let (mut waits_since, mut waits) = (None, WAITS);
        let flight = loop {
            match keeping.shelf.find(&name, invocation.headers()) {
                Known::Reply(kept) if is_fresh_enough(&kept, asks, keeping.clock, waits_since) => {
                    if waits_since.is_some() { &self.calls.shared } else { &self.calls.hit }.increment();
                    mandate.settles(None, invocation);
                    return kept.reply(keeping.clock.now());
                }
                Known::NotKept => break None,
                Known::Reply(_) | Known::Nothing => {}
            }
            // What answers `HEAD` is not kept: there is nothing to wait for.
            if *invocation.method() == Method::HEAD {
                break None;
            }
            match keeping.flights.join(name) {
                Ok(flight) => break Some(flight),
                Err(under_way) if waits > 0 => {
                    waits_since.get_or_insert_with(|| keeping.clock.now());
                    waits = if under_way.over().await { 0 } else { waits - 1 };
                }
                Err(_) => break None,
            }
        };
        self.calls.miss.increment();
        let reply = next.run(invocation).await;
        match flight {
            Some(flight) => self.keep(keeping, (name, flight), reply, invocation).await,
            None => self.tagged(reply).await,
        }
    }

    /// Keeps what a flight brought, if it may be kept and nothing changed meanwhile.
    async fn keep(
        &self,
        keeping: &Keeping,
        (name, flight): (Digest, Flight),
        reply: Reply,
        invocation: &mut Invocation,
    ) -> Reply {
        let reply = self.put(keeping, name, reply, invocation).await;
        // Looked at last: whoever changes it says so first, and forgets what is kept then.
        if flight.is_outdated() {
            keeping.shelf.forget(&name);
        }
        flight.answer();
        reply
    }

    /// Keeps a reply if it may be kept. Exclusive, because only so can a call be lent to another thread.
    async fn put(&self, keeping: &Keeping, name: Digest, reply: Reply, invocation: &mut Invocation) -> Reply {
        let selecting = selecting(invocation.headers(), reply.headers());
        let fresh = keeping.fresh(&reply).filter(|_| selecting.is_some() && self.is_small(&reply));
        let selecting = selecting.unwrap_or_default();
        let Some(fresh) = fresh else {
            // One that failed may be kept the next time.
            if reply.fault().is_none() && reply.status().is_success() {
                keeping.shelf.keep(name, selecting, None, keeping.fresh.min(NOT_KEPT));
            }
            return self.tagged(reply).await;
        };
        let (mut reply, body) = match whole(reply).await {
            Ok(taken) => taken,
            Err(fault) => return fault.into(),
        };
        self.tag(&mut reply, &body);
        let (status, headers) = (reply.status(), reply.headers().clone());
        let (age, since) = (age(&reply), keeping.clock.now());
        let kept = Kept { status, headers, body: body.clone(), age, since };
        keeping.shelf.keep(name, selecting, Some(Arc::new(kept)), fresh);
        reply.map_body(|_| Body::from(body));
        reply
    }

    /// A call that changes something makes what is kept untrue (RFC 9111 §4.4).
    async fn change(&self, invocation: &mut Invocation, next: Next<'_>) -> Reply {
        let reply = next.run(invocation).await;
        let is_safe = [Method::OPTIONS, Method::TRACE].contains(invocation.method());
        let succeeded = reply.status().is_success() || reply.status().is_redirection();
        if let Some(keeping) = self.keeping.as_ref().filter(|_| !is_safe && succeeded) {
            for name in [name::of(invocation), name::for_everyone(invocation)] {
                keeping.flights.outdate(&name);
                keeping.shelf.forget(&name);
            }
        }
        reply
    }
}

/// Whether the caller has this reply already.
fn is_unchanged(reply: &Reply, invocation: &Invocation) -> bool {
    reply.status() == StatusCode::OK && validator::is_known(invocation.headers(), reply.headers())
}
