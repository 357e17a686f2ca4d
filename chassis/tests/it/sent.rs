//! What a collector is sent of the calls of a service.

use std::collections::BTreeMap;

use chassis::prelude::*;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use crate::rig::{answering, refusal, service, warned};

/// The first thing that is sent there, head and body.
async fn received(listener: TcpListener) -> String {
    let (mut stream, _) = listener.accept().await.expect("somebody sends");
    let mut bytes = Vec::new();
    loop {
        assert!(stream.read_buf(&mut bytes).await.expect("it is whole") > 0);
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let Some((head, _)) = text.split_once("\r\n\r\n") else { continue };
        let fields: BTreeMap<_, _> = head.lines().filter_map(|line| line.split_once(": ")).collect();
        let length: usize = fields["content-length"].parse().expect("a length");
        if bytes.len() >= head.len() + 4 + length {
            stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await.expect("it is answered");
            return text;
        }
    }
}

#[tokio::test]
async fn a_recorded_call_is_sent_with_who_the_service_is() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let yaml = format!(
        "
chain: {{ provider: {{ default: [tracing, gate] }} }}
handlers: {{ tracing: {{ ratio: 1.0 }} }}
service: {{ name: it, version: '7.1' }}
telemetry:
  resource: {{ deployment.environment.name: test }}
  otlp: {{ endpoint: 'http://{}', traces: {{ interval: 1ms }}, metrics: {{ enabled: false }} }}
",
        listener.local_addr().expect("an address")
    );
    let operations = [answering("loud.one", "GET", "/loud/{name}", |_: &Invocation| Reply::new("ok"))];
    let app = service(&yaml).mount_operations(operations).start().await.expect("this service starts");
    app.get("/loud/ada").send().await;
    let sent = received(listener).await;
    assert!(sent.starts_with("POST /v1/traces HTTP/1.1\r\n"), "{sent}");
    for part in ["GET /loud/{name}", "loud.one", "service.name", "7.1", "deployment.environment.name", "/loud/ada"] {
        assert!(sent.contains(part), "no {part} in {sent}");
    }
}

#[tokio::test]
async fn what_is_wrong_with_a_collector_is_said_with_its_place() {
    let wrong = refusal(service("telemetry: { otlp: { endpoint: 'collector:4318' } }")).await;
    assert!(wrong.contains("telemetry.otlp.endpoint") && wrong.contains("neither https nor http"), "{wrong}");
    assert!(wrong.contains("test-2.yaml:1:"), "{wrong}");
}

#[tokio::test]
async fn an_attribute_without_a_name_is_refused() {
    for name in ["''", "' '"] {
        let wrong = refusal(service(&format!("telemetry: {{ resource: {{ {name}: x }} }}"))).await;
        assert!(wrong.contains("telemetry.resource: an attribute has no name") && wrong.contains("help: "), "{wrong}");
        assert!(wrong.contains("test-2.yaml:1:"), "{wrong}");
    }
}

/// What has no effect of this configuration, below chains of `gate` and these handlers.
fn idle(handlers: &str, yaml: &str) -> Vec<String> {
    let mut warned = warned(&format!("{yaml}\nchain: {{ provider: {{ default: [{handlers}gate] }} }}"));
    warned.retain(|warning| warning.contains(" has no effect: "));
    warned
}

#[tokio::test]
async fn calls_that_are_always_recorded_and_never_sent_are_warned_of() {
    let always = "tracing: { always: { errors: true } }";
    let shared = format!("handlers: {{ {always} }}");
    let own = format!("operations: {{ 'hand.*': {{ handlers: {{ {always} }} }} }}");
    for (yaml, key) in [(&shared, "handlers.tracing.always"), (&own, "operations.hand.*.handlers.tracing.always")] {
        let [warning] = idle("tracing, ", yaml).try_into().expect("one warning");
        assert!(warning.starts_with(&format!("{key} (test:1:")) && warning.contains("`telemetry.otlp`"), "{warning}");
        let off = format!("{yaml}\ntelemetry: {{ otlp: {{ traces: {{ enabled: false }} }} }}");
        let [unsent] = idle("tracing, ", &off).try_into().expect("spans are not sent");
        assert!(unsent.ends_with("write `traces: { enabled: true }` in `telemetry.otlp`"), "{unsent}");
        assert_eq!(idle("tracing, ", &format!("{yaml}\ntelemetry: {{ otlp: {{}} }}")), [""; 0]);
    }
    assert_eq!(idle("tracing, ", "handlers: { tracing: { ratio: 0.5 } }"), [""; 0]);
}

#[tokio::test]
async fn spans_that_nobody_records_are_warned_of() {
    let [warning] = idle("", "telemetry: { otlp: {} }").try_into().expect("one warning");
    assert!(
        warning.starts_with("telemetry.otlp.traces (test:1:")
            && warning.contains("no chain lists `tracing`; list it, or"),
        "{warning}"
    );
    assert_eq!(idle("", "telemetry: { otlp: { traces: { enabled: false } } }"), [""; 0]);
}

#[tokio::test]
async fn a_warning_about_a_collector_names_its_place() {
    let headers = "headers: { authorization: secret }";
    let yaml = format!("telemetry: {{ otlp: {{ endpoint: 'http://collector.example:4318', {headers} }} }}");
    let warned = warned(&format!("{yaml}\nchain: {{ provider: {{ default: [gate] }} }}"));
    let is_told = |warning: &String| {
        warning.starts_with("telemetry.otlp.headers (test:1:") && warning.ends_with("; write `https://` in `endpoint`")
    };
    assert!(warned.iter().any(is_told), "{warned:?}");
}
