//! Hooks of a step that may not act on a call: what they set of it is put back.

use http::{HeaderMap, Uri};

use crate::clock::Instant;
use crate::invocation::Invocation;
use crate::principal::Principal;

/// Runs a hook of a step that only decides about the call, because of `shadow` or `enforce`.
#[cold]
pub(crate) fn idle<T>(invocation: &mut Invocation, hook: impl FnOnce(&mut Invocation) -> T) -> T {
    let held = Held::new(invocation);
    hook(held.invocation)
}

/// What a call was before the hook, to be put back after it, also if that panics.
struct Held<'a> {
    invocation: &'a mut Invocation,
    headers: HeaderMap,
    uri: Uri,
    principal: Option<Principal>,
    deadline: (Option<Instant>, Option<&'static str>),
    body_limit: (u64, Option<&'static str>),
}

impl<'a> Held<'a> {
    fn new(invocation: &'a mut Invocation) -> Self {
        let call = &mut invocation.call;
        call.decides_only = true;
        let (deadline, body_limit) = ((call.deadline, call.timed_by), (call.body_limit, call.body_limited_by));
        let principal = call.principal.clone();
        let (headers, uri) = (invocation.parts.headers.clone(), invocation.parts.uri.clone());
        Self { headers, uri, principal, deadline, body_limit, invocation }
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        let call = &mut self.invocation.call;
        call.decides_only = false;
        call.principal = self.principal.take();
        (call.deadline, call.timed_by) = self.deadline;
        (call.body_limit, call.body_limited_by) = self.body_limit;
        self.invocation.parts.headers = std::mem::take(&mut self.headers);
        self.invocation.parts.uri = std::mem::take(&mut self.uri);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    use http::{HeaderValue, StatusCode};

    use super::super::{Chain, Form, Step, Terms};
    use super::*;
    use crate::clock::Clock;
    use crate::handler::{Handler, Verdict};
    use crate::invocation::fixture;
    use crate::principal::Identity;
    use crate::reply::Reply;
    use crate::schema::{BoxFuture, Endpoint};

    /// Does to a call whatever a handler can do to it, at once or after a wait, and then answers it if it is to.
    struct Meddler {
        waits: bool,
        answers: bool,
        seen: Arc<AtomicUsize>,
    }

    fn meddle(invocation: &mut Invocation, answers: bool) -> Verdict {
        assert!(!invocation.call.may_act());
        invocation.parts.headers.insert("x-meddled", HeaderValue::from_static("1"));
        invocation.parts.uri = Uri::from_static("/elsewhere");
        invocation.call.principal = Some(Principal::new(Identity::default()));
        invocation.call.limit_time(invocation.call.arrived + Duration::from_secs(1), "meddler");
        invocation.call.limit_body(1, "meddler");
        if answers { Verdict::answer(Reply::new("mine")) } else { Verdict::Continue }
    }

    impl Handler for Meddler {
        fn before(&self, invocation: &mut Invocation) -> Verdict {
            let answers = self.answers;
            match self.waits {
                true => Verdict::wait(tokio::task::yield_now(), move |invocation, ()| meddle(invocation, answers)),
                false => meddle(invocation, answers),
            }
        }

        fn after(&self, invocation: &Invocation, reply: &mut Reply) {
            assert!(!invocation.call.may_act());
            self.seen.fetch_add(1, Ordering::Relaxed);
            reply.headers_mut().insert("x-meddled", HeaderValue::from_static("1"));
        }
    }

    /// Says what the operation finds of a call.
    struct Found;

    impl Endpoint for Found {
        fn call<'a>(&'a self, invocation: &'a mut Invocation) -> BoxFuture<'a, Reply> {
            let call = &invocation.call;
            let (headers, known, deadline) = (invocation.headers().len(), call.principal.is_some(), call.deadline);
            let (path, is_unlimited) = (invocation.path(), call.body_limit == u64::MAX);
            let found = format!("{path} {headers} {known} {deadline:?} {is_unlimited} {}", call.may_act());
            Box::pin(std::future::ready(Reply::new(found)))
        }
    }

    #[tokio::test]
    async fn a_step_that_may_not_act_changes_nothing_and_sees_the_replies_of_calls_that_it_let_pass() {
        for (waits, answers) in [(false, false), (true, false), (false, true), (true, true)] {
            let seen = Arc::new(AtomicUsize::new(0));
            let form = Form::Hooks(Arc::new(Meddler { waits, answers, seen: Arc::clone(&seen) }));
            let step = Step { name: "meddler".into(), form, terms: Some(Arc::new(Terms::shadow("meddler"))) };
            let chain = Chain { name: "test".into(), steps: [step].into() };
            let mut call = fixture::call(fixture::request("GET", "/"));
            let mut reply = chain.run(&Found, &mut call, Clock::system()).await;
            assert!(!reply.headers().contains_key("x-meddled"));
            let mut body = axum::body::Body::empty();
            reply.map_body(|found| {
                body = found;
                axum::body::Body::empty()
            });
            let body = axum::body::to_bytes(body, 1024).await.unwrap();
            assert_eq!(body, "/ 0 false None true true", "waits: {waits}, answers: {answers}");
            assert_eq!(seen.load(Ordering::Relaxed), usize::from(!answers));
        }
    }

    /// Panics, and before that in vain.
    struct Clumsy {
        waits: bool,
        before: bool,
    }

    impl Handler for Clumsy {
        fn before(&self, _: &mut Invocation) -> Verdict {
            match (self.before, self.waits) {
                (true, true) => Verdict::wait(tokio::task::yield_now(), |_, ()| panic!("no")),
                (true, false) => panic!("no"),
                (false, _) => Verdict::Continue,
            }
        }

        fn after(&self, _: &Invocation, reply: &mut Reply) {
            reply.headers_mut().insert("x-meddled", HeaderValue::from_static("1"));
            panic!("no");
        }
    }

    #[tokio::test]
    async fn a_step_that_may_not_act_ends_no_call_by_its_panic() {
        for (before, waits) in [(true, false), (true, true), (false, false)] {
            let form = Form::Hooks(Arc::new(Clumsy { waits, before }));
            let step = Step { name: "clumsy".into(), form, terms: Some(Arc::new(Terms::shadow("clumsy"))) };
            let chain = Chain { name: "test".into(), steps: [step].into() };
            let mut call = fixture::call(fixture::request("GET", "/"));
            let reply = chain.run(&Found, &mut call, Clock::system()).await;
            assert_eq!((reply.status(), reply.headers().len()), (StatusCode::OK, 1), "{before} {waits}");
        }
    }
}
