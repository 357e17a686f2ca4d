//! What chassis itself reads from the configuration. The comments here become those of `conf/chassis.yaml`.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use crate::protocol::Listen;

mod access;
mod chains;
mod drain;
mod listeners;
mod log;
mod operations;
mod redis;
mod runtime;
mod start;
mod telemetry;
mod terms;
mod timeout;

pub use access::{Policy, Whom};
pub use chains::{Addition, ChainConf, Chains, DEFAULT, Edit, Spot, UNMATCHED};
pub use drain::Drain;
pub use listeners::{Listeners, Opened};
pub use log::{Colour, Format, Level, Log};
pub use operations::{Overrides, Pattern, Settled};
pub use redis::Redis;
pub use runtime::{Runtime, Workers};
pub use start::Start;
pub use telemetry::{Otlp, OtlpProtocol, SentLogs, SentMetrics, SentTraces, Telemetry};
pub use terms::Terms;
pub use timeout::Timeout;

/// The keys at the top, in the order in which a person reads them.
pub(crate) const ORDER: [&str; 17] = [
    "service",
    "expect",
    "protocols",
    "admin",
    "chain",
    "handlers",
    "operations",
    "timeout",
    "routing",
    "schemas",
    "components",
    "runtime",
    "log",
    "telemetry",
    "redis",
    "start",
    "drain",
];

/// The configuration of a service.
// What parts are made from is not in here once it is read, because there may be secrets in it: `Conf` hands it out.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Root {
    /// What the service is.
    pub service: Service,
    /// Schemas, handlers and components that must be linked in. Start-up fails if one is missing, so that a crate
    /// nobody names any more is noticed.
    #[schemars(schema_with = "names::parts")]
    pub expect: Vec<String>,
    /// The listeners. The key is a protocol or, for further listeners, a protocol, a dash and a name: `rest-internal`.
    pub protocols: BTreeMap<String, Value>,
    /// The listener for operators: health, metrics, routes. Never the same address as a protocol's.
    pub admin: Admin,
    /// The ordered handlers that calls pass.
    pub chain: Chains,
    /// What each handler does, for all operations that say nothing else. Beside its own keys each takes `when`, on which
    /// calls it runs: `{ method: [POST], path: { prefix: /api/ }, header: { x-tenant: gold }, query: { debug: { present:
    /// true } }, peer: [10.0.0.0/8], operation: [greeting.*], mark: [bulk] }` or a list of these; `shadow: true`: what it
    /// would refuse or answer is counted, and calls go on as if it were not listed; `enforce: 25%`: the share of calls on
    /// which it acts. A handler that runs or acts on some calls only provides nothing that an operation relies on.
    pub handlers: BTreeMap<String, Value>,
    /// What is different for some operations. The key is an operation, `greeting.hello`, or a pattern: `greeting.*`,
    /// `*.list`, `*`. Of several that match, the most specific says what holds: the operation itself before a
    /// pattern, then the schema that is spelled out further, then the method that is.
    #[schemars(extend("propertyNames" = { "pattern": r"^(\*|[A-Za-z0-9_*-]+\.[A-Za-z0-9_*-]+)$" }))]
    pub operations: BTreeMap<String, Overrides>,
    /// How long a call may take if neither the operation nor anything under `operations` says; `none` for no limit.
    pub timeout: Timeout,
    /// How paths are matched.
    pub routing: Routing,
    /// What each schema is made with.
    pub schemas: BTreeMap<String, Value>,
    /// What each component is started with.
    pub components: BTreeMap<String, Value>,
    /// What the process works with.
    pub runtime: Runtime,
    /// What the process writes about itself.
    pub log: Log,
    /// What the process tells a collector about itself.
    pub telemetry: Telemetry,
    /// The Redis that the instances of the service share.
    pub redis: Redis,
    /// How the process starts.
    pub start: Start,
    /// How the process ends when it is told to.
    pub drain: Drain,
}

/// What the service is.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Service {
    /// Its name in logs, traces, metrics, documents and keys in Redis. Default: what `OTEL_SERVICE_NAME` says, except in
    /// Redis, or else the name of the program.
    #[schemars(length(min = 1))]
    pub name: Option<String>,
    /// Its version in the same places. Default: that of the program.
    pub version: Option<String>,
}

/// The listener for operators.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Admin {
    /// Its address: `host:port`, `:port` or `unix:path`. Whoever reaches it sees how the service is configured; keep
    /// it off public networks.
    pub listen: Listen,
    /// How many of the latest refusals are kept for `/refusals`: each about a kilobyte, at most 12. 0 keeps none.
    #[schemars(range(max = 100_000))]
    pub refusals: usize,
}

impl Default for Admin {
    fn default() -> Self {
        Self { listen: Listen::All(9090), refusals: 1000 }
    }
}

/// How paths are matched.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Routing {
    /// Whether a slash at the end of a path means something.
    pub trailing_slash: TrailingSlash,
}

/// Whether a slash at the end of a path means something.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, serde::Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum TrailingSlash {
    /// `/greetings/` is `/greetings`.
    #[default]
    Ignore,
    /// They are different paths.
    Strict,
}

/// The schemas of texts that name something else.
mod names {
    use schemars::{Schema, SchemaGenerator, json_schema};

    pub(super) fn parts(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "array", "items": { "type": "string", "x-one-of": "part" } })
    }

    pub(super) fn handler(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "x-one-of": "handler" })
    }

    pub(super) fn handlers(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "array", "items": { "type": "string", "x-one-of": "handler" } })
    }

    pub(super) fn anchor(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": ["string", "null"], "x-one-of": "handler" })
    }
}
