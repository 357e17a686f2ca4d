//! Any [`tower::Layer`] as a handler of a chain.

use std::convert::Infallible;
use std::future::Future;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};

use axum::BoxError;
use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::Request;
use tokio::sync::{mpsc, oneshot};
use tower::{Layer, Service, ServiceExt};

use super::Next;
use crate::argument::foreign::{Lent, lend};
use crate::fault::Fault;
use crate::handler::Wrap;
use crate::invocation::Invocation;
use crate::reply::Reply;
use crate::schema::BoxFuture;

/// A [`tower::Layer`], such as one of tower, tower-http or `axum::middleware::from_fn`, that wraps the rest of a chain.
///
/// The layer is applied once, when the handler is built, and its service is cloned for every call: what the clones
/// share, such as a semaphore, is shared by all calls. Use it in a handler of your own:
///
/// ```
/// use chassis::chain::Layered;
/// use chassis::prelude::*;
/// use tower::util::MapRequestLayer;
///
/// type Change = MapRequestLayer<fn(http::Request<Body>) -> http::Request<Body>>;
///
/// /// Says that calls came this way.
/// #[handler("mark", wrap)]
/// struct Mark(Layered<Change>);
///
/// impl Configure for Mark {
///     type Conf = ();
///
///     fn build((): (), _: &BuildContext<'_>) -> Result<Self, BuildError> {
///         Ok(Self(Layered::new(MapRequestLayer::new(|mut request| {
///             request.headers_mut().insert("x-mark", http::HeaderValue::from_static("1"));
///             request
///         }))))
///     }
/// }
///
/// impl Wrap for Mark {
///     fn wrap<'a>(&'a self, invocation: &'a mut Invocation, next: Next<'a>) -> BoxFuture<'a, Reply> {
///         self.0.wrap(invocation, next)
///     }
/// }
/// ```
///
/// What the layer changes in the request, the rest of the chain sees, but for the target: that was matched before the
/// chain began, and stays. The body that it sees ends with an error where it is larger than
/// [`Call::body_limit`](crate::invocation::Call::body_limit), and the call is then refused with 413. A layer that calls its service again runs the rest again; while one run goes on, others
/// wait for it. One that drops the future it got drops what it stands for, and every `after` that is due runs.
///
/// It costs a copy of the header fields and several allocations a call; a [`Handler`](crate::handler::Handler) of
/// your own costs none.
pub struct Layered<L: Layer<Rest>> {
    service: L::Service,
    explain: fn(BoxError) -> Fault,
}

impl<L: Layer<Rest>> Layered<L> {
    /// The layer as a handler. Where its service fails, the call fails with the [`Fault`] that it failed with, or
    /// else with 500.
    pub fn new(layer: L) -> Self {
        Self { service: layer.layer(Rest(())), explain }
    }

    /// Says which [`Fault`] an error of the layer is, such as an expired timeout.
    #[must_use]
    pub fn explained_by(self, explain: fn(BoxError) -> Fault) -> Self {
        Self { explain, ..self }
    }
}

fn explain(error: BoxError) -> Fault {
    match error.downcast::<Fault>() {
        Ok(fault) => *fault,
        Err(error) => error.downcast::<axum::Error>().map_or_else(Fault::internal, |error| Fault::from(*error)),
    }
}

/// The reply of a layer. One that refuses a body it could not read seldom says why.
fn told(reply: Reply, lent: &Lent) -> Reply {
    let status = reply.status();
    let is_own = reply.fault().is_none() && (status.is_client_error() || status.is_server_error());
    lent.fault().filter(|_| is_own).map_or(reply, Reply::from)
}

