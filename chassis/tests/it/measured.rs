//! What a service measures of its calls, as whoever asks for its metrics sees it.

use std::io::Write;
use std::process::{Command, Stdio};

use chassis::metrics::Measured;
use chassis::metrics::text::{Format, spell};
use chassis::prelude::*;
use chassis::testing::TestApp;

use crate::rig::{answering, saying, service};

async fn measured(yaml: &str) -> TestApp {
    let failing = answering("parcel.lose", "POST", "/parcels/lost", |_| Fault::internal("it is lost").into());
    let app = service("chain: { provider: { default: [metrics, gate] } }");
    app.conf(yaml)
        .mount_operations([saying("parcel.find", "/parcels/{id}", "here"), failing])
        .start()
        .await
        .expect("this service starts")
}

/// How many values there are in the series of a histogram that have this label.
fn count(app: &TestApp, name: &str, label: &'static str, value: &str) -> u64 {
    let families = app.metrics().families();
    let series = families.iter().filter(|family| family.spec.name == name).flat_map(|family| &family.series);
    let series = series.filter(|series| series.labels.get(label).is_some_and(|said| said == value));
    let counts = series.map(|series| match &series.measured {
        Measured::Buckets(buckets) => buckets.count(),
        Measured::Number(number) => *number as u64,
    });
    counts.sum()
}

#[tokio::test]
async fn calls_are_measured_by_operation_whatever_their_paths() {
    let app = measured("").await;
    for id in 0..20 {
        assert_eq!(app.get(&format!("/parcels/{id}")).send().await.text(), "here");
    }
    app.post("/parcels/lost").send().await;
    for path in ["/nothing", "/at", "/all"] {
        assert_eq!(app.get(path).send().await.status(), 404);
    }
    let counted = |label, value| count(&app, "http.server.request.duration", label, value);
    assert_eq!((counted("operation", "parcel.find"), counted("http.route", "/parcels/{id}")), (20, 20));
    assert_eq!((counted("error.type", "internal"), counted("http.response.status_code", "404")), (1, 3));
    assert_eq!(count(&app, "http.server.active_requests", "url.scheme", "http"), 0);
    let families = app.metrics().families();
    let durations = families.iter().find(|family| family.spec.name == "http.server.request.duration").unwrap();
    assert_eq!(durations.series.len(), 3, "{durations:?}");
}

#[tokio::test]
async fn each_handler_behind_it_is_timed_on_the_calls_that_are_drawn() {
    let app = measured("handlers: { metrics: { self-time: 100% } }").await;
    app.get("/parcels/1").send().await;
    app.get("/parcels/2").send().await;
    assert_eq!(count(&app, "chassis.handler.duration", "handler", "gate"), 2);
    assert_eq!(count(&app, "chassis.handler.duration", "handler", "metrics"), 0);
    let never = measured("handlers: { metrics: { self-time: 0% } }").await;
    never.get("/parcels/1").send().await;
    assert_eq!(count(&never, "chassis.handler.duration", "handler", "gate"), 0);
}

#[tokio::test]
async fn the_process_and_its_panics_are_measured_without_any_handler() {
    let panics = answering("parcel.drop", "GET", "/drop", |_| panic!("as asked"));
    let app = service("").mount_operations([panics]).start().await.expect("this service starts");
    app.get("/drop").send().await;
    let text = spell(&app.metrics().families(), Format::Prometheus);
    assert!(text.contains("chassis_panics_total 1\n") && text.contains("process_uptime_seconds"), "{text}");
    if cfg!(target_os = "linux") {
        assert!(text.contains("process_cpu_time_seconds_total{cpu_mode=\"user\"}"), "{text}");
        assert!(text.contains("process_memory_usage_bytes"), "{text}");
        assert!(text.contains("process_unix_file_descriptors "), "{text}");
        assert!(text.contains("process_unix_file_descriptor_limit "), "{text}");
    }
    for figure in ["workers 1\n", "alive_tasks ", "global_queue_depth "] {
        assert!(text.contains(&format!("\ntokio_runtime_{figure}")), "{text}");
    }
}

#[tokio::test]
#[expect(clippy::print_stderr, reason = "whoever runs the tests learns that one was skipped")]
async fn prometheus_finds_nothing_to_object_to() {
    let app = measured("handlers: { metrics: { self-time: 100% } }").await;
    app.get("/parcels/1").send().await;
    app.post("/parcels/lost").send().await;
    app.get("/nothing").send().await;
    let text = spell(&app.metrics().families(), Format::Prometheus);
    let mut tool = Command::new("promtool");
    tool.args(["check", "metrics"]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let Ok(mut promtool) = tool.spawn() else {
        assert!(std::env::var_os("CI").is_none(), "promtool is not installed, and CI skips nothing");
        eprintln!("skipped: there is no `promtool` here (Debian has it in `prometheus`)");
        return;
    };
    promtool.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let output = promtool.wait_with_output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    assert!(output.status.success() && said.is_empty(), "{}\n{text}", String::from_utf8_lossy(&said));
}
