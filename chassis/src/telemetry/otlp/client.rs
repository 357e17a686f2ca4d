//! Carries messages to a collector and understands what it answers (OTLP 1.x, "OTLP/HTTP" and "OTLP/gRPC").

use std::time::Duration;

use bytes::{BufMut, Bytes, BytesMut};
use http::header::{CONTENT_TYPE, RETRY_AFTER, TE, USER_AGENT};
use http::uri::Scheme;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, Uri};
use http_body_util::Full;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceResponse;
use prost::Message;

use super::retry;
use crate::conf::root::{Otlp, OtlpProtocol};
use crate::conf::{BuildContext, BuildError};
use crate::outgoing::{Bounds, Dialect, Encryption, Outgoing, Trailers, Trust, address};

/// What is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Signal {
    Traces,
    Metrics,
    Logs,
}

/// What became of a message.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// It was taken, but for so many of its items.
    Taken { rejected: u64 },
    /// It may be taken later, after so long if the collector says.
    Later { after: Option<Duration>, why: String },
    /// It will never be taken.
    Refused(String),
}

/// Carries messages to one collector.
pub(super) struct Client {
    outgoing: Outgoing,
    protocol: OtlpProtocol,
    endpoint: String,
    fields: HeaderMap,
    bounds: Bounds,
}

/// The most that a collector has to say.
const LARGEST_ANSWER: usize = 64 << 10;

impl Client {
    pub(super) fn build(conf: &Otlp, context: &BuildContext<'_>) -> Result<Self, BuildError> {
        let usual = match conf.protocol {
            OtlpProtocol::Http => "http://localhost:4318",
            OtlpProtocol::Grpc => "http://localhost:4317",
        };
        let endpoint = conf.endpoint.as_deref().unwrap_or(usual).trim_end_matches('/');
        let uri = address(endpoint, Encryption::Optional).map_err(|error| error.below("endpoint"))?;
        if uri.query().is_some() {
            let error = BuildError::new("endpoint", "the address has a query, and a path is added to it");
            return Err(error.with_help("write it without what begins with `?`"));
        }
        if conf.protocol == OtlpProtocol::Http
            && let Some(own) = Signal::ALL.iter().find_map(|signal| endpoint.strip_suffix(signal.path()))
        {
            let error = BuildError::new("endpoint", "the address ends in the path of a signal, which is added to it");
            return Err(error.with_help(format!("write `{own}`")));
        }
        let is_open = uri.scheme() == Some(&Scheme::HTTP);
        if is_open && !conf.headers.is_empty() && !is_here(&uri) {
            let warning = BuildError::new("headers", "these fields are sent unencrypted");
            context.warnings.warn_at(warning.with_help("write `https://` in `endpoint`"));
        }
        let signers = conf.ca.as_ref().map(|file| context.files.read(file)).transpose();
        let signers = signers.map_err(|error| error.below("ca"))?;
        let trust = match &signers {
            Some(signers) => Trust::Signers(signers),
            None if is_open => Trust::Nobody,
            None => Trust::System,
        };
        let dialect = if conf.protocol == OtlpProtocol::Grpc { Dialect::Http2 } else { Dialect::Http1 };
        Ok(Self {
            outgoing: Outgoing::speaking(dialect, trust).map_err(|error| error.below("ca"))?,
            protocol: conf.protocol,
            endpoint: endpoint.to_owned(),
            fields: fields(conf)?,
            bounds: Bounds { time: conf.timeout.0, body: LARGEST_ANSWER },
        })
    }

    pub(super) async fn send(&self, signal: Signal, message: Bytes) -> Outcome {
        let request = match self.request(signal, message) {
            Ok(request) => request,
            Err(error) => return Outcome::Refused(error.to_string()),
        };
        match self.outgoing.send(request, self.bounds).await {
            Ok(response) if self.protocol == OtlpProtocol::Grpc => of_grpc(&response),
            Ok(response) => of_http(&response),
            Err(error) => Outcome::Later { after: None, why: error.to_string() },
        }
    }

    fn request(&self, signal: Signal, message: Bytes) -> http::Result<Request<Full<Bytes>>> {
        let (path, body) = match self.protocol {
            OtlpProtocol::Http => (signal.path(), message),
            OtlpProtocol::Grpc => (signal.procedure(), framed(&message)),
        };
        let mut request =
            Request::builder().method(Method::POST).uri(format!("{}{path}", self.endpoint)).body(Full::new(body))?;
        *request.headers_mut() = self.fields.clone();
        Ok(request)
    }
}

impl Signal {
    const ALL: [Self; 3] = [Self::Traces, Self::Metrics, Self::Logs];

    const fn path(self) -> &'static str {
        match self {
            Self::Traces => "/v1/traces",
            Self::Metrics => "/v1/metrics",
            Self::Logs => "/v1/logs",
        }
    }

    const fn procedure(self) -> &'static str {
        match self {
            Self::Traces => "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
            Self::Metrics => "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export",
            Self::Logs => "/opentelemetry.proto.collector.logs.v1.LogsService/Export",
        }
    }
}