impl<L> Wrap for Layered<L>
where
    L: Layer<Rest> + 'static,
    L::Service: Service<Request<Body>, Response: IntoResponse, Error: Into<BoxError>, Future: Send>,
    L::Service: Clone + Send + Sync + 'static,
{
    fn wrap<'a>(&'a self, invocation: &'a mut Invocation, next: Next<'a>) -> BoxFuture<'a, Reply> {
        let (asks, asked) = mpsc::unbounded_channel();
        // The layer may answer by itself, and the handlers outside still look at the request then: it keeps its own.
        let (mut request, lent) = lend(invocation);
        request.extensions_mut().insert(Way(asks));
        let layered = self.service.clone().oneshot(request);
        Box::pin(async move {
            match between(layered, asked, &lent, invocation, next).await {
                Ok(response) => told(Reply::new(response), &lent),
                Err(error) => {
                    let fault = (self.explain)(error.into());
                    Reply::from(lent.fault().unwrap_or(fault))
                }
            }
        })
    }
}

/// Runs the layer, and the rest of the chain whenever the layer asks for it, until the layer has its answer.
async fn between<F: Future>(
    layered: F,
    mut asked: mpsc::UnboundedReceiver<Ask>,
    lent: &Lent,
    invocation: &mut Invocation,
    next: Next<'_>,
) -> F::Output {
    let mut layered = pin!(layered);
    loop {
        let until = async {
            tokio::select! {
                biased;
                output = &mut layered => Err(output),
                Some(ask) = asked.recv() => Ok(ask),
            }
        };
        let Ask { request, mut answer } = match lent.to(&invocation.call, until).await {
            Ok(ask) => ask,
            Err(output) => return output,
        };
        let (mut parts, body) = request.into_parts();
        parts.uri = std::mem::take(&mut invocation.parts.uri);
        (invocation.parts, invocation.body) = (parts, body);
        let reply = tokio::select! {
            biased;
            output = &mut layered => return output,
            () = answer.closed() => continue,
            reply = next.run(invocation) => reply,
        };
        // Nobody takes it if the layer gave up in this very moment.
        let _ = answer.send(reply.carry());
    }
}

/// The way from inside a layer to the chain that runs it. It travels with the request.
#[derive(Clone)]
struct Way(mpsc::UnboundedSender<Ask>);

/// A request that came out of a layer, and where it waits for the response.
struct Ask {
    request: Request<Body>,
    answer: oneshot::Sender<Response>,
}

/// The rest of the chain, as the service that a layer wraps. It never fails: a [`Fault`] is a response here.
#[derive(Clone, Copy, Debug)]
pub struct Rest(());

impl Service<Request<Body>> for Rest {
    type Response = Response;
    type Error = Infallible;
    type Future = Running;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, mut request: Request<Body>) -> Running {
        let (answer, response) = oneshot::channel();
        // Without a way, or with nobody at its end, the sender is dropped and the receiver says so.
        if let Some(Way(way)) = request.extensions_mut().remove() {
            let _ = way.send(Ask { request, answer });
        }
        Running(response)
    }
}

/// The response that the rest of the chain will give. Dropping it gives up on that.
#[derive(Debug)]
pub struct Running(oneshot::Receiver<Response>);

impl Future for Running {
    type Output = Result<Response, Infallible>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let lost = |_| Fault::internal("a layer dropped the extensions of the request, or outlived its call");
        Pin::new(&mut self.0).poll(cx).map(|response| Ok(response.unwrap_or_else(|gone| lost(gone).into_response())))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    use axum::middleware::{self, from_fn};
    use futures_util::stream;
    use http::{HeaderValue, StatusCode};
    use http_body_util::BodyExt;
    use tower::layer::layer_fn;
    use tower::service_fn;
    use tower::util::{MapRequestLayer, MapResponseLayer};

    use super::super::tests::{Does, Ends, Run};
    use super::*;
    use crate::fault::Code;
    use crate::schema::Endpoint;

    type Sent = Request<Body>;

    /// A layer between the handlers `a` and `c`.
    fn run<L: Layer<Rest>>(layer: L, ends: Ends) -> Run
    where
        Layered<L>: Wrap,
    {
        around(Layered::new(layer), ends)
    }

