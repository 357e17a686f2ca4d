//! Sends spans and metrics to a collector: OTLP 1.x by HTTP with protobuf, or by gRPC.
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
use crate::spans::LARGEST;

mod batches;
mod client;
mod courier;
mod measures;
mod spans;
mod specs;
#[cfg(test)]
mod tests;
mod values;

use client::{Client, Signal};
use courier::Courier;
use specs::Tally;

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
    let client = Arc::new(Client::build(conf, context)?);
    let sender = Sender::new(resource, context);
    let (process, mut exporting) = (context.process, Exporting::default());
    let courier = |signal| Courier {
        client: Arc::clone(&client),
        signal,
        random: context.random.clone(),
        tally: Tally::new(&process.metrics, signal, conf.protocol),
        is_away: AtomicBool::new(false),
    };
    if conf.traces.enabled {
        let courier = courier(Signal::Traces);
        if let Some(queue) = process.spans.open(conf.traces.queue, courier.tally.dropped.clone()) {
            let kept = (conf.traces.queue + conf.traces.batch).saturating_mul(LARGEST);
            exporting.reserved.push(process.memory.reserve("spans to send", kept));
            let batches =
                batches::Batches::new(courier, conf.traces.batch, conf.traces.interval, spans::message(sender.clone()));
            exporting.tasks.push(process.background.run("sending spans", |ending| batches.run(queue, ending)));
        }
    }
    if conf.metrics.enabled {
        let sending = measures::Sending {
            courier: courier(Signal::Metrics),
            metrics: process.metrics.clone(),
            interval: conf.metrics.interval,
            sender,
            clock: context.clock,
            begun: context.clock.wall(),
        };
        exporting.tasks.push(process.background.run("sending metrics", |ending| sending.run(ending)));
    }
    Ok(exporting)
}
