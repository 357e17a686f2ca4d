//! Which replies are kept, for whom, and how long.

use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;
use http::header::{AGE, AUTHORIZATION, CONTENT_RANGE, COOKIE, SET_COOKIE};
use tokio::time::Instant;

use super::directives::Directives;
use super::flights::Flights;
use super::kept::{Kept, Shelf};
use crate::clock::Clock;
use crate::invocation::Invocation;
use crate::memory::Reserved;
use crate::operation::Access;
use crate::reply::Reply;

/// What keeps replies, and which.
pub(super) struct Keeping {
    pub(super) fresh: Duration,
    pub(super) is_private: bool,
    pub(super) shelf: Arc<Shelf>,
    pub(super) flights: Arc<Flights>,
    pub(super) clock: Clock,
    pub(super) _reserved: Reserved,
}

impl Keeping {
    /// Whether this call may have an answer that is kept, or leave one.
    pub(super) fn may_answer(&self, invocation: &Invocation) -> bool {
        let headers = invocation.headers();
        let is_open = invocation.operation().is_some_and(|operation| operation.access == Access::Public);
        let may_have_it = match invocation.call.principal {
            Some(_) => self.is_private,
            None => is_open && !headers.contains_key(AUTHORIZATION) && !headers.contains_key(COOKIE),
        };
        may_have_it && !Directives::read(headers).no_store
    }

    /// How long a reply may be kept, if at all.
    pub(super) fn fresh(&self, reply: &Reply) -> Option<Duration> {
        let (headers, said) = (reply.headers(), Directives::read(reply.headers()));
        let can_be_kept = [
            StatusCode::OK,
            StatusCode::NON_AUTHORITATIVE_INFORMATION,
            StatusCode::MOVED_PERMANENTLY,
            StatusCode::PERMANENT_REDIRECT,
        ];
        let may = reply.fault().is_none()
            && can_be_kept.contains(&reply.status())
            && !(said.no_store || said.no_cache || said.private && !self.is_private)
            && !headers.contains_key(SET_COOKIE)
            && !headers.contains_key(CONTENT_RANGE);
        let own = if self.is_private { said.max_age } else { said.s_maxage.or(said.max_age) };
        let fresh = own.map_or(self.fresh, |own| own.saturating_sub(age(reply)).min(self.fresh));
        (may && !fresh.is_zero()).then_some(fresh)
    }
}

/// Whether a reply is as fresh as the call wants it. One that was kept since the call waits is as fresh as can be.
pub(super) fn is_fresh_enough(kept: &Kept, asks: Directives, clock: Clock, waits_since: Option<Instant>) -> bool {
    let age = kept.age_at(clock.now());
    let was_waited_for = waits_since.is_some_and(|since| kept.since >= since);
    was_waited_for || (!asks.no_cache && asks.max_age.is_none_or(|most| age <= most && !most.is_zero()))
}

/// How old a reply is when it comes (RFC 9111 §5.1).
pub(super) fn age(reply: &Reply) -> Duration {
    let said = reply.headers().get(AGE).and_then(|value| value.to_str().ok()?.parse::<u32>().ok());
    Duration::from_secs(said.map_or(0, u64::from))
}
