//! What is counted of the sending itself, by the names that OpenTelemetry has for its SDKs.

use std::borrow::Cow;

use super::client::Signal;
use crate::conf::root::OtlpProtocol;
use crate::metrics::{Counter, Kind, Labels, Metrics, Spec, Unit, labels};

macro_rules! counters {
    ($($constant:ident = $name:literal, $things:literal, $help:literal;)*) => { $(
        static $constant: Spec =
            Spec { name: $name, help: $help, unit: Unit::Count($things), kind: Kind::Counter };
    )* };
}

counters! {
    SPANS = "otel.sdk.exporter.span.exported", "span", "Spans that were sent, or not taken and given up.";
    POINTS = "otel.sdk.exporter.metric_data_point.exported", "data_point", "Values that were sent, or not taken.";
    LINES = "otel.sdk.exporter.log.exported", "log_record", "Lines of the log that were sent, or not taken and given up.";
    SPANS_QUEUED = "otel.sdk.processor.span.processed", "span", "Spans that waited and were taken to be sent, or dropped because too many waited.";
    LINES_QUEUED = "otel.sdk.processor.log.processed", "log_record", "Lines of the log that waited and were taken to be sent, or dropped because too many waited.";
}

/// Why something was not sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Loss {
    /// The collector will not have it.
    Rejected,
    /// The collector was away for too long.
    Unavailable,
}

/// Counts what becomes of what is sent.
pub(super) struct Tally {
    metrics: Metrics,
    spec: &'static Spec,
    labels: Labels,
    sent: Counter,
}

/// Counts what waits to be sent.
pub(super) struct Queueing {
    /// What was taken to be sent.
    pub(super) taken: Counter,
    /// What found no room in the queue.
    pub(super) dropped: Counter,
}

impl Queueing {
    /// Of spans or of lines.
    pub(super) fn new(metrics: &Metrics, signal: Signal) -> Self {
        let (spec, component) = match signal {
            Signal::Traces | Signal::Metrics => (&SPANS_QUEUED, "batching_span_processor"),
            Signal::Logs => (&LINES_QUEUED, "batching_log_processor"),
        };
        let all = labels([("otel.component.type", component)]);
        let mut dropped = all.clone();
        dropped.insert("error.type", Cow::Borrowed("queue_full"));
        Self { taken: metrics.counter(spec, all), dropped: metrics.counter(spec, dropped) }
    }
}

impl Tally {
    pub(super) fn new(metrics: &Metrics, signal: Signal, protocol: OtlpProtocol) -> Self {
        let spec = match signal {
            Signal::Traces => &SPANS,
            Signal::Metrics => &POINTS,
            Signal::Logs => &LINES,
        };
        let component = match protocol {
            OtlpProtocol::Http => "otlp_http_exporter",
            OtlpProtocol::Grpc => "otlp_grpc_exporter",
        };
        let labels_of_sent = labels([("otel.component.type", component)]);
        Self {
            metrics: metrics.clone(),
            spec,
            sent: metrics.counter(spec, labels_of_sent.clone()),
            labels: labels_of_sent,
        }
    }

    pub(super) fn sent(&self, items: u64) {
        self.sent.add(items);
    }

    pub(super) fn lost(&self, items: u64, loss: Loss) {
        let reason = match loss {
            Loss::Rejected => "rejected",
            Loss::Unavailable => "unavailable",
        };
        let mut labels = self.labels.clone();
        labels.insert("error.type", Cow::Borrowed(reason));
        self.metrics.counter(self.spec, labels).add(items);
    }
}
