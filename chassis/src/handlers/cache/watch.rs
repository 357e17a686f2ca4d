//! The cache as a shadow: it decides and keeps, and lets nothing of it show.

use http::Method;
use http::header::ETAG;

use super::directives::Directives;
use super::keeping::is_fresh_enough;
use super::kept::Known;
use super::{Cache, is_unchanged, name};
use crate::handler::{Mandate, Next};
use crate::invocation::Invocation;
use crate::reply::Reply;

impl Cache {
    /// What `read` would do, and every call gets what the operation makes for it.
    pub(super) async fn watch(&self, mut mandate: Mandate<'_>, invocation: &mut Invocation, next: Next<'_>) -> Reply {
        let name = name::of(invocation);
        let keeping = self.keeping.as_ref().filter(|keeping| keeping.may_answer(invocation));
        let mut flight = None;
        let would_be = match keeping.map(|keeping| (keeping, keeping.shelf.find(&name, invocation.headers()))) {
            None => self.keeping.is_some().then_some(&self.calls.bypass),
            Some((keeping, Known::Reply(kept)))
                if is_fresh_enough(&kept, Directives::read(invocation.headers()), keeping.clock, None) =>
            {
                mandate.settles(None, invocation);
                Some(&self.calls.hit)
            }
            Some((_, Known::NotKept)) => Some(&self.calls.miss),
            Some(_) if *invocation.method() == Method::HEAD => Some(&self.calls.miss),
            Some((keeping, _)) => match keeping.flights.join(name) {
                Ok(own) => {
                    flight = Some(own);
                    Some(&self.calls.miss)
                }
                // It would have waited for that one, and nobody waits for a shadow.
                Err(_) => {
                    mandate.settles(None, invocation);
                    Some(&self.calls.shared)
                }
            },
        };
        if let Some(counter) = would_be {
            counter.increment();
        }
        let reply = next.run(invocation).await;
        let has_tag = reply.headers().contains_key(ETAG);
        let mut reply = match (keeping, flight) {
            (Some(keeping), Some(flight)) => self.keep(keeping, (name, flight), reply, invocation).await,
            _ => self.tagged(reply).await,
        };
        if reply.fault().is_none() && is_unchanged(&reply, invocation) {
            self.calls.unchanged.increment();
            mandate.settles(None, invocation);
        }
        if !has_tag {
            reply.headers_mut().remove(ETAG);
        }
        reply
    }
}
