//! What the process tells a collector about itself.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::conf::value::{FileRef, Interval, Secret};

/// What the process tells a collector about itself: spans, metrics and logs.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Telemetry {
    /// What describes this process in all that it sends, by the names of OpenTelemetry: `deployment.environment.name:
    /// production`. It goes before what `OTEL_RESOURCE_ATTRIBUTES` says, and before what is found in the environment of a
    /// container: `POD_NAME`, `POD_NAMESPACE`, `POD_UID`, `NODE_NAME`, `CONTAINER_NAME` and the same with `K8S_` in front,
    /// filled by the downward API of Kubernetes. `service` says what the service is; where it does not, `OTEL_SERVICE_NAME`
    /// does.
    pub resource: BTreeMap<String, String>,
    /// Sends to a collector by OTLP. The program must have been built with the feature `otlp` of chassis. Nothing is sent
    /// without it; `{}` sends to a collector on this machine. Variables such as `OTEL_EXPORTER_OTLP_ENDPOINT` are not
    /// read by themselves: write `endpoint: ${OTEL_EXPORTER_OTLP_ENDPOINT}`.
    pub otlp: Option<Otlp>,
}

/// Where spans, metrics and logs go, and how many of them may wait.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Otlp {
    /// The collector: `http://HOST:PORT` or `https://HOST:PORT`, with a path in front of `/v1/traces` if it has one.
    /// Default: `http://localhost:4318`, and port 4317 for gRPC.
    #[schemars(extend("default" = null))]
    pub endpoint: Option<String>,
    /// What the collector speaks there.
    pub protocol: OtlpProtocol,
    /// Fields that are sent along, such as `authorization`.
    pub headers: BTreeMap<String, Secret>,
    /// How long one attempt to send may take.
    pub timeout: Interval,
    /// A file of certificates in PEM that the collector's must be signed by. Default: those the system trusts.
    pub ca: Option<FileRef>,
    /// The spans that `tracing` records.
    pub traces: SentTraces,
    /// What is on `/metrics`.
    pub metrics: SentMetrics,
    /// Lines of the log.
    pub logs: SentLogs,
}

impl Default for Otlp {
    fn default() -> Self {
        Self {
            endpoint: None,
            protocol: OtlpProtocol::default(),
            headers: BTreeMap::new(),
            timeout: Interval::secs(10),
            ca: None,
            traces: SentTraces::default(),
            metrics: SentMetrics::default(),
            logs: SentLogs::default(),
        }
    }
}

/// What a collector speaks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum OtlpProtocol {
    /// Protobuf over HTTP/1.1.
    #[default]
    Http,
    /// Protobuf over gRPC.
    Grpc,
}

/// The spans that are sent.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct SentTraces {
    /// Whether they are sent.
    pub enabled: bool,
    /// How many may wait, at least `batch`, each of up to 4 KiB; more are dropped and counted.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub queue: usize,
    /// How many are sent at once.
    #[schemars(range(min = 1, max = 65_536))]
    pub batch: usize,
    /// How long they wait for others to be sent with.
    pub interval: Interval,
}

impl Default for SentTraces {
    fn default() -> Self {
        Self { enabled: true, queue: 2048, batch: 512, interval: Interval::secs(5) }
    }
}

/// The metrics that are sent.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct SentMetrics {
    /// Whether they are sent, with everything that was counted since the process began.
    pub enabled: bool,
    /// How often.
    pub interval: Interval,
}

impl Default for SentMetrics {
    fn default() -> Self {
        Self { enabled: true, interval: Interval::secs(60) }
    }
}

/// The lines of the log that are sent.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct SentLogs {
    /// Whether they are sent, beside being written.
    pub enabled: bool,
    /// How many may wait, at least `batch`, each of up to 4 KiB; more are dropped and counted.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub queue: usize,
    /// How many are sent at once.
    #[schemars(range(min = 1, max = 65_536))]
    pub batch: usize,
    /// How long they wait for others to be sent with.
    pub interval: Interval,
}

impl Default for SentLogs {
    fn default() -> Self {
        Self { enabled: false, queue: 2048, batch: 512, interval: Interval::secs(1) }
    }
}
