//! What is measured, how it is merged, and how it is spelled.

use std::thread;
use std::time::Duration;

use super::text::{Format, spell};
use super::*;
use crate::trace::{SAMPLED, TraceContext};

static CALLS: Spec =
    Spec { name: "test.calls", help: "Calls that came.", unit: Unit::Count("call"), kind: Kind::Counter };
static OPEN: Spec = Spec { name: "test.open", help: "Calls that run.", unit: Unit::Count("call"), kind: Kind::Gauge };
static TOOK: Spec =
    Spec { name: "test.took", help: "How long it took.", unit: Unit::Seconds, kind: Kind::Histogram(&[0.01, 0.5]) };
static SIZE: Spec = Spec { name: "test.size", help: "How large\nit \"is\".", unit: Unit::Bytes, kind: Kind::Gauge };

fn number(metrics: &Metrics, name: &str) -> f64 {
    let families = metrics.families();
    let family = families.iter().find(|family| family.spec.name == name).unwrap();
    match &family.series[0].measured {
        Measured::Number(number) => *number,
        Measured::Buckets(buckets) => panic!("{buckets:?}"),
    }
}

#[test]
fn threads_count_together() {
    let metrics = Metrics::new(2);
    let (calls, open) = (metrics.counter(&CALLS, Labels::new()), metrics.gauge(&OPEN, Labels::new()));
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                (0..1000).for_each(|_| calls.increment());
                open.add(3);
                open.subtract(1);
            });
        }
    });
    // What one thread added another takes away.
    open.subtract(20);
    assert_eq!((number(&metrics, "test.calls"), number(&metrics, "test.open")), (8000.0, -4.0));
    assert_eq!((calls.count(), open.value()), (8000, -4));
}

#[test]
fn the_same_labels_are_the_same_series() {
    let metrics = Metrics::default();
    metrics.counter(&CALLS, labels([("a", "1"), ("b", "2")])).increment();
    metrics.counter(&CALLS, labels([("b", "2"), ("a", "1")])).increment();
    metrics.counter(&CALLS, labels([("a", "2")])).increment();
    let families = metrics.families();
    let counts: Vec<_> = families[0].series.iter().map(|series| series.measured.clone()).collect();
    assert_eq!(counts, [Measured::Number(2.0), Measured::Number(1.0)]);
}

#[test]
fn a_value_falls_into_the_first_bucket_whose_bound_it_does_not_exceed() {
    let took = Metrics::default().histogram(&TOOK, Labels::new());
    for millis in [0, 10, 11, 500, 501] {
        took.record_time(Duration::from_millis(millis));
    }
    took.record_time(Duration::MAX);
    let buckets = took.read();
    assert_eq!((buckets.counts.as_slice(), buckets.count()), ([2, 2, 2].as_slice(), 6));
}

#[test]
fn series_beyond_the_bound_share_one() {
    let metrics = Metrics::default();
    for at in 0..MOST_SERIES + 10 {
        metrics.counter(&CALLS, labels([("path", at.to_string())])).increment();
    }
    metrics.counter(&CALLS, labels([("path", "7")])).increment();
    let family = metrics.families().remove(0);
    assert_eq!(family.series.len(), MOST_SERIES + 1);
    let of = |labels: Labels| family.series.iter().find(|series| series.labels == labels).unwrap().measured.clone();
    assert_eq!(of(labels([("otel.metric.overflow", "true")])), Measured::Number(10.0));
    assert_eq!(of(labels([("path", "7")])), Measured::Number(2.0));
}

#[test]
fn what_is_observed_is_forgotten_with_whom_it_belongs_to() {
    let metrics = Metrics::default();
    let owner = Arc::new(5.0);
    let seen = Arc::downgrade(&owner);
    metrics.observe(&SIZE, Labels::new(), move || seen.upgrade().map(|size| *size));
    assert_eq!(number(&metrics, "test.size"), 5.0);
    drop(owner);
    assert_eq!(metrics.families(), []);
}

