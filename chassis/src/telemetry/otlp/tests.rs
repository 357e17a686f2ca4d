//! Proves what sending promises, against a collector that the test starts.

use std::time::{Duration, SystemTime};

use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTracePartialSuccess, ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use opentelemetry_proto::tonic::common::v1::any_value::Value as Written;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::metrics::v1::{Metric, number_data_point};
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message;
use serde_json::{Value, json};

use super::*;
use crate::background::Works;
use crate::clock::Clock;
use crate::conf::source::InMemory;
use crate::conf::{Process, Warnings};
use crate::metrics::{Kind, Labels, Measured, Spec, Unit, labels};
use crate::outbox::{self, Line, written};
use crate::random::Random;
use crate::trace::TraceContext;

mod collector;
mod losses;

use collector::{Answer, Collector, Sent};

/// A process that sends.
struct Sending {
    process: Process,
    works: Works,
    warnings: Warnings,
    _exporting: Exporting,
}

impl Sending {
    fn start(conf: Value) -> Self {
        Self::attempt(conf).unwrap_or_else(|error| panic!("{error}"))
    }

    fn attempt(conf: Value) -> Result<Self, BuildError> {
        let (process, random, warnings) = (Process::default(), Random::seeded(1), Warnings::default());
        let context = BuildContext {
            clock: Clock::system(),
            random: &random,
            scope: None,
            files: &InMemory::default().with("empty.pem", ""),
            warnings: &warnings,
            process: &process,
        };
        let resource = Resource::from([("service.name".to_owned(), "greeter".to_owned())]);
        let exporting = begin(&serde_json::from_value(conf).unwrap(), &resource, &context)?;
        let mut works = Works::default();
        works.begin(process.background.take_works());
        Ok(Self { process, works, warnings, _exporting: exporting })
    }

    fn record(&self, name: &str) {
        self.process.spans.offer(finished(name));
    }

    /// What was counted of the spans: those sent, rejected, unavailable, dropped, and taken to be sent.
    fn counted(&self) -> [f64; 5] {
        let families = self.process.metrics.families();
        let count = |name: &str, error: Option<&str>| {
            let family = families.iter().find(|family| family.spec.name == name);
            let series = family.into_iter().flat_map(|family| &family.series);
            let mut fitting = series.filter(|series| series.labels.get("error.type").map(AsRef::as_ref) == error);
            fitting.next().map_or(0.0, |series| match &series.measured {
                Measured::Number(number) => *number,
                Measured::Buckets(_) => f64::NAN,
            })
        };
        let exported = "otel.sdk.exporter.span.exported";
        [
            count(exported, None),
            count(exported, Some("rejected")),
            count(exported, Some("unavailable")),
            count("otel.sdk.processor.span.processed", Some("queue_full")),
            count("otel.sdk.processor.span.processed", None),
        ]
    }
}

const START: SystemTime = SystemTime::UNIX_EPOCH;

fn finished(name: &str) -> impl FnOnce(&mut Vec<u8>) {
    let trace = TraceContext { trace_id: [1; 16], span_id: [2; 8], parent_id: [3; 8], flags: 1 };
    move |spans| {
        written(spans, |span| {
            span.place(&trace);
            span.name([name, "", ""]);
            span.start(5);
            span.text("http.route", "/a");
            span.number("http.response.status_code", 200);
            span.link(&TraceContext { trace_id: [4; 16], parent_id: [5; 8], ..trace });
            span.end(1_000_000_000);
            if name == "failed" {
                span.failed();
            }
        });
    }
}

fn spans(message: &[u8]) -> Vec<Span> {
    let request = ExportTraceServiceRequest::decode(message).unwrap();
    let [spans] = request.resource_spans.as_slice() else { panic!("one resource") };
    let resource = spans.resource.as_ref().unwrap();
    assert!(resource.attributes.contains(&values::text("service.name", "greeter")));
    assert!(resource.attributes.iter().any(|attribute| attribute.key == "service.instance.id"));
    assert_eq!(spans.scope_spans[0].scope.as_ref().unwrap().name, "chassis");
    spans.scope_spans[0].spans.clone()
}

fn names(sent: &Sent) -> Vec<String> {
    spans(&sent.body).into_iter().map(|span| span.name).collect()
}

