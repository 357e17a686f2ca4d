//! Measures what a hook costs, on the few calls for which somebody asked; on all others it is one branch.

use super::Step;
use crate::clock::Clock;
use crate::handler::{Handler, Verdict};
use crate::invocation::Invocation;
use crate::reply::Reply;

/// Runs `before` of a step.
#[inline]
pub(super) fn before(handler: &dyn Handler, step: &Step, invocation: &mut Invocation, clock: Clock) -> Verdict {
    match invocation.call.timing {
        None => handler.before(invocation),
        Some(_) => timed_before(handler, step, invocation, clock),
    }
}

/// Runs `after` of a step.
#[inline]
pub(super) fn after(handler: &dyn Handler, step: &Step, invocation: &mut Invocation, reply: &mut Reply, clock: Clock) {
    match invocation.call.timing {
        None => handler.after(invocation, reply),
        Some(_) => timed_after(handler, step, invocation, reply, clock),
    }
}

/// A step begins to wait.
#[inline]
pub(super) fn wait(invocation: &mut Invocation, clock: Clock) {
    if let Some(timing) = &mut invocation.call.timing {
        timing.wait(clock.now());
    }
}

/// It has its verdict.
#[inline]
pub(super) fn waited(invocation: &mut Invocation, clock: Clock) {
    if let Some(timing) = &mut invocation.call.timing {
        timing.waited(clock.now());
    }
}

#[cold]
fn timed_before(handler: &dyn Handler, step: &Step, invocation: &mut Invocation, clock: Clock) -> Verdict {
    let began = clock.now();
    let verdict = handler.before(invocation);
    if let Some(timing) = &mut invocation.call.timing {
        timing.entered(&step.name, clock.now().duration_since(began));
    }
    verdict
}

#[cold]
fn timed_after(handler: &dyn Handler, step: &Step, invocation: &mut Invocation, reply: &mut Reply, clock: Clock) {
    let began = clock.now();
    handler.after(invocation, reply);
    if let Some(timing) = &mut invocation.call.timing {
        timing.add(&step.name, clock.now().duration_since(began));
    }
}