#[test]
fn only_recorded_calls_stand_for_a_bucket() {
    let took = Metrics::default().histogram(&TOOK, Labels::new());
    let mut call = TraceContext { trace_id: [1; 16], span_id: [2; 8], ..TraceContext::default() };
    took.exemplify(20_000_000, &call, 0);
    assert_eq!(took.read().exemplars, [None, None, None]);
    call.flags = SAMPLED;
    took.exemplify(20_000_000, &call, 0);
    let exemplars = took.read().exemplars;
    assert_eq!(exemplars[1].as_ref().unwrap().span_id, [2; 8]);
    assert_eq!((&exemplars[0], &exemplars[2]), (&None, &None));
}

#[test]
fn a_call_stands_for_its_bucket_for_a_while() {
    let took = Metrics::default().histogram(&TOOK, Labels::new());
    let call = |number| TraceContext { trace_id: [number; 16], flags: SAMPLED, ..TraceContext::default() };
    let stands = || took.read().exemplars[1].as_ref().map(|exemplar| exemplar.trace_id[0]);
    let tenth = 100_000_000;
    took.exemplify(20_000_000, &call(0), 0);
    assert_eq!(stands(), None, "of no trace");
    for (number, at, expected) in
        [(1, tenth, 1), (2, 2 * tenth - 1, 1), (3, 2 * tenth, 3), (4, 3 * tenth + 1, 4), (5, 1, 5)]
    {
        took.exemplify(20_000_000, &call(number), at);
        assert_eq!(stands(), Some(expected), "at {at}; the wall may be set back");
    }
    took.exemplify(1, &call(6), 2);
    assert_eq!(took.read().exemplars[0].as_ref().unwrap().trace_id, [6; 16], "each bucket has its own");
}

fn page(format: Format) -> String {
    let metrics = Metrics::default();
    metrics.counter(&CALLS, labels([("who", "a\"b\\c\nd")])).add(2);
    metrics.gauge(&OPEN, Labels::new()).subtract(1);
    metrics.observe(&SIZE, Labels::new(), || Some(1536.0));
    let took = metrics.histogram(&TOOK, labels([("http.route", "/a")]));
    took.record(20_000_000);
    let call = TraceContext { trace_id: [1; 16], span_id: [2; 8], flags: SAMPLED, ..TraceContext::default() };
    took.exemplify(20_000_000, &call, 1_500_000_000);
    spell(&metrics.families(), format)
}

#[test]
fn openmetrics_has_units_exemplars_and_an_end() {
    let expected = r#"# TYPE test_calls counter
# HELP test_calls Calls that came.
test_calls_total{who="a\"b\\c\nd"} 2
# TYPE test_open gauge
# HELP test_open Calls that run.
test_open -1
# TYPE test_size_bytes gauge
# UNIT test_size_bytes bytes
# HELP test_size_bytes How large\nit "is".
test_size_bytes 1536
# TYPE test_took_seconds histogram
# UNIT test_took_seconds seconds
# HELP test_took_seconds How long it took.
test_took_seconds_bucket{http_route="/a",le="0.01"} 0
test_took_seconds_bucket{http_route="/a",le="0.5"} 1 # {trace_id="01010101010101010101010101010101",span_id="0202020202020202"} 0.02 1.500
test_took_seconds_bucket{http_route="/a",le="+Inf"} 1
test_took_seconds_sum{http_route="/a"} 0.02
test_took_seconds_count{http_route="/a"} 1
# EOF
"#;
    assert_eq!(page(Format::OpenMetrics), expected);
}

#[test]
fn the_older_format_has_the_suffix_in_the_name_and_no_exemplars() {
    let text = page(Format::Prometheus);
    assert!(text.contains("# TYPE test_calls_total counter\n"), "{text}");
    assert!(!text.contains("# {") && !text.contains("# UNIT") && !text.contains("# EOF"), "{text}");
}