/// The fields of every request: those that YAML says, and those of the protocol, which win.
fn fields(conf: &Otlp) -> Result<HeaderMap, BuildError> {
    let mut fields = HeaderMap::new();
    for (name, secret) in &conf.headers {
        let wrong = |what: &str| {
            BuildError::new(format!("headers.{name}"), format!("{what} of a header field"))
                .with_help("a name has letters, digits and hyphens, a value no line breaks")
        };
        let known: HeaderName = name.parse().map_err(|_| wrong("this is no name"))?;
        let mut value = HeaderValue::from_str(secret.expose()).map_err(|_| wrong("this is no value"))?;
        value.set_sensitive(true);
        fields.insert(known, value);
    }
    let media_type = match conf.protocol {
        OtlpProtocol::Http => "application/x-protobuf",
        OtlpProtocol::Grpc => "application/grpc",
    };
    fields.insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
    fields.insert(USER_AGENT, HeaderValue::from_static(concat!("chassis/", env!("CARGO_PKG_VERSION"))));
    if conf.protocol == OtlpProtocol::Grpc {
        fields.insert(TE, HeaderValue::from_static("trailers"));
    }
    Ok(fields)
}

fn is_here(uri: &Uri) -> bool {
    address(&uri.to_string(), Encryption::Required).is_ok()
}

/// A message behind its length, not compressed (gRPC over HTTP/2, "Length-Prefixed-Message").
fn framed(message: &Bytes) -> Bytes {
    let mut frame = BytesMut::with_capacity(5 + message.len());
    frame.put_u8(0);
    frame.put_u32(u32::try_from(message.len()).unwrap_or(u32::MAX));
    frame.put_slice(message);
    frame.freeze()
}

fn of_http(response: &Response<Bytes>) -> Outcome {
    match response.status() {
        status if status.is_success() => taken(response.body()),
        status if is_passing(status) => Outcome::Later { after: after(response.headers()), why: status.to_string() },
        status => Outcome::Refused(status.to_string()),
    }
}

fn of_grpc(response: &Response<Bytes>) -> Outcome {
    match response.status() {
        StatusCode::OK => {}
        status if is_passing(status) => return Outcome::Later { after: None, why: status.to_string() },
        status => return Outcome::Refused(status.to_string()),
    }
    let trailers = response.extensions().get::<Trailers>().map(|Trailers(fields)| fields);
    let status = |fields: &HeaderMap| fields.get("grpc-status")?.to_str().ok()?.parse::<u8>().ok();
    // A reply without a message has its status among the header fields.
    let fields = trailers.filter(|fields| status(fields).is_some()).unwrap_or_else(|| response.headers());
    let Some(code) = status(fields) else {
        return Outcome::Later { after: None, why: "no gRPC status".to_owned() };
    };
    let why = format!("gRPC status {code}");
    match (code, retry::asked(fields)) {
        (0, _) => taken(response.body().get(5..).unwrap_or_default()),
        // Cancelled, deadline exceeded, aborted, out of range, unavailable, data loss: the table of OTLP.
        (1 | 4 | 10 | 11 | 14 | 15, asked) => Outcome::Later { after: asked.and_then(|asked| asked.after), why },
        // A resource is exhausted: whether for good, only the collector knows.
        (8, Some(asked)) => Outcome::Later { after: asked.after, why },
        _ => Outcome::Refused(why),
    }
}

/// What the collector did not take of a message that it took: said alike for all signals.
fn taken(body: &[u8]) -> Outcome {
    let partial = ExportTraceServiceResponse::decode(body).ok().and_then(|response| response.partial_success);
    Outcome::Taken { rejected: partial.map_or(0, |partial| u64::try_from(partial.rejected_spans).unwrap_or(0)) }
}

fn is_passing(status: StatusCode) -> bool {
    matches!(status.as_u16(), 429 | 502 | 503 | 504)
}

fn after(headers: &HeaderMap) -> Option<Duration> {
    let seconds = headers.get(RETRY_AFTER)?.to_str().ok()?.parse().ok()?;
    Some(Duration::from_secs(seconds))
}

#[cfg(test)]
mod tests {
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;

    use super::*;

    /// What becomes of a message that gRPC answers so, behind a body or instead of one.
    fn outcome(code: &'static str, details: Option<Vec<u8>>, is_behind: bool) -> Outcome {
        let mut fields = HeaderMap::from_iter([("grpc-status".parse().unwrap(), HeaderValue::from_static(code))]);
        if let Some(details) = details {
            fields.insert("grpc-status-details-bin", STANDARD.encode(details).parse().unwrap());
        }
        let mut response = Response::new(Bytes::new());
        match is_behind {
            true => _ = response.extensions_mut().insert(Trailers(fields)),
            false => *response.headers_mut() = fields,
        }
        of_grpc(&response)
    }

    #[test]
    fn a_collector_of_grpc_says_when_it_is_asked_again() {
        let asked = || Some(retry::tests::details(7, 0));
        for is_behind in [true, false] {
            for code in ["8", "14"] {
                let (after, why) = (Some(Duration::from_secs(7)), format!("gRPC status {code}"));
                assert_eq!(outcome(code, asked(), is_behind), Outcome::Later { after, why });
            }
            assert_eq!(outcome("8", None, is_behind), Outcome::Refused("gRPC status 8".to_owned()), "for good");
            assert_eq!(outcome("3", asked(), is_behind), Outcome::Refused("gRPC status 3".to_owned()));
            let later = Outcome::Later { after: None, why: "gRPC status 14".to_owned() };
            assert_eq!(outcome("14", None, is_behind), later);
        }
    }
}
