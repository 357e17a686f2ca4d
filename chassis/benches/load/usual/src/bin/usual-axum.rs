//! The same answers from axum with the layers that a service open to others is usually given:
//! `usual-axum ADDRESS ALGORITHM KEY-FILE`.
//!
//! A span for each call by tower-http and tracing-opentelemetry, a Prometheus metric, a limit by the caller's address, and a
//! token that is verified. Nothing is logged, and no span is sent: callers are traced and not recorded.

use std::env;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::{MatchedPath, Path, Request, State};
use axum::http::StatusCode;
use axum::http::header::AUTHORIZATION;
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use axum::routing::{get, post};
use axum::serve::ListenerExt;
use axum::{Json, Router};
use axum_prometheus::PrometheusMetricLayer;
use jsonwebtoken::{DecodingKey, Validation, decode};
use model::{Hello, Order};
use opentelemetry::global;
use opentelemetry::trace::TracerProvider;
use opentelemetry_http::HeaderExtractor;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::{Sampler, SdkTracerProvider};
use tokio::net::TcpListener;
use tower_governor::GovernorLayer;
use tower_governor::governor::GovernorConfigBuilder;
use tower_http::trace::TraceLayer;
use tracing::level_filters::LevelFilter;
use tracing::{Span, info_span};
use tracing_opentelemetry::OpenTelemetrySpanExt;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use usual::{AUDIENCE, Claims, Failure, ISSUER, Key};

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let arguments: Vec<_> = env::args().skip(1).collect();
    let [address, algorithm, file] = arguments.as_slice() else {
        return Err("usual-axum ADDRESS ALGORITHM KEY-FILE".into());
    };
    trace();
    let gate = Arc::new(Gate::new(&Key::read(algorithm, file)?)?);
    // Never reached: a refusal is another answer.
    let limit = GovernorConfigBuilder::default().per_nanosecond(1).burst_size(u32::MAX).finish();
    let (metrics, handle) = PrometheusMetricLayer::pair();
    let router = Router::new()
        .route("/greetings/{name}", get(hello))
        .route("/orders", post(place))
        .layer(from_fn_with_state(gate, authenticate))
        .layer(GovernorLayer::new(limit.ok_or("a limit of nothing")?))
        .route("/metrics", get(|| async move { handle.render() }))
        .layer(metrics)
        .layer(TraceLayer::new_for_http().make_span_with(span));
    let listener = TcpListener::bind(address).await?.tap_io(|stream| {
        let _ = stream.set_nodelay(true);
    });
    axum::serve(listener, router.into_make_service_with_connect_info::<SocketAddr>()).await?;
    Ok(())
}

async fn hello(Path(name): Path<String>) -> Json<Hello> {
    Json(Hello::to(&name))
}

async fn place(Json(order): Json<Order>) -> Json<Order> {
    Json(order)
}

/// Records what the caller records, and one trace in a hundred of those that begin here.
fn trace() {
    global::set_text_map_propagator(TraceContextPropagator::new());
    let sampler = Sampler::ParentBased(Box::new(Sampler::TraceIdRatioBased(0.01)));
    let provider = SdkTracerProvider::builder().with_sampler(sampler).build();
    let spans = tracing_opentelemetry::layer().with_tracer(provider.tracer("usual"));
    tracing_subscriber::registry().with(LevelFilter::INFO).with(spans).init();
    global::set_tracer_provider(provider);
}

fn span(request: &Request<Body>) -> Span {
    let route = request.extensions().get::<MatchedPath>().map_or("", MatchedPath::as_str);
    let span = info_span!(
        "request",
        otel.name = format!("{} {route}", request.method()),
        otel.kind = "server",
        http.request.method = %request.method(),
        http.route = route,
        url.path = request.uri().path(),
    );
    let parent = global::get_text_map_propagator(|from| from.extract(&HeaderExtractor(request.headers())));
    let _ = span.set_parent(parent);
    span
}

/// Who may come in.
struct Gate {
    key: DecodingKey,
    validation: Validation,
}

impl Gate {
    fn new(key: &Key) -> Result<Self, Failure> {
        let mut validation = Validation::new(key.algorithm);
        validation.set_issuer(&[ISSUER]);
        validation.set_audience(&[AUDIENCE]);
        Ok(Self { key: key.verifying()?, validation })
    }

    fn claims(&self, request: &Request) -> Option<Claims> {
        let token = request.headers().get(AUTHORIZATION)?.to_str().ok()?.strip_prefix("Bearer ")?;
        decode(token, &self.key, &self.validation).ok().map(|token| token.claims)
    }
}

async fn authenticate(State(gate): State<Arc<Gate>>, mut request: Request, next: Next) -> Result<Response, StatusCode> {
    let claims = gate.claims(&request).ok_or(StatusCode::UNAUTHORIZED)?;
    request.extensions_mut().insert(claims);
    Ok(next.run(request).await)
}
