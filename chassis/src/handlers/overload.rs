//! `overload`: takes on as many calls as the service can answer in good time, and refuses the least critical first.
//!
//! A call passes if fewer run than the limit allows to calls as critical as it. The limit is fixed, or follows how long
//! successful calls take ([`gradient`]): their time is compared with what calls of the same criticality usually take,
//! so that quick refusals and probes pull nothing down. Netflix's Gradient2 is used rather than a limit that is found
//! by squeezing the service from time to time: it needs no phase in which calls are refused for the measuring.
//!
//! Where there is no room a call waits a little in a bounded queue ([`Line`](crate::handler::line::Line): CoDel, RFC
//! 8289, and the latest first when it stands), the more critical before the others. One that could not be answered
//! before its deadline, even if it were as quick as the quickest, is refused at once. Memory and file descriptors are
//! looked at beside the calls ([`guard`]); when they get tight, calls are refused in the same order.
//!
//! A call counts until its reply is ready; one that is exempt takes no place at all. Refusals are 503 (RFC 9110 §15.6.4)
//! with `Retry-After` and the problem type `temporary-reduced-capacity`. A call that finds room costs a few atomic steps: no lock, no allocation, no look at
//! the clock.

#![expect(unsafe_code, reason = "the entry of a handler stands in a section of the linker")]

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::oneshot;

use crate::background::Task;
use crate::clock::Instant;
use crate::condition::When;
use crate::conf::{BuildContext, BuildError, Configure};
use crate::handler;
use crate::handler::line::{is_late, turn};
use crate::handler::{Handler, Verdict};
use crate::invocation::Invocation;
use crate::memory::Reserved;
use crate::reply::Reply;

mod class;
mod gate;
mod gradient;
mod guard;
mod meter;
mod policy;
mod queue;
mod refusal;
#[cfg(test)]
mod tests;

pub use class::Criticality;
pub use policy::{Conf, Guard, Mode, Rule, Thresholds};

use class::Classes;
use gate::{Gate, Way};
use gradient::Gradient;
use guard::Guards;
use meter::Meter;
use refusal::{Refusals, Short};

/// Takes on as many calls as can be answered in good time, fewer when calls take longer than usual or memory gets
/// tight, and refuses the least critical first with 503. List it early: before what waits or costs much.
#[handler("overload", after("deadline"))]
pub struct Overload {
    gate: Arc<Gate>,
    classes: Classes,
    meter: Meter,
    guards: Arc<Guards>,
    refusals: Arc<Refusals>,
    patience: Duration,
    _watch: Task,
    _reserved: Reserved,
}

/// Where an adaptive limit begins of which nobody says it.
const INITIAL: u32 = 20;

/// Says of a call that the gate was open to it whatever stood there.
struct Exempt;

/// How long a call waited at the gate.
struct Waited(Duration);

impl Configure for Overload {
    type Conf = Conf;

    fn build(conf: Conf, context: &BuildContext<'_>) -> Result<Self, BuildError> {
        conf.check()?;
        if conf.header.is_some() && conf.trusted_peers.is_empty() {
            let warning = BuildError::new("header", "nobody is trusted to send it, so it is never read");
            context.warnings.warn_at(warning.with_help("list the peers in `trusted-peers`"));
        }
        if conf.header.is_none() && !conf.trusted_peers.is_empty() {
            let warning = BuildError::new("trusted-peers", "there is no field that they are trusted to send");
            context.warnings.warn_at(warning.with_help("name it in `header`, such as `X-Criticality`"));
        }
        let adaptive = conf.limit == Mode::Adaptive;
        let gradient = adaptive.then(|| {
            Gradient::new(conf.initial.unwrap_or(INITIAL), (conf.min, conf.max), conf.headroom, conf.tolerance)
        });
        let limit = gradient.as_ref().map_or(usize::try_from(conf.max).unwrap_or(usize::MAX), Gradient::limit);
        let (clock, process) = (context.clock, context.process);
        let gate = Gate::new(limit, conf.queue, conf.thresholds, clock);
        refusal::observe(&process.metrics, context.scope, &Arc::downgrade(&gate));
        let guards = Guards::new(conf.memory, conf.descriptors, conf.thresholds);
        Ok(Self {
            gate,
            classes: Classes::new(&conf)?,
            meter: Meter::new(clock.now(), conf.window.0, gradient),
            _watch: guards.watch(&process.background),
            guards,
            refusals: Arc::new(Refusals::new(&process.metrics, &conf, context.random)),
            patience: conf.queue_timeout.0,
            _reserved: process.memory.reserve("overload", Gate::memory_bound(conf.queue)),
        })
    }

