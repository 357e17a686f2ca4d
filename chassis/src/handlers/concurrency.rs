//! `concurrency`: how many calls may run at the same time.
//!
//! A call holds its permit until its reply is ready, however it ends: also when its caller goes away or it panics.
//! Calls beyond `max` are refused with 503 (RFC 9110 §15.6.4), unless a queue is configured. A queue is bounded in
//! length and in time, and keeps delay low rather than order (CoDel, RFC 8289): see [`Line`](crate::handler::line::Line).

#![expect(unsafe_code, reason = "the entry of a handler stands in a section of the linker")]

use std::sync::Arc;
use std::time::Duration;

use crate::clock::Clock;
use crate::conf::{BuildContext, BuildError, Configure, Interval};
use crate::handler::capacity::{Retry, check_times};
use crate::handler::line::turn;
use crate::handler::{Handler, Verdict};
use crate::invocation::Invocation;
use crate::{conf, handler};

mod gate;

use gate::{Gate, Permit, Way};

const NAME: &str = "concurrency";

/// How many calls may run at the same time.
#[conf]
pub struct Conf {
    /// How many calls may run at the same time.
    #[conf(default = 1024, range(1..))]
    pub max: u32,
    /// How many more may wait for one of them to end. Without a queue they are refused at once.
    #[conf(default = 0)]
    pub queue: u32,
    /// How long a call may wait at most; its deadline may end the wait earlier, and it is refused then too. When whoever
    /// goes in has waited for more than 5ms for 100ms long, the queue stands: then the latest goes in first, and the one
    /// that waits longest is refused, after 100ms another one, and so on, ever sooner, until it drains (CoDel, RFC 8289).
    #[conf(default = Interval::millis(100))]
    pub queue_timeout: Interval,
    /// When refused callers are told to come back.
    #[conf(default = Interval::secs(1))]
    pub retry_after: Interval,
    /// Up to how many whole seconds are added to that at random, so that refused callers do not all come back at once.
    #[conf(default = Interval::secs(2))]
    pub retry_jitter: Interval,
}

/// Limits how many calls may run at the same time. Further ones are refused with 503, or wait a little if a queue is
/// configured.
#[handler("concurrency")]
pub struct Concurrency {
    gate: Arc<Gate>,
    clock: Clock,
    queue_timeout: Duration,
    retry: Arc<Retry>,
}

impl Configure for Concurrency {
    type Conf = Conf;

    fn build(conf: Conf, context: &BuildContext<'_>) -> Result<Self, BuildError> {
        check_times(conf.queue, conf.queue_timeout, conf.retry_after)?;
        let retry = Retry { after: conf.retry_after.0, jitter: conf.retry_jitter.0, random: context.random.clone() };
        Ok(Self {
            gate: Gate::new(conf.max, conf.queue, context.clock),
            clock: context.clock,
            queue_timeout: conf.queue_timeout.0,
            retry: Arc::new(retry),
        })
    }
}

impl Handler for Concurrency {
    fn before(&self, invocation: &mut Invocation) -> Verdict {
        // A call that is tried again gives its former permit back before it asks for the next.
        drop(invocation.call.locals.take::<Permit>());
        match self.gate.enter(invocation.call.deadline) {
            Way::Open(permit) => pass(invocation, permit),
            Way::Closed => Verdict::Refuse(self.retry.refusal(NAME)),
            Way::Later(_) if !invocation.call.may_act() => Verdict::Continue,
            Way::Later(coming) => {
                let (since, retry) = (self.clock.now(), Arc::clone(&self.retry));
                let turn = turn(coming, (since, self.queue_timeout), invocation.call.deadline);
                Verdict::wait(turn, move |invocation, permit| match permit {
                    Some(permit) => pass(invocation, permit),
                    None => Verdict::Refuse(retry.refusal(NAME)),
                })
            }
        }
    }
}

fn pass(invocation: &mut Invocation, permit: Permit) -> Verdict {
    invocation.call.locals.set(permit);
    Verdict::Continue
}

#[cfg(test)]
mod tests;
