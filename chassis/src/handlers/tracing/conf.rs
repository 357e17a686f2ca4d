//! What YAML says about tracing.

use crate::conf;
use crate::conf::Interval;
use crate::invocation::Network;

/// Which calls are recorded, and whom a trace is taken over from.
#[conf]
pub struct Conf {
    /// Who decides whether a trace is recorded that comes from elsewhere.
    #[conf(default)]
    pub sampler: Decider,
    /// The share of traces that are recorded, of those that start here. A recorded call costs more here, in the collector
    /// and where spans are kept: one in a hundred shows what happens. Another share for some operations stands
    /// under `operations`: `"greeting.*": { handlers: { tracing: { ratio: 1.0 } } }`.
    #[conf(default = 0.01, range(0.0..=1.0))]
    pub ratio: f64,
    /// Which calls are recorded whatever was decided when they began. Such a span stands alone in its trace: the calls
    /// that the operation made were not told. It costs the other calls nothing, and needs `telemetry.otlp`.
    #[conf(default)]
    pub always: Always,
    /// What becomes of the trace a caller is in.
    #[conf(default)]
    pub remote_parent: RemoteParent,
    /// Whether a caller may say its trace as Zipkin does (`b3`, or `X-B3-TraceId` and the like) if it does not say it in
    /// `traceparent`.
    #[conf(default = true)]
    pub b3: bool,
    /// What becomes of the baggage a caller sends (W3C Baggage). Anyone can write it, so nothing does by default.
    #[conf(default)]
    pub baggage: Luggage,
    /// The header field of a request that holds an id by which callers find the call again, such as `operationID`. A
    /// value of 1 to 128 letters, digits or characters of `-._~:+/=@` becomes the attribute `chassis.correlation_id` of
    /// the span and the field `correlation_id` of log lines.
    #[conf(default)]
    pub correlation_header: Option<String>,
    /// Addresses of proxies that are believed about who they forward for (`X-Forwarded-For`), for the attribute
    /// `client.address`: `10.0.0.0/8`, `192.0.2.7`, `unix` for Unix sockets. Nobody is by default.
    #[conf(default)]
    pub trusted_proxies: Vec<Network>,
    /// On which calls the lines that an operation logs carry the ids of the trace.
    #[conf(default)]
    pub log_context: LogContext,
    /// Whether the caller is told the trace.
    #[conf(default)]
    pub response_header: ResponseHeader,
}

/// Who decides whether a trace is recorded that comes from elsewhere.
#[conf]
#[derive(Copy, Default, PartialEq, Eq)]
pub enum Decider {
    /// The caller, if it does decide.
    #[default]
    Parent,
    /// The ratio, by the id of the trace: services with the same ratio decide alike, and none can be made to record more.
    Ratio,
}

/// Which calls are recorded whatever was decided when they began.
#[conf]
#[derive(Copy)]
pub struct Always {
    /// Those that this service failed: status 500 and above, but for what a handler refused, methods that are known
    /// nowhere, and deadlines that callers chose. Who is refused could have every call recorded otherwise.
    #[conf(default = true)]
    pub errors: bool,
    /// Those that took at least so long until their reply was ready.
    #[conf(default)]
    pub slow: Option<Interval>,
}

/// What becomes of the trace a caller is in.
#[conf]
#[derive(Copy, Default, PartialEq, Eq)]
pub enum RemoteParent {
    /// It goes on. For callers that are trusted not to ask for too much.
    #[default]
    Continue,
    /// A new one starts and names the caller's as a link. For callers from outside.
    Link,
    /// A new one starts, as if the caller had said nothing.
    Ignore,
}

/// What becomes of the baggage a caller sends, by its keys.
#[conf]
pub struct Luggage {
    /// The keys that go to the span and to log lines, in the field `baggage`.
    #[conf(default)]
    pub record: Vec<String>,
    /// The keys that go on to the services that this one calls.
    #[conf(default)]
    pub forward: Vec<String>,
}

/// On which calls log lines carry the ids of the trace.
#[conf]
#[derive(Copy, Default, PartialEq, Eq)]
pub enum LogContext {
    /// On those that are recorded.
    #[default]
    Recorded,
    /// On all. Each call costs an allocation more, and one that logs something a few microseconds.
    All,
}

/// Whether the caller is told the trace.
#[conf]
#[derive(Copy, Default, PartialEq, Eq)]
pub enum ResponseHeader {
    /// It is not, but for the problem document of a fault.
    #[default]
    None,
    /// In `traceresponse` (W3C Trace Context level 2, §4).
    Traceresponse,
}