    fn conditions(conf: &Conf) -> Vec<(String, &When)> {
        let rules = conf.rules.iter().enumerate().map(|(at, rule)| (format!("rules[{at}].when"), &rule.when));
        let exempt = conf.exempt.iter().map(|when| ("exempt".to_owned(), when));
        rules.chain(exempt).collect()
    }
}

impl Handler for Overload {
    fn before(&self, invocation: &mut Invocation) -> Verdict {
        let Some(class) = self.class(invocation) else { return Verdict::Continue };
        if let Some(tight) = self.guards.tight(class) {
            return self.refuse(Short::Resource(tight), class);
        }
        match self.gate.enter(class, invocation.call.deadline, |now| now + self.meter.quickest(class)) {
            Way::Open => Verdict::Continue,
            Way::Closed => self.refuse(Short::Room, class),
            Way::Late => self.refuse(Short::Time, class),
            Way::Later(_) if !invocation.call.may_act() => {
                self.gate.force();
                Verdict::Continue
            }
            Way::Later(coming) => self.wait(coming, class, invocation.call.deadline),
        }
    }

    fn after(&self, invocation: &Invocation, reply: &mut Reply) {
        if self.classes.has_exempt() && invocation.call.locals.get::<Exempt>().is_some() {
            return;
        }
        self.meter.saw(self.gate.inside());
        if is_success(reply)
            && let Some(class) = self.classes.of(invocation)
        {
            let waited = invocation.call.locals.get::<Waited>().map_or(Duration::ZERO, |Waited(time)| *time);
            let took = invocation.call.elapsed().saturating_sub(waited);
            if let Some(limit) = self.meter.succeeded(class, took, invocation.call.finished()) {
                self.gate.set_limit(limit);
            }
        }
        self.gate.leave();
    }
}

impl Overload {
    /// How critical a call is; `None` for one that is never refused. What it is may change on its way, so that this is
    /// kept: such a call takes no place, and gives none back.
    fn class(&self, invocation: &mut Invocation) -> Option<Criticality> {
        let class = self.classes.of(invocation);
        if self.classes.has_exempt() {
            let locals = &mut invocation.call.locals;
            if class.is_none() { _ = locals.set(Exempt) } else { _ = locals.take::<Exempt>() }
        }
        class
    }

    #[cold]
    fn wait(&self, coming: oneshot::Receiver<gate::Permit>, class: Criticality, deadline: Option<Instant>) -> Verdict {
        let clock = self.gate.clock();
        let (gate, refusals) = (Arc::clone(&self.gate), Arc::clone(&self.refusals));
        let since = clock.now();
        let turn = turn(coming, (since, self.patience), deadline);
        Verdict::wait(turn, move |invocation, permit| match permit {
            Some(permit) => {
                permit.take();
                invocation.call.locals.set(Waited(clock.now().duration_since(since)));
                Verdict::Continue
            }
            None => {
                let short = if is_late(clock.now(), deadline) { Short::Time } else { Short::Patience };
                Verdict::Refuse(refusals.refuse(short, class, &gate))
            }
        })
    }

    #[cold]
    fn refuse(&self, short: Short, class: Criticality) -> Verdict {
        Verdict::Refuse(self.refusals.refuse(short, class, &self.gate))
    }
}

/// Whether how long it took says something about the service: failures and refusals may be quick.
fn is_success(reply: &Reply) -> bool {
    reply.fault().is_none() && reply.status().is_success()
}
