//! `access-log`: one line of the log for a call, when it is over.
//!
//! Lines have the target `chassis::access`, so that `log.targets` says where they are written at all, and `log.format`
//! how. A reply of known length is over when it is ready, any other with its last byte or when its caller leaves. What
//! callers send is cut short, and what may be a secret is not written unless configuration says so.

#![expect(unsafe_code, reason = "the entry of a handler stands in a section of the linker")]

use http::{HeaderName, Method};

use crate::clock::Clock;
use crate::conf::{BuildContext, BuildError, Configure, Share};
use crate::handler::{Handler, Verdict};
use crate::invocation::{Invocation, Network, Proxies};
use crate::random::Random;
use crate::reply::Reply;
use crate::{conf, handler};

mod line;
mod redacted;
#[cfg(test)]
mod tests;

use line::{Line, Selected};
use redacted::Shown;

/// What is written of a call, and of which calls.
#[conf]
pub struct Conf {
    /// What a line says. What a call does not have is left out.
    #[conf(default = Field::USUAL.to_vec())]
    pub fields: Vec<Field>,
    /// The share of calls of which a line is written, by the class of their status.
    #[conf(default)]
    pub sample: Sample,
    /// How much is written of the query, where `fields` has `query`.
    #[conf(default)]
    pub query: Query,
    /// Header fields of the request that are written too, such as `x-tenant`.
    #[conf(default)]
    pub headers: Vec<String>,
    /// Header fields and parameters of the query of whose values nothing is written but that they were there. What is
    /// listed takes the place of the default. List the parameter by which `auth` takes API keys: it stays in the query
    /// wherever `auth` does not act on a call.
    #[conf(default = secret())]
    pub redact: Vec<String>,
    /// Addresses of proxies that are believed about who they forward for (`X-Forwarded-For`), for the field `client`:
    /// `10.0.0.0/8`, `192.0.2.7`, `unix` for Unix sockets. Nobody is by default.
    #[conf(default)]
    pub trusted_proxies: Vec<Network>,
}

fn secret() -> Vec<String> {
    ["authorization", "cookie", "proxy-authorization", "x-api-key", "access_token", "api_key"]
        .map(str::to_owned)
        .to_vec()
}

/// One thing that a line says.
#[conf]
#[derive(Copy, PartialEq, Eq)]
pub enum Field {
    /// The method.
    Method,
    /// The path as sent.
    Path,
    /// The query, as far as `query` says.
    Query,
    /// The template of the operation.
    Route,
    /// The operation.
    Operation,
    /// The version of HTTP.
    Version,
    /// The status; 499 where the caller left before there was one.
    Status,
    /// How long it took, in microseconds: `duration_us`.
    Duration,
    /// How many bytes of the body of the reply were sent.
    Bytes,
    /// Who was at the other end of the connection.
    Peer,
    /// The address the call comes from, by what trusted proxies say.
    Client,
    /// Who the caller proved to be.
    Principal,
    /// The id of the call, where `request-id` gives it one: `request_id`.
    RequestId,
    /// The id by which its caller finds it again, where `tracing` reads one: `correlation_id`.
    CorrelationId,
    /// The trace: `trace_id`.
    TraceId,
    /// The span of the call in its trace: `span_id`.
    SpanId,
    /// What the caller says that it is: `user_agent`.
    UserAgent,
    /// The page that it says to come from, without its query.
    Referer,
    /// The handler that refused: `refused_by`.
    RefusedBy,
    /// The code of the fault.
    Code,
}

impl Field {
    const USUAL: [Self; 15] = [
        Self::Method,
        Self::Path,
        Self::Operation,
        Self::Status,
        Self::Duration,
        Self::Bytes,
        Self::Client,
        Self::Principal,
        Self::RequestId,
        Self::CorrelationId,
        Self::TraceId,
        Self::SpanId,
        Self::UserAgent,
        Self::RefusedBy,
        Self::Code,
    ];
}

/// The share of calls of which a line is written.
#[conf]
#[derive(Copy)]
pub struct Sample {
    /// Of those that succeed.
    #[serde(rename = "2xx")]
    #[conf(default = Share::ALL)]
    pub success: Share,
    /// Of those that are sent elsewhere, or have what they ask for already.
    #[serde(rename = "3xx")]
    #[conf(default = Share::ALL)]
    pub redirection: Share,
    /// Of those that their callers got wrong, refusals among them.
    #[serde(rename = "4xx")]
    #[conf(default = Share::ALL)]
    pub client_error: Share,
    /// Of those that this service failed.
    #[serde(rename = "5xx")]
    #[conf(default = Share::ALL)]
    pub server_error: Share,
}

/// How much is written of a query.
#[conf]
#[derive(Copy, Default, PartialEq, Eq)]
pub enum Query {
    /// The names of its parameters, and for each that it had a value.
    #[default]
    Names,
    /// All of it but the values of those in `redact`. Queries hold tokens, addresses and names: be sure that they do not
    /// here.
    Full,
}

/// Writes a line of the log for every call, or for a share of them. List it first, or behind `tracing`: it sees what
/// those behind it make of a call.
#[handler("access-log")]
pub struct AccessLog {
    selected: Selected,
    sample: Sample,
    shown: Shown,
    proxies: Proxies,
    clock: Clock,
    random: Random,
}

impl Configure for AccessLog {
    type Conf = Conf;

    fn build(conf: Conf, context: &BuildContext<'_>) -> Result<Self, BuildError> {
        let shown = Shown { query: conf.query, headers: names(&conf.headers)?, redacted: conf.redact };
        Ok(Self {
            selected: conf.fields.iter().copied().collect(),
            sample: conf.sample,
            shown,
            proxies: Proxies(conf.trusted_proxies),
            clock: context.clock,
            random: context.random.clone(),
        })
    }
}

fn names(names: &[String]) -> Result<Vec<HeaderName>, BuildError> {
    let name = |(at, name): (usize, &String)| {
        name.parse().map_err(|_| {
            BuildError::new(format!("headers[{at}]"), format!("`{name}` is not a header name"))
                .with_help("a header name has letters, digits and hyphens, such as `x-tenant`")
        })
    };
    names.iter().enumerate().map(name).collect()
}

impl Handler for AccessLog {
    fn before(&self, _: &mut Invocation) -> Verdict {
        Verdict::Continue
    }

    fn after(&self, invocation: &Invocation, reply: &mut Reply) {
        if !line::is_wanted() || !self.takes(reply) {
            return;
        }
        let line = Line::of(self, invocation, reply);
        match reply.length() {
            Some(length) => {
                let bytes = if *invocation.method() == Method::HEAD { 0 } else { length };
                line.write(invocation.call.elapsed(), bytes, None);
            }
            None => {
                let (clock, arrived) = (self.clock, invocation.call.arrived);
                let is_head = *invocation.method() == Method::HEAD;
                reply.on_end(move |end| {
                    let outcome = (!is_head).then_some(end.outcome);
                    line.write(clock.now().duration_since(arrived), end.bytes, outcome);
                });
            }
        }
    }
}

impl AccessLog {
    /// Whether a line is written of this one.
    fn takes(&self, reply: &Reply) -> bool {
        let share = match reply.status().as_u16() {
            ..300 => self.sample.success,
            300..400 => self.sample.redirection,
            400..500 => self.sample.client_error,
            500.. => self.sample.server_error,
        };
        share == Share::ALL || self.random.next_f64() < share.of_one()
    }
}