    fn around(wrap: impl Wrap, ends: Ends) -> Run {
        Run::hooks(&[Does::Pass; 3], ends).wrapped_by(1, wrap)
    }

    /// Answers with what it was sent.
    struct Mirror;

    impl Endpoint for Mirror {
        fn call<'a>(&'a self, invocation: &'a mut Invocation) -> BoxFuture<'a, Reply> {
            Box::pin(async move {
                let mut reply = Reply::new(std::mem::take(&mut invocation.body));
                reply.headers_mut().extend(invocation.headers().clone());
                reply.headers_mut().insert("x-path", HeaderValue::from_str(invocation.path()).unwrap());
                reply
            })
        }
    }

    fn marked(mut request: Sent) -> Sent {
        request.headers_mut().append("x-mark", HeaderValue::from_static("1"));
        request
    }

    #[tokio::test]
    async fn the_rest_sees_what_the_layer_changes() {
        let replaced = |request: Sent| marked(request.map(|_| Body::from("new")));
        let mut run = run(MapRequestLayer::new(replaced), Ends::Well);
        let reply = run.reply_of(&Mirror).await;
        assert_eq!(reply.headers()["x-mark"], "1");
        let body = axum::body::to_bytes(reply.into_response(&run.call).into_body(), 100).await.unwrap();
        assert_eq!(body, "new");
        assert_eq!(run.log.text(), "+a +c -c 200 -a 200");
    }

    #[tokio::test]
    async fn the_target_stays_as_it_was_matched() {
        let elsewhere = |mut request: Sent| {
            *request.uri_mut() = "/elsewhere".parse().unwrap();
            request
        };
        let mut run = run(MapRequestLayer::new(elsewhere), Ends::Well);
        assert_eq!(run.reply_of(&Mirror).await.headers()["x-path"], "/");
    }

    #[tokio::test]
    async fn a_fault_passes_through_a_layer_that_changes_responses() {
        let vary = |mut response: Response| {
            response.headers_mut().insert("vary", HeaderValue::from_static("origin"));
            response
        };
        let mut run = run(MapResponseLayer::new(vary), Ends::Fault);
        let reply = run.reply().await;
        assert_eq!(
            (reply.fault().unwrap().code(), reply.headers()["vary"].as_bytes()),
            (Code::NotFound, &b"origin"[..])
        );
    }

    #[tokio::test]
    async fn a_layer_that_answers_by_itself_leaves_the_request_to_those_outside() {
        let answers = |_: Sent, _: middleware::Next| async { StatusCode::IM_A_TEAPOT };
        let mut run = run(from_fn(answers), Ends::Well);
        run.call.parts.headers.insert("x-mark", HeaderValue::from_static("0"));
        assert_eq!(run.reply().await.status(), StatusCode::IM_A_TEAPOT);
        assert_eq!(run.log.text(), "+a -a 418");
        assert_eq!(run.call.headers()["x-mark"], "0");
    }

    #[tokio::test]
    async fn a_layer_that_tries_again_runs_the_rest_again() {
        let twice = |request: Sent, next: middleware::Next| async move {
            let (parts, _) = request.into_parts();
            let attempt = || next.clone().run(Sent::from_parts(parts.clone(), Body::empty()));
            drop(attempt().await);
            attempt().await
        };
        let mut run = run(from_fn(twice), Ends::Late);
        assert_eq!(run.reply().await.status(), StatusCode::OK);
        assert_eq!(run.log.text(), "+a +c ! -c 200 +c ! -c 200 -a 200");
    }

    #[tokio::test]
    async fn runs_at_the_same_time_wait_for_each_other() {
        let both = |request: Sent, next: middleware::Next| async move {
            let (parts, _) = request.into_parts();
            let attempt = || next.clone().run(Sent::from_parts(parts.clone(), Body::empty()));
            futures_util::future::join(attempt(), attempt()).await.1
        };
        let mut run = run(from_fn(both), Ends::Late);
        assert_eq!(run.reply().await.status(), StatusCode::OK);
        assert_eq!(run.log.text(), "+a +c ! -c 200 +c ! -c 200 -a 200");
    }

