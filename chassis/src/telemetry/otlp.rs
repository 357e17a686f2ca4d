//! Sends spans, metrics and lines of the log to a collector: OTLP 1.x by HTTP with protobuf, or by gRPC.
//!
//! What waits to be sent is bounded and what finds no room is counted; a collector that is slow or away costs the calls
//! nothing. Messages are those of OpenTelemetry's own crate. Queues, batches and the sending are ours and not the SDK's:
//! its processors do not tell what they dropped, its metrics can be filled by its own instruments only, and its exporters
//! want threads of their own.

#![expect(unsafe_code, reason = "the entry of an exporter stands in a section of the linker")]

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use linkme::distributed_slice;
use opentelemetry_proto::tonic::common::v1::InstrumentationScope;
use opentelemetry_proto::tonic::resource::v1;

use super::export::{CHASSIS_EXPORTERS_V1, Exporter, Exporting};
use crate::conf::root::Otlp;
use crate::conf::source::Resource;
use crate::conf::{BuildContext, BuildError, Interval};
use crate::metrics::Counter;
use crate::outbox::LARGEST;

mod batches;
mod client;
mod courier;
mod lines;
mod measures;
mod retry;
mod spans;
mod specs;
#[cfg(test)]
mod tests;
mod values;

use batches::{Batches, Source};
use client::{Client, Signal};
use courier::Courier;
use specs::{Queueing, Tally};

#[distributed_slice(CHASSIS_EXPORTERS_V1)]
static OTLP: Exporter = Exporter { begin };

/// Who sends, in every message.
#[derive(Clone)]
struct Sender {
    resource: v1::Resource,
    scope: InstrumentationScope,
}

impl Sender {
    fn new(resource: &Resource, context: &BuildContext<'_>) -> Self {
        let mut attributes = resource.clone();
        let instance = resource.get("k8s.pod.uid").cloned();
        let instance = instance.unwrap_or_else(|| {
            let [high, low] = context.random.next_u64s();
            uuid::Builder::from_random_bytes(((u128::from(high) << 64) | u128::from(low)).to_be_bytes())
                .into_uuid()
                .to_string()
        });
        attributes.entry("service.instance.id".to_owned()).or_insert(instance);
        let attributes = attributes.iter().map(|(key, value)| values::text(key, value.as_str())).collect();
        Self {
            resource: v1::Resource { attributes, ..v1::Resource::default() },
            scope: InstrumentationScope {
                name: "chassis".to_owned(),
                version: env!("CARGO_PKG_VERSION").to_owned(),
                ..InstrumentationScope::default()
            },
        }
    }
}

/// How often metrics may be sent.
const SHORTEST: Interval = Interval::secs(1);

fn begin(conf: &Otlp, resource: &Resource, context: &BuildContext<'_>) -> Result<Exporting, BuildError> {
    if conf.metrics.interval < SHORTEST {
        let error = BuildError::new("metrics.interval", "metrics are not sent more often than once a second");
        return Err(error.with_help("write `1s` or more; `enabled: false` sends none"));
    }
    let Otlp { traces, logs, .. } = conf;
    let queues =
        [("traces", traces.enabled, traces.queue, traces.batch), ("logs", logs.enabled, logs.queue, logs.batch)];
    for (signal, enabled, queue, batch) in queues {
        if enabled && queue < batch {
            let message = format!("fewer may wait than are sent at once, and `batch` is {batch}");
            let error = BuildError::new("queue", message).below(signal);
            return Err(error.with_help(format!("write {batch} or more, or a `batch` of {queue} or less")));
        }
    }
    let client = Arc::new(Client::build(conf, context)?);
    let mut setting = Setting { conf, context, client, exporting: Exporting::default() };
    let (sender, process) = (Sender::new(resource, context), context.process);
    if traces.enabled {
        let sizes = Sizes { queue: traces.queue, batch: traces.batch, interval: traces.interval };
        setting.empty("spans to send", Signal::Traces, sizes, |dropped| {
            spans::Queued::open(&process.spans, sizes, dropped, &sender)
        });
    }
    if logs.enabled {
        let sizes = Sizes { queue: logs.queue, batch: logs.batch, interval: logs.interval };
        setting.empty("lines to send", Signal::Logs, sizes, |dropped| {
            let queue = process.lines.open(sizes.queue, dropped)?;
            Some(batches::Queued::new(queue, sizes.batch, lines::message(sender.clone())))
        });
    }
    if conf.metrics.enabled {
        let sending = measures::Sending {
            courier: setting.courier(Signal::Metrics),
            metrics: process.metrics.clone(),
            interval: conf.metrics.interval,
            sender,
            clock: context.clock,
            begun: context.clock.wall(),
        };
        setting.exporting.tasks.push(process.background.run("metrics to send", |ending| sending.run(ending)));
    }
    Ok(setting.exporting)
}

/// What is being set up.
struct Setting<'a> {
    conf: &'a Otlp,
    context: &'a BuildContext<'a>,
    client: Arc<Client>,
    exporting: Exporting,
}

/// How much waits, and how much goes at once.
#[derive(Clone, Copy)]
struct Sizes {
    queue: usize,
    batch: usize,
    interval: Interval,
}

impl Setting<'_> {
    fn courier(&self, signal: Signal) -> Courier {
        Courier {
            client: Arc::clone(&self.client),
            signal,
            random: self.context.random.clone(),
            tally: Tally::new(&self.context.process.metrics, signal, self.conf.protocol),
            is_away: AtomicBool::new(false),
        }
    }

    /// Has a queue emptied that `open` opens, unless somebody does.
    fn empty<S>(&mut self, what: &str, signal: Signal, sizes: Sizes, open: impl FnOnce(Counter) -> Option<S>)
    where
        S: Source + Send + 'static,
    {
        let process = self.context.process;
        let Queueing { taken, dropped } = Queueing::new(&process.metrics, signal);
        let Some(source) = open(dropped) else { return };
        let kept = (sizes.queue + sizes.batch).saturating_mul(LARGEST);
        self.exporting.reserved.push(process.memory.reserve(what, kept));
        let batches = Batches { source, courier: self.courier(signal), taken, under_way: 0, given_up: 0 };
        self.exporting.tasks.push(process.background.run(what, |ending| batches.run(sizes.interval, ending)));
    }
}