fn to(collector: &Collector, mut more: Value) -> Value {
    let mut conf =
        json!({ "endpoint": collector.address, "metrics": { "enabled": false }, "traces": { "interval": "1ms" } });
    conf.as_object_mut().unwrap().append(more.as_object_mut().unwrap());
    conf
}

#[tokio::test]
async fn a_span_arrives_by_http() {
    let mut collector = Collector::start([Answer::http(200)]).await;
    let sending = Sending::start(to(&collector, json!({ "headers": { "x-key": "k1" } })));
    sending.record("GET /a");
    let sent = collector.next().await;
    assert_eq!(
        (sent.path.as_str(), &sent.headers["content-type"], &sent.headers["x-key"]),
        ("/v1/traces", &"application/x-protobuf".parse().unwrap(), &"k1".parse().unwrap())
    );
    let [span] = spans(&sent.body).try_into().unwrap();
    assert_eq!((span.trace_id, span.span_id, span.parent_span_id), (vec![1; 16], vec![2; 8], vec![3; 8]));
    assert_eq!((span.kind, span.start_time_unix_nano, span.end_time_unix_nano), (2, 5, 1_000_000_000));
    assert_eq!((span.flags, span.status), (0x301, None));
    assert_eq!((&span.links[0].trace_id, &span.links[0].span_id), (&vec![4; 16], &vec![5; 8]));
    let code = KeyValue {
        key: "http.response.status_code".to_owned(),
        value: Some(AnyValue { value: Some(Written::IntValue(200)) }),
        ..KeyValue::default()
    };
    assert_eq!(span.attributes, [values::text("http.route", "/a"), code]);
}

#[tokio::test]
async fn a_span_arrives_by_grpc() {
    let mut collector = Collector::start([Answer::grpc("0")]).await;
    let sending = Sending::start(to(&collector, json!({ "protocol": "grpc" })));
    sending.record("failed");
    let sent = collector.next().await;
    assert_eq!(sent.path, "/opentelemetry.proto.collector.trace.v1.TraceService/Export");
    assert_eq!(
        (&sent.headers["content-type"], &sent.headers["te"]),
        (&"application/grpc".parse().unwrap(), &"trailers".parse().unwrap())
    );
    let length = u32::from_be_bytes(sent.body[1..5].try_into().unwrap()) as usize;
    assert_eq!((sent.body[0], length), (0, sent.body.len() - 5));
    assert_eq!(spans(&sent.body[5..])[0].status.as_ref().unwrap().code, 2);
    sending.works.end().await;
}

#[tokio::test]
async fn the_last_span_is_sent_when_the_process_ends() {
    let mut collector = Collector::start([Answer::http(200)]).await;
    let more = json!({ "traces": { "interval": "1h", "batch": 2 } });
    let sending = Sending::start(to(&collector, more));
    for name in ["a", "b", "c"] {
        sending.record(name);
    }
    assert_eq!(names(&collector.next().await), ["a", "b"], "as many as go at once wait for nothing");
    sending.record("d");
    sending.works.end().await;
    assert_eq!(names(&collector.next().await), ["c", "d"]);
    assert!(collector.is_quiet());
}

#[tokio::test]
async fn a_line_of_the_log_arrives() {
    let mut collector = Collector::start([Answer::http(200)]).await;
    let sending = Sending::start(to(&collector, json!({ "logs": { "enabled": true, "interval": "1ms" } })));
    sending.process.lines.offer(|| Line {
        at: START + Duration::from_nanos(5),
        level: tracing::Level::WARN,
        target: "a::b",
        message: "happened".to_owned(),
        trace_id: Some([1; 16]),
        span_id: Some([2; 8]),
        fields: vec![
            ("name", "ada".into()),
            ("share", outbox::Value::Decimal(0.5)),
            ("cut", outbox::Value::Truth(true)),
        ],
    });
    let sent = collector.next().await;
    assert_eq!(sent.path, "/v1/logs");
    let request = ExportLogsServiceRequest::decode(sent.body).unwrap();
    let line = &request.resource_logs[0].scope_logs[0].log_records[0];
    assert_eq!((line.severity_number, line.severity_text.as_str(), line.time_unix_nano), (13, "WARN", 5));
    assert_eq!((&line.trace_id, &line.span_id), (&vec![1; 16], &vec![2; 8]));
    assert_eq!(line.body, values::text("", "happened").value);
    let (share, cut) = (Written::DoubleValue(0.5), Written::BoolValue(true));
    let fields = [values::text("name", "ada"), values::pair("share", share), values::pair("cut", cut)];
    assert_eq!((&line.attributes[0], &line.attributes[1..]), (&values::text("target", "a::b"), &fields[..]));
}