    #[tokio::test(start_paused = true)]
    async fn a_layer_that_gives_up_drops_the_rest() {
        let impatient = |request: Sent, next: middleware::Next| async move {
            let answer = tokio::time::timeout(Duration::from_secs(1), next.run(request)).await;
            answer.unwrap_or_else(|_| StatusCode::GATEWAY_TIMEOUT.into_response())
        };
        let mut run = run(from_fn(impatient), Ends::Never);
        assert_eq!(run.reply().await.status(), StatusCode::GATEWAY_TIMEOUT);
        assert_eq!(run.log.text(), "+a +c ! -c 499 -a 504");
    }

    #[tokio::test(start_paused = true)]
    async fn a_layer_that_drops_one_run_and_goes_on_can_run_the_rest_again() {
        let hedging = |request: Sent, next: middleware::Next| async move {
            let (parts, _) = request.into_parts();
            let attempt = || next.clone().run(Sent::from_parts(parts.clone(), Body::empty()));
            for _ in 0..2 {
                let _ = tokio::time::timeout(Duration::from_secs(1), attempt()).await;
            }
            StatusCode::NO_CONTENT
        };
        let mut run = run(from_fn(hedging), Ends::Never);
        assert_eq!(run.reply().await.status(), StatusCode::NO_CONTENT);
        assert_eq!(run.log.text(), "+a +c ! -c 499 +c ! -c 499 -a 204");
    }

    #[test]
    fn a_caller_that_goes_away_is_seen_behind_a_layer() {
        let mut run = run(MapRequestLayer::new(marked), Ends::Never);
        run.abandon();
        assert_eq!(run.log.text(), "+a +c ! -c 499 -a 499");
    }

    #[tokio::test(start_paused = true)]
    async fn the_deadline_is_seen_behind_a_layer() {
        let mut run = run(MapRequestLayer::new(marked), Ends::Never).due_in(Duration::from_secs(1));
        assert_eq!(run.reply().await.fault().unwrap().code(), Code::DeadlineExceeded);
        assert_eq!(run.log.text(), "+a +c ! -c 504 -a 504");
    }

    #[tokio::test]
    async fn a_layer_that_panics_harms_nobody() {
        let mut run = run(MapRequestLayer::new(|_: Sent| -> Sent { panic!("secret") }), Ends::Well);
        assert_eq!(run.reply().await.fault().unwrap().code(), Code::Internal);
        assert_eq!((run.log.text().as_str(), run.panics()), ("+a -a 500", 1));
    }

    #[tokio::test]
    async fn a_layer_that_loses_the_way_is_told_so() {
        let forgetful = |request: Sent| Request::new(request.into_body());
        let mut run = run(MapRequestLayer::new(forgetful), Ends::Well);
        let reply = run.reply().await;
        assert!(reply.fault().unwrap().cause().unwrap().to_string().contains("extensions"));
        assert_eq!(run.log.text(), "+a -a 500");
    }

    /// A layer that reads the whole body before it goes on.
    async fn collecting(request: Sent, next: middleware::Next) -> Response {
        let (parts, body) = request.into_parts();
        match axum::body::to_bytes(body, usize::MAX).await {
            Ok(bytes) => next.run(Sent::from_parts(parts, Body::from(bytes))).await,
            Err(_) => StatusCode::BAD_REQUEST.into_response(),
        }
    }

