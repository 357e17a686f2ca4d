//! Calls for unit tests: made by hand, without a listener, a route table or a chain.

use std::any::{Any, TypeId};
use std::io;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::Body;
use http::Request;

use super::{Call, Ground, Invocation, Params, Peer};
use crate::clock::Clock;
use crate::operation::Operation;

/// What the calls of a test stand on. Keep the `Arc` to ask it afterwards.
#[derive(Default)]
pub(crate) struct Stand {
    operation: Option<Operation>,
    components: Vec<(TypeId, Box<dyn Any + Send + Sync>)>,
    panics: AtomicUsize,
}

impl Stand {
    /// A stand where every call matches `operation`.
    pub(crate) fn with_operation(operation: Operation) -> Self {
        Self { operation: Some(operation), ..Self::default() }
    }

    /// Adds a component.
    pub(crate) fn with_component<T: Send + Sync + 'static>(mut self, component: T) -> Self {
        self.components.push((TypeId::of::<T>(), Box::new(Arc::new(component))));
        self
    }

    /// A call from [`Peer::Local`]; it matches the operation of this stand, if there is one.
    pub(crate) fn call(self: &Arc<Self>, request: Request<Body>, params: Params) -> Invocation {
        let matched = self.operation.is_some().then_some((0, params));
        let ground = Arc::clone(self) as Arc<dyn Ground>;
        Invocation::new(request, Peer::Local, Clock::system().now(), ground, matched)
    }

    /// How many panics were counted.
    pub(crate) fn panics(&self) -> usize {
        self.panics.load(Ordering::Relaxed)
    }
}

impl Call {
    /// The reply was ready so long after the call arrived.
    pub(crate) fn finish_after(&mut self, took: Duration) {
        self.took = Some(AtomicU64::new(u64::try_from(took.as_nanos()).unwrap() + 1));
    }
}

impl Ground for Stand {
    fn operation(&self, _: u32) -> Option<&Operation> {
        self.operation.as_ref()
    }

    fn component(&self, id: TypeId) -> Option<&(dyn Any + Send + Sync)> {
        self.components.iter().find(|(known, _)| *known == id).map(|(_, component)| &**component)
    }

    fn count_panic(&self) {
        self.panics.fetch_add(1, Ordering::Relaxed);
    }
}

/// A request without a body.
pub(crate) fn request(method: &str, uri: &str) -> Request<Body> {
    Request::builder().method(method).uri(uri).body(Body::empty()).unwrap()
}

/// A call that matched nothing.
pub(crate) fn call(request: Request<Body>) -> Invocation {
    Arc::new(Stand::default()).call(request, Params::default())
}

/// A call that matched `operation`, with the values of its path parameters.
pub(crate) fn with_operation(request: Request<Body>, operation: Operation, params: Params) -> Invocation {
    Arc::new(Stand::with_operation(operation)).call(request, params)
}

/// A call that matched an operation with this template, which has nothing but whole segments: `/a/{b}/{rest:*}`.
pub(crate) fn matched(template: &str, request: Request<Body>) -> Invocation {
    let mut operation = Operation::new("test", "operation", request.method().to_string(), template);
    let (mut params, mut start) = (Params::default(), 0);
    let path = request.uri().path();
    for segment in template.split('/') {
        let tail = segment.contains(":*");
        let end = path[start..].find('/').filter(|_| !tail).map_or(path.len(), |at| start + at);
        if let Some(name) = segment.strip_prefix('{').and_then(|name| name.strip_suffix('}')) {
            operation.parameters.push(name.trim_end_matches(":*").to_owned().into());
            params.push(start..end);
        }
        start = (end + 1).min(path.len());
    }
    with_operation(request, operation, params)
}

/// Keeps what is written to it, such as lines of the log.
#[derive(Clone, Default)]
pub(crate) struct Page(Arc<Mutex<Vec<u8>>>);

impl Page {
    /// What was written.
    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }

    /// Writes log lines of JSON here.
    pub(crate) fn subscriber(&self) -> impl tracing::Subscriber + Send + Sync + use<> {
        let page = self.clone();
        tracing_subscriber::fmt().json().flatten_event(true).with_writer(move || page.clone()).finish()
    }
}

impl io::Write for Page {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_matched_call_has_the_values_of_its_template() {
        let call = matched("/greetings/{name}/{rest:*}", request("GET", "/greetings/Ada%20L/a/b"));
        assert_eq!(call.raw_param("name"), Some("Ada%20L"));
        assert_eq!(call.param("name").as_deref(), Some("Ada L"));
        assert_eq!(call.param("rest").as_deref(), Some("a/b"));
        assert_eq!(call.operation().map(|operation| operation.id.as_str()), Some("test.operation"));
    }
}
