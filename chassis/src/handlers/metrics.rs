//! `metrics`: how many calls there are, how long they take and how they end, by operation.
//!
//! Names, units and attributes are those of OpenTelemetry's semantic conventions for HTTP servers. A call is measured
//! when its reply is ready, if the length of the body is known then; a body that is made while it is sent is measured to
//! its last byte, or to the moment the caller leaves. A recorded call stands as an exemplar for the bucket it falls
//! into. Handles are kept by operation and outcome, so that counting a call allocates nothing and locks nothing.

#![expect(unsafe_code, reason = "the entry of a handler stands in a section of the linker")]

use std::sync::{Arc, Mutex};

use crate::conf::{BuildContext, BuildError, Configure, Share};
use crate::handler::{Handler, Verdict};
use crate::invocation::{Invocation, Timing, Timings};
use crate::lock::locked;
use crate::metrics::{Histogram, Metrics as Kept, labels};
use crate::random::Random;
use crate::reply::Reply;
use crate::{conf, handler};

mod meters;
mod specs;
mod table;
#[cfg(test)]
mod tests;
mod traits;

use meters::{Meters, Streamed};
use specs::HANDLER;

/// What is measured of calls, beside how long they take.
#[conf]
pub struct Conf {
    /// Whether the bodies of requests and replies are measured too, where their lengths are known.
    #[conf(default = true)]
    pub body_sizes: bool,
    /// The share of calls for which is measured what each handler behind this one costs
    /// (`chassis.handler.duration`): the time its hooks take and what they wait for. A measured call costs two looks at
    /// the clock for each handler.
    #[conf(default = Share::ONE_PERCENT)]
    pub self_time: Share,
}

/// Measures calls by operation: how many there are, how long they take and how they end, as OpenTelemetry names it. List
/// it first, or behind `tracing`: what stands before it is not measured.
#[handler("metrics")]
pub struct Metrics {
    meters: Arc<Meters>,
    // What a random number may be at most for the handlers of a call to be measured; `None` for never.
    timed: Option<u64>,
    random: Random,
    metrics: Kept,
    timings: Timings,
    // By the name of the handler. Few calls come here, so that they may wait for each other.
    handlers: Mutex<Vec<(String, Histogram)>>,
}

impl Configure for Metrics {
    type Conf = Conf;

    fn build(conf: Conf, context: &BuildContext<'_>) -> Result<Self, BuildError> {
        let share = conf.self_time.of_one();
        let metrics = context.process.metrics.clone();
        Ok(Self {
            meters: Arc::new(Meters::new(metrics.clone(), conf.body_sizes, context.clock)),
            timed: (share > 0.0).then_some((share * u64::MAX as f64) as u64),
            random: context.random.clone(),
            metrics,
            timings: Timings::default(),
            handlers: Mutex::default(),
        })
    }
}

impl Handler for Metrics {
    fn before(&self, invocation: &mut Invocation) -> Verdict {
        self.meters.began(invocation);
        if let Some(most) = self.timed
            && self.random.next_u64() <= most
        {
            invocation.call.timing = Some(self.timings.begin());
        }
        Verdict::Continue
    }

    fn after(&self, invocation: &Invocation, reply: &mut Reply) {
        if let Some(timing) = &invocation.call.timing {
            self.tell(timing);
        }
        let length = reply.length();
        if length.is_some() {
            self.meters.ended(invocation, reply, length);
        } else if reply.fault().is_some() {
            self.meters.refused(invocation, reply);
        } else {
            let mut streamed = Streamed::new(Arc::clone(&self.meters), invocation, reply);
            reply.on_end(move |end| streamed.ended(end));
        }
    }
}

impl Metrics {
    /// What the handlers cost one call.
    #[cold]
    fn tell(&self, timing: &Timing) {
        let mut handlers = locked(&self.handlers);
        for (handler, spent) in timing.steps() {
            let known = handlers.iter().position(|(known, _)| known == handler);
            let at = known.unwrap_or_else(|| {
                let histogram = self.metrics.histogram(&HANDLER, labels([("handler", handler.to_owned())]));
                handlers.push((handler.to_owned(), histogram));
                handlers.len() - 1
            });
            handlers[at].1.record_time(spent);
        }
    }
}