    fn chunked(chunks: &'static [&'static str]) -> Body {
        Body::from_stream(stream::iter(chunks.iter().map(|chunk| Ok::<_, Infallible>(*chunk))))
    }

    #[tokio::test]
    async fn the_limit_of_the_body_holds_for_a_layer_that_reads_it() {
        for (limit, code) in [(6, None), (5, Some(Code::ContentTooLarge))] {
            let mut run = run(from_fn(collecting), Ends::Well);
            (run.call.body, run.call.call.body_limit) = (chunked(&["abc", "def"]), limit);
            let reply = run.reply().await;
            assert_eq!(reply.fault().map(Fault::code), code);
        }
    }

    #[tokio::test]
    async fn the_limit_of_the_body_holds_for_a_layer_that_fails_over_it() {
        let reads = layer_fn(|_: Rest| {
            service_fn(|request: Sent| async { Err::<Response, _>(request.collect().await.err().unwrap()) })
        });
        let mut run = run(reads, Ends::Well);
        (run.call.body, run.call.call.body_limit) = (chunked(&["abc", "def"]), 5);
        let reply = run.reply().await;
        assert_eq!(reply.fault().unwrap().code(), Code::ContentTooLarge);
        assert!(reply.fault().unwrap().detail().contains("at most 5 bytes"));
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_a_layer_waits_for_in_vain_is_the_callers_doing() {
        let mut run = run(from_fn(collecting), Ends::Well).due_in(Duration::from_secs(1));
        run.call.body = Body::from_stream(stream::pending::<Result<&str, Infallible>>());
        assert_eq!(run.reply().await.fault().unwrap().code(), Code::RequestTimeout);
    }

    #[tokio::test]
    async fn layers_stand_inside_each_other() {
        let inner = Layered::new(MapRequestLayer::new(marked));
        let mut run = run(MapRequestLayer::new(marked), Ends::Well).wrapped_by(2, inner);
        let reply = run.reply_of(&Mirror).await;
        assert_eq!(reply.headers().get_all("x-mark").iter().count(), 2);
    }

    #[tokio::test]
    async fn a_layer_is_applied_once_for_all_calls() {
        let applied = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&applied);
        let mut run = run(
            layer_fn(move |rest: Rest| {
                count.fetch_add(1, Ordering::Relaxed);
                rest
            }),
            Ends::Well,
        );
        let _ = (run.reply().await, run.reply().await);
        assert_eq!(applied.load(Ordering::Relaxed), 1);
    }

    #[tokio::test]
    async fn an_error_of_a_layer_becomes_the_fault_that_explains_it() {
        fn failing(error: fn() -> BoxError) -> impl Layer<Rest, Service = impl Failing> {
            layer_fn(move |rest: Rest| {
                rest.map_err(BoxError::from).and_then(move |_| std::future::ready(Err::<Response, _>(error())))
            })
        }
        trait Failing:
            Service<Sent, Response = Response, Error = BoxError, Future: Send> + Clone + Send + Sync + 'static
        {
        }
        impl<S> Failing for S where
            S: Service<Sent, Response = Response, Error = BoxError, Future: Send> + Clone + Send + Sync + 'static
        {
        }

        let other = || BoxError::from("secret");
        let ours = || BoxError::from(Fault::new(Code::TooManyRequests, "Later."));
        let explained = Layered::new(failing(other)).explained_by(|_| Fault::new(Code::Unavailable, "Full."));
        for (wrap, code) in [
            (Box::new(Layered::new(failing(other))) as Box<dyn Wrap>, Code::Internal),
            (Box::new(Layered::new(failing(ours))), Code::TooManyRequests),
            (Box::new(explained), Code::Unavailable),
        ] {
            let mut run = around(Boxed(wrap), Ends::Well);
            assert_eq!(run.reply().await.fault().unwrap().code(), code);
        }
    }

    struct Boxed(Box<dyn Wrap>);

    impl Wrap for Boxed {
        fn wrap<'a>(&'a self, invocation: &'a mut Invocation, next: Next<'a>) -> BoxFuture<'a, Reply> {
            self.0.wrap(invocation, next)
        }
    }
}
