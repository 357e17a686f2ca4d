//! Metrics as OTLP writes them, sent every so often: everything since the process began, so that a message that is lost
//! loses nothing.

use std::time::SystemTime;

use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::common::v1::any_value::Value as Written;
use opentelemetry_proto::tonic::metrics::v1::exemplar::Value as ExemplarValue;
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::metrics::v1::number_data_point::Value;
use opentelemetry_proto::tonic::metrics::v1::{
    AggregationTemporality, Exemplar, Gauge, Histogram, HistogramDataPoint, Metric, NumberDataPoint, ResourceMetrics,
    ScopeMetrics, Sum,
};
use prost::Message;

use super::Sender;
use super::courier::Courier;
use super::values::{pair, text};
use crate::background::Ending;
use crate::clock::{Clock, since_epoch};
use crate::conf::Interval;
use crate::metrics::{self, Buckets, Family, Kind, Labels, Measured, Metrics, Series, Unit};

/// What is needed to send metrics.
pub(super) struct Sending {
    pub(super) courier: Courier,
    pub(super) metrics: Metrics,
    pub(super) interval: Interval,
    pub(super) sender: Sender,
    pub(super) clock: Clock,
    pub(super) begun: SystemTime,
}

impl Sending {
    /// Sends until the process ends, and once more then.
    pub(super) async fn run(self, mut ending: Ending) {
        loop {
            let is_last = tokio::select! {
                biased;
                () = ending.told() => true,
                () = tokio::time::sleep(self.interval.0) => false,
            };
            let span = Time { begun: since_epoch(self.begun), now: since_epoch(self.clock.wall()) };
            let families = self.metrics.families();
            let points = families.iter().map(|family| family.series.len()).sum();
            // The next message says all of this again: one that fails is not repeated.
            self.courier.once(self.sender.measured(&families, span), points).await;
            if is_last {
                return;
            }
        }
    }
}

/// Since when and when something was counted, in nanoseconds since 1970.
#[derive(Clone, Copy)]
pub(super) struct Time {
    pub(super) begun: u64,
    pub(super) now: u64,
}

impl Sender {
    /// A message of metrics.
    pub(super) fn measured(&self, families: &[Family], time: Time) -> Vec<u8> {
        let metrics = ScopeMetrics {
            scope: Some(self.scope.clone()),
            metrics: families.iter().map(|family| metric(family, time)).collect(),
            ..ScopeMetrics::default()
        };
        let metrics = ResourceMetrics {
            resource: Some(self.resource.clone()),
            scope_metrics: vec![metrics],
            ..ResourceMetrics::default()
        };
        ExportMetricsServiceRequest { resource_metrics: vec![metrics] }.encode_to_vec()
    }
}

fn metric(family: &Family, time: Time) -> Metric {
    let (spec, cumulative) = (family.spec, AggregationTemporality::Cumulative.into());
    let numbers = || family.series.iter().filter_map(|series| number(series, spec.unit, time)).collect();
    let data = match (spec.kind, spec.unit) {
        (Kind::Histogram(_), unit) => {
            let points = family.series.iter().filter_map(|series| histogram(series, unit, time)).collect();
            Data::Histogram(Histogram { data_points: points, aggregation_temporality: cumulative })
        }
        // What goes up and down adds up over several processes if it counts things: OpenTelemetry's UpDownCounter.
        (Kind::Gauge, Unit::Seconds | Unit::Ratio) => Data::Gauge(Gauge { data_points: numbers() }),
        (kind, _) => Data::Sum(Sum {
            data_points: numbers(),
            aggregation_temporality: cumulative,
            is_monotonic: kind == Kind::Counter,
        }),
    };
    Metric {
        name: spec.name.to_owned(),
        description: spec.help.to_owned(),
        unit: unit(spec.unit),
        data: Some(data),
        ..Metric::default()
    }
}

/// A unit in UCUM.
fn unit(unit: Unit) -> String {
    match unit {
        Unit::Count(things) => format!("{{{things}}}"),
        Unit::Seconds => "s".to_owned(),
        Unit::Bytes => "By".to_owned(),
        Unit::Ratio => "1".to_owned(),
    }
}

fn number(series: &Series, unit: Unit, time: Time) -> Option<NumberDataPoint> {
    let Measured::Number(number) = series.measured else { return None };
    let value = match unit {
        Unit::Count(_) | Unit::Bytes => Value::AsInt(number as i64),
        Unit::Seconds | Unit::Ratio => Value::AsDouble(number),
    };
    Some(NumberDataPoint {
        attributes: attributes(&series.labels),
        start_time_unix_nano: time.begun,
        time_unix_nano: time.now,
        value: Some(value),
        ..NumberDataPoint::default()
    })
}

fn histogram(series: &Series, unit: Unit, time: Time) -> Option<HistogramDataPoint> {
    let Measured::Buckets(Buckets { bounds, counts, sum, exemplars }) = &series.measured else { return None };
    let scaled = |value: u64| value as f64 / unit.scale();
    Some(HistogramDataPoint {
        attributes: attributes(&series.labels),
        start_time_unix_nano: time.begun,
        time_unix_nano: time.now,
        count: counts.iter().sum(),
        sum: Some(scaled(*sum)),
        bucket_counts: counts.clone(),
        explicit_bounds: bounds.iter().map(|bound| scaled(*bound)).collect(),
        exemplars: exemplars.iter().flatten().map(|exemplar| exemplified(exemplar, scaled(exemplar.value))).collect(),
        ..HistogramDataPoint::default()
    })
}

fn exemplified(exemplar: &metrics::Exemplar, value: f64) -> Exemplar {
    Exemplar {
        time_unix_nano: exemplar.at,
        trace_id: exemplar.trace_id.to_vec(),
        span_id: exemplar.span_id.to_vec(),
        value: Some(ExemplarValue::AsDouble(value)),
        ..Exemplar::default()
    }
}

fn attributes(labels: &Labels) -> Vec<KeyValue> {
    labels.iter().map(|(label, value)| attribute(label, value)).collect()
}

/// A label is a text; what OpenTelemetry's conventions say is something else goes as that.
fn attribute(label: &str, value: &str) -> KeyValue {
    match label {
        "otel.metric.overflow" => pair(label, Written::BoolValue(true)),
        "http.response.status_code" => {
            pair(label, value.parse().map_or_else(|_| Written::StringValue(value.to_owned()), Written::IntValue))
        }
        label => text(label, value),
    }
}