#[test]
fn a_scraper_gets_what_it_asks_for() {
    let prometheus = "application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.3,*/*;q=0.1";
    assert_eq!(Format::accepted(prometheus), Format::OpenMetrics);
    assert_eq!(Format::accepted("text/plain"), Format::Prometheus);
    assert_eq!(Format::accepted(""), Format::Prometheus);
    for (accept, expected) in [
        ("application/openmetrics-text;q=0.1, text/plain", Format::Prometheus),
        ("application/openmetrics-text;q=0, */*", Format::Prometheus),
        ("application/openmetrics-text; q=0.0", Format::Prometheus),
        ("application/openmetrics-text;q=0.3, text/plain;q=0.2, */*", Format::OpenMetrics),
        ("application/openmetrics-text;q=0.3, text/*;q=0.5, */*;q=0.1", Format::Prometheus),
        (
            "application/openmetrics-text;version=0.0.1;q=0.1,Application/OpenMetrics-Text;Q=0.5,text/plain;q=0.4",
            Format::OpenMetrics,
        ),
        ("application/openmetrics-text, text/plain", Format::OpenMetrics),
        ("application/openmetrics-texture", Format::Prometheus),
        ("*/*", Format::Prometheus),
    ] {
        assert_eq!(Format::accepted(accept), expected, "{accept}");
    }
}

#[test]
fn bounds_are_canonical_in_openmetrics() {
    static BOUNDS: Spec = Spec {
        name: "bounds",
        help: "",
        unit: Unit::Count("thing"),
        kind: Kind::Histogram(&[1.0, 10.0, 65_536.0, 100_000.0, 1_048_576.0, 10_000_000.0]),
    };
    let metrics = Metrics::default();
    metrics.histogram(&BOUNDS, Labels::new()).record(1);
    let bounds = |format| {
        let text = spell(&metrics.families(), format);
        let bounds = text.lines().filter_map(|line| Some(line.split_once("le=\"")?.1.split_once('"')?.0.to_owned()));
        bounds.collect::<Vec<_>>().join(" ")
    };
    assert_eq!(bounds(Format::OpenMetrics), "1.0 10.0 65536.0 100000.0 1.048576e+06 1e+07 +Inf");
    assert_eq!(bounds(Format::Prometheus), "1 10 65536 100000 1048576 10000000 +Inf");
    let spelt = |bound: f64| text::Canonical(bound).to_string();
    assert_eq!([1e-10, 1e-5, 1e-4, 0.001, 0.05, 7.5].map(spelt), ["1e-10", "1e-05", "0.0001", "0.001", "0.05", "7.5"]);
}

#[test]
fn what_process_it_is_stands_first() {
    let process = [("service.name", "gre\"eter"), ("a.b", "1"), ("a_b", "2")];
    let process = process.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    let said = |format| text::spell_of(&process, &[], format);
    let labels = r#"{a_b="1;2",service_name="gre\"eter"}"#;
    assert_eq!(
        said(Format::OpenMetrics),
        format!("# TYPE target info\n# HELP target What process this is.\ntarget_info{labels} 1\n# EOF\n")
    );
    assert_eq!(
        said(Format::Prometheus),
        format!("# TYPE target_info gauge\n# HELP target_info What process this is.\ntarget_info{labels} 1\n")
    );
}

#[test]
fn a_label_never_begins_as_those_that_prometheus_keeps_for_itself() {
    let process = [("__name__", "foo"), ("..a--b", "1"), ("_a_b", "2"), ("1__2", "3"), ("é", "4")];
    let process = process.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    let text = text::spell_of(&process, &[], Format::Prometheus);
    let labels = r#"target_info{_="4",_1_2="3",_a_b="1;2",_name_="foo"} 1"#;
    assert!(text.ends_with(&format!("\n{labels}\n")), "{text}");
}
