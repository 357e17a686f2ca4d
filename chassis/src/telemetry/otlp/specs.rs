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
    SPANS_DROPPED = "otel.sdk.processor.span.processed", "span", "Spans that were dropped, because too many waited.";
    LINES_DROPPED = "otel.sdk.processor.log.processed", "log_record", "Lines of the log that were dropped, because too many waited.";
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
    /// What found no room in the queue.
    pub(super) dropped: Counter,
}

impl Tally {
    pub(super) fn new(metrics: &Metrics, signal: Signal, protocol: OtlpProtocol) -> Self {
        let (spec, dropped) = match signal {
            Signal::Traces => (&SPANS, &SPANS_DROPPED),
            Signal::Metrics => (&POINTS, &SPANS_DROPPED),
            Signal::Logs => (&LINES, &LINES_DROPPED),
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
            dropped: metrics.counter(dropped, labels([("error.type", "queue_full")])),
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