static CALLS: Spec = Spec { name: "calls", help: "Calls.", unit: Unit::Count("call"), kind: Kind::Counter };
static OPEN: Spec = Spec { name: "open", help: "Open.", unit: Unit::Bytes, kind: Kind::Gauge };
static SHARE: Spec = Spec { name: "share", help: "Share.", unit: Unit::Ratio, kind: Kind::Gauge };
static TOOK: Spec = Spec { name: "took", help: "Took.", unit: Unit::Seconds, kind: Kind::Histogram(&[0.1, 1.0]) };

#[tokio::test]
async fn metrics_arrive_as_everything_since_the_process_began() {
    let mut collector = Collector::start([Answer::http(200)]).await;
    let conf = json!({ "endpoint": collector.address, "metrics": { "interval": "1h" } });
    let sending = Sending::start(conf);
    let metrics = &sending.process.metrics;
    let of_calls = [("operation", "a.b"), ("http.response.status_code", "501"), ("otel.metric.overflow", "true")];
    metrics.counter(&CALLS, labels(of_calls)).add(3);
    metrics.gauge(&OPEN, Labels::new()).add(7);
    metrics.gauge(&SHARE, Labels::new()).add(500_000);
    let took = metrics.histogram(&TOOK, Labels::new());
    took.record_time(Duration::from_millis(500));
    let call = TraceContext { trace_id: [0xab; 16], span_id: [2; 8], parent_id: [0; 8], flags: 1 };
    took.exemplify(500_000_000, &call, 9);
    sending.works.end().await;
    let sent = collector.next().await;
    assert_eq!(sent.path, "/v1/metrics");
    let request = ExportMetricsServiceRequest::decode(sent.body).unwrap();
    let all = &request.resource_metrics[0].scope_metrics[0].metrics;
    let metric = |name: &str| all.iter().find(|metric| metric.name == name).unwrap();
    assert_eq!(number(metric("calls")), (number_data_point::Value::AsInt(3), "{call}", Some(true)));
    assert_eq!(number(metric("open")), (number_data_point::Value::AsInt(7), "By", Some(false)));
    assert_eq!(number(metric("share")), (number_data_point::Value::AsDouble(0.5), "1", None));
    let Some(Data::Sum(calls)) = &metric("calls").data else { panic!("a sum") };
    let expected = [
        values::pair("http.response.status_code", Written::IntValue(501)),
        values::text("operation", "a.b"),
        values::pair("otel.metric.overflow", Written::BoolValue(true)),
    ];
    assert_eq!(calls.data_points[0].attributes, expected, "each of the kind that the conventions say");
    let Some(Data::Histogram(histogram)) = &metric("took").data else { panic!("a histogram") };
    let point = &histogram.data_points[0];
    assert_eq!((histogram.aggregation_temporality, point.count, point.sum), (2, 1, Some(0.5)));
    assert_eq!((&point.bucket_counts, &point.explicit_bounds), (&vec![0, 1, 0], &vec![0.1, 1.0]));
    let [exemplar] = point.exemplars.as_slice() else { panic!("one exemplar") };
    assert_eq!((&exemplar.trace_id, &exemplar.span_id, exemplar.time_unix_nano), (&vec![0xab; 16], &vec![2; 8], 9));
}

/// The value of a metric that has one, its unit, and whether it only grows if it adds up.
fn number(metric: &Metric) -> (number_data_point::Value, &str, Option<bool>) {
    let (points, monotonic) = match &metric.data {
        Some(Data::Sum(sum)) => {
            assert_eq!(sum.aggregation_temporality, 2, "cumulative");
            (&sum.data_points, Some(sum.is_monotonic))
        }
        Some(Data::Gauge(gauge)) => (&gauge.data_points, None),
        other => panic!("{other:?}"),
    };
    let point = &points[0];
    assert!(point.start_time_unix_nano > 0 && point.start_time_unix_nano <= point.time_unix_nano);
    (point.value.unwrap(), &metric.unit, monotonic)
}
