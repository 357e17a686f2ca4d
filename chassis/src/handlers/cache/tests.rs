//! The cache as calls meet it, run through a chain.

use std::sync::atomic::{AtomicUsize, Ordering};

use axum::response::{IntoResponse, Response};
use futures_util::FutureExt;
use http::Request;
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tokio::sync::Semaphore;

use super::*;
use crate::chain::{Chain, Counts, Form, Step, Terms};
use crate::clock::Clock;
use crate::conf::Process;
use crate::conf::fixture::built;
use crate::fault::{Code, Fault};
use crate::invocation::fixture;
use crate::operation::Access;
use crate::principal::{Identity, Principal};
use crate::random::Random;
use crate::schema::Endpoint;

type Answer = fn(usize) -> Response;

/// Counts how often it is called, and answers as the test says.
struct Page {
    called: AtomicUsize,
    go: Semaphore,
    answer: Answer,
}

impl Endpoint for Page {
    fn call<'a>(&'a self, _: &'a mut Invocation) -> BoxFuture<'a, Reply> {
        Box::pin(async {
            let times = self.called.fetch_add(1, Ordering::SeqCst) + 1;
            self.go.acquire().await.unwrap().forget();
            Reply::from((self.answer)(times))
        })
    }
}

struct Service {
    chain: Chain,
    page: Arc<Page>,
    handler: Arc<Cache>,
}

fn numbered(times: usize) -> Response {
    ([("content-type", "text/plain")], times.to_string()).into_response()
}

type Fields<'a> = &'a [(&'static str, &'static str)];

impl Service {
    fn new(conf: Value, answer: Answer) -> Self {
        Self::on_terms(conf, answer, None)
    }

    fn shadow(answer: Answer) -> Self {
        let counts = Counts::new("cache", &Process::default());
        let terms = Terms { when: None, enforced: 0.0, random: Random::seeded(1), counts };
        Self::on_terms(json!({ "keep": "1m" }), answer, Some(Arc::new(terms)))
    }

    fn on_terms(conf: Value, answer: Answer, terms: Option<Arc<Terms>>) -> Self {
        let handler: Arc<Cache> = Arc::new(built(conf).unwrap());
        let step = Step { name: "cache".into(), form: Form::Wrap(handler.clone()), terms };
        let page = Page { called: AtomicUsize::new(0), go: Semaphore::new(1000), answer };
        Self { chain: Chain { name: "default".into(), steps: [step].into() }, page: Arc::new(page), handler }
    }

    fn keeping(answer: Answer) -> Self {
        Self::new(json!({ "keep": "1m" }), answer)
    }

    fn send(
        &self,
        call: (&str, &str),
        fields: Fields<'_>,
        caller: Option<&str>,
    ) -> impl Future<Output = Response> + use<> {
        let (chain, page) = (self.chain.clone(), Arc::clone(&self.page));
        let mut request = Request::builder().method(call.0).uri(call.1);
        for (name, value) in fields {
            request = request.header(*name, *value);
        }
        let operation = Operation::new("pages", "show", "GET", "/").with_access(Access::Public);
        let principal =
            caller.map(|caller| Principal::new(Identity { subject: caller.to_owned(), ..Identity::default() }));
        async move {
            let mut call = fixture::with_operation(request.body(Body::empty()).unwrap(), operation, Default::default());
            call.call.principal = principal;
            chain.run(&*page, &mut call, Clock::system()).await.into_response(&call)
        }
    }

    async fn get(&self, fields: Fields<'_>) -> String {
        text(self.send(("GET", "/"), fields, None).await).await
    }

    fn called(&self) -> usize {
        self.page.called.load(Ordering::SeqCst)
    }
}

async fn text(response: Response) -> String {
    let body = response.into_body().collect().await.unwrap().to_bytes();
    String::from_utf8(body.into()).unwrap()
}

fn field<'a>(response: &'a Response, name: &str) -> Option<&'a str> {
    response.headers().get(name).map(|value| value.to_str().unwrap())
}

#[tokio::test(start_paused = true)]
async fn a_caller_that_has_it_already_gets_304_with_what_200_would_have_said() {
    let service = Service::new(json!({ "control": "public, max-age=60" }), |_| {
        ([("content-type", "text/plain"), ("vary", "accept")], "hello").into_response()
    });
    let first = service.send(("GET", "/"), &[], None).await;
    let tag = field(&first, "etag").unwrap().to_owned();
    assert_eq!((first.status().as_u16(), field(&first, "cache-control")), (200, Some("public, max-age=60")));
    let tag: &'static str = tag.leak();
    let again = service.send(("GET", "/"), &[("if-none-match", tag)], None).await;
    assert_eq!(
        (again.status().as_u16(), field(&again, "etag"), field(&again, "vary")),
        (304, Some(tag), Some("accept"))
    );
    assert_eq!((field(&again, "cache-control"), field(&again, "content-type")), (Some("public, max-age=60"), None));
    assert_eq!((text(again).await, service.called()), (String::new(), 2));
    let other = service.send(("GET", "/"), &[("if-none-match", "\"other\"")], None).await;
    assert_eq!((other.status().as_u16(), text(other).await), (200, "hello".to_owned()));
    assert_eq!(service.send(("POST", "/"), &[("if-none-match", tag)], None).await.status(), 200);
}

#[tokio::test(start_paused = true)]
async fn what_the_operation_says_itself_stays() {
    let own = |_| ([("etag", "\"own\""), ("cache-control", "no-cache")], "hello").into_response();
    let service = Service::new(json!({ "control": "public, max-age=60" }), own);
    let response = service.send(("GET", "/"), &[], None).await;
    assert_eq!((field(&response, "etag"), field(&response, "cache-control")), (Some("\"own\""), Some("no-cache")));
    let failing = |_| Fault::new(Code::NotFound, "Not there.").into_response();
    let response =
        Service::new(json!({ "control": "public, max-age=60" }), failing).send(("GET", "/"), &[], None).await;
    assert_eq!((field(&response, "etag"), field(&response, "cache-control")), (None, None));
}

#[tokio::test(start_paused = true)]
async fn a_reply_is_kept_for_its_time_and_says_its_age() {
    let service = Service::keeping(numbered);
    assert_eq!((service.get(&[]).await, service.get(&[]).await), ("1".to_owned(), "1".to_owned()));
    tokio::time::advance(Duration::from_secs(59)).await;
    let response = service.send(("GET", "/"), &[], None).await;
    assert_eq!((field(&response, "age"), field(&response, "content-type")), (Some("59"), Some("text/plain")));
    let head = service.send(("HEAD", "/"), &[], None).await;
    assert_eq!((field(&head, "age"), service.called()), (Some("59"), 1));
    tokio::time::advance(Duration::from_secs(1)).await;
    assert_eq!(service.get(&[]).await, "2");
}

#[tokio::test(start_paused = true)]
async fn other_targets_and_hosts_are_others() {
    let service = Service::keeping(numbered);
    service.get(&[]).await;
    assert_eq!(text(service.send(("GET", "/?a"), &[], None).await).await, "2");
    assert_eq!(service.get(&[("host", "other.example")]).await, "3");
    assert_eq!(service.get(&[("host", "Other.Example")]).await, "3");
}

#[tokio::test(start_paused = true)]
async fn what_vary_names_tells_replies_apart() {
    let service = Service::keeping(|times| ([("vary", "Accept-Language")], times.to_string()).into_response());
    let english: Fields<'_> = &[("accept-language", "en")];
    assert_eq!((service.get(english).await, service.get(&[]).await), ("1".to_owned(), "2".to_owned()));
    assert_eq!((service.get(english).await, service.get(&[]).await), ("1".to_owned(), "2".to_owned()));
    let service = Service::keeping(|times| ([("vary", "*")], times.to_string()).into_response());
    assert_eq!((service.get(&[]).await, service.get(&[]).await), ("1".to_owned(), "2".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn what_must_not_be_kept_is_not() {
    let answers: [Answer; 7] = [
        |times| ([("cache-control", "no-store")], times.to_string()).into_response(),
        |times| ([("cache-control", "private, max-age=60")], times.to_string()).into_response(),
        |times| ([("cache-control", "max-age=60, s-maxage=0")], times.to_string()).into_response(),
        |times| ([("set-cookie", "a=b")], times.to_string()).into_response(),
        |times| (StatusCode::ACCEPTED, times.to_string()).into_response(),
        |times| Fault::new(Code::NotFound, times.to_string()).into_response(),
        |times| "x".repeat((64 << 10) + times).into_response(),
    ];
    for (at, answer) in answers.into_iter().enumerate() {
        let service = Service::keeping(answer);
        service.get(&[]).await;
        service.get(&[]).await;
        assert_eq!(service.called(), 2, "{at}");
    }
    let short = Service::keeping(|times| ([("cache-control", "max-age=5")], times.to_string()).into_response());
    assert_eq!((short.get(&[]).await, short.get(&[]).await), ("1".to_owned(), "1".to_owned()));
    tokio::time::advance(Duration::from_secs(5)).await;
    assert_eq!(short.get(&[]).await, "2");
}

#[tokio::test(start_paused = true)]
async fn a_caller_that_wants_it_new_gets_it_new() {
    let service = Service::keeping(numbered);
    service.get(&[]).await;
    assert_eq!(service.get(&[("cache-control", "no-store")]).await, "2");
    assert_eq!(service.get(&[]).await, "1");
    assert_eq!(service.get(&[("cache-control", "no-cache")]).await, "3");
    assert_eq!(service.get(&[]).await, "3");
    tokio::time::advance(Duration::from_secs(10)).await;
    assert_eq!(service.get(&[("cache-control", "max-age=10")]).await, "3");
    assert_eq!(service.get(&[("cache-control", "max-age=9")]).await, "4");
}

#[tokio::test(start_paused = true)]
async fn nothing_of_a_known_caller_reaches_another() {
    let service = Service::keeping(numbered);
    let known = |caller| service.send(("GET", "/"), &[], Some(caller));
    assert_eq!((text(known("ada").await).await, text(known("ada").await).await), ("1".to_owned(), "2".to_owned()));
    for fields in [&[("authorization", "Basic YTpi")], &[("cookie", "a=b")]] as [Fields<'_>; 2] {
        let before = service.called();
        service.get(fields).await;
        service.get(fields).await;
        assert_eq!(service.called(), before + 2);
    }
    assert_eq!(service.get(&[]).await, "7");
    assert_eq!(text(known("ada").await).await, "8");
}

#[tokio::test(start_paused = true)]
async fn where_that_is_said_each_known_caller_has_its_own() {
    let service = Service::new(json!({ "keep": "1m", "private": true }), |times| {
        ([("cache-control", "private")], times.to_string()).into_response()
    });
    let known = |caller| service.send(("GET", "/"), &[], Some(caller)).then(text);
    assert_eq!((known("ada").await, known("bob").await), ("1".to_owned(), "2".to_owned()));
    assert_eq!((known("ada").await, known("bob").await), ("1".to_owned(), "2".to_owned()));
    assert_eq!(service.get(&[]).await, "3");
    let required = Cache::requires(&crate::conf::typed(json!({ "private": true })).unwrap());
    assert_eq!(required.iter().map(|requirement| requirement.fact).collect::<Vec<_>>(), ["access", "principal"]);
}

#[tokio::test(start_paused = true)]
async fn those_that_ask_for_the_same_meanwhile_wait_for_one_answer() {
    let service = Service::keeping(numbered);
    service.page.go.forget_permits(1000);
    let calls: Vec<_> = (0..5).map(|_| tokio::spawn(service.send(("GET", "/"), &[], None))).collect();
    tokio::task::yield_now().await;
    service.page.go.add_permits(9);
    for call in calls {
        assert_eq!(text(call.await.unwrap()).await, "1");
    }
    assert_eq!((service.called(), service.handler.calls.shared.count(), service.handler.calls.miss.count()), (1, 4, 1));
}

#[tokio::test(start_paused = true)]
async fn those_that_waited_for_what_is_not_kept_go_on_all_at_once() {
    let answers: [Answer; 4] = [
        |_| Fault::new(Code::Unavailable, "Not now.").into_response(),
        |_| StatusCode::NOT_FOUND.into_response(),
        |_| ([("cache-control", "no-store")], "new").into_response(),
        |times| ([("vary", "accept-language")], times.to_string()).into_response(),
    ];
    for (at, answer) in answers.into_iter().enumerate() {
        let service = Service::keeping(answer);
        service.page.go.forget_permits(1000);
        let languages: [Fields<'_>; 10] = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j"]
            .map(|language| &*vec![("accept-language", language)].leak());
        let calls: Vec<_> = languages.map(|fields| tokio::spawn(service.send(("GET", "/"), fields, None))).into();
        settle().await;
        assert_eq!(service.called(), 1, "{at}");
        service.page.go.add_permits(1);
        settle().await;
        assert_eq!(service.called(), 10, "{at}");
        service.page.go.add_permits(9);
        for call in calls {
            call.await.unwrap();
        }
    }
}

/// Lets all calls come as far as they can.
async fn settle() {
    for _ in 0..20 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test(start_paused = true)]
async fn nobody_waits_for_a_head() {
    let service = Service::keeping(numbered);
    service.page.go.forget_permits(1000);
    for times in 1..4 {
        assert!(service.send(("HEAD", "/"), &[], None).now_or_never().is_none());
        let mut get = Box::pin(service.send(("GET", "/"), &[], None));
        let mut head = Box::pin(service.send(("HEAD", "/"), &[], None));
        assert!((&mut head).now_or_never().is_none() && (&mut get).now_or_never().is_none());
        assert_eq!(service.called(), 3 * times);
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_waits_for_two_that_leave_and_for_no_more() {
    let service = Service::keeping(numbered);
    service.page.go.forget_permits(1000);
    let mut calls: Vec<_> = (0..6).map(|_| Box::pin(service.send(("GET", "/"), &[], None))).collect();
    let mut called = Vec::new();
    while !calls.is_empty() {
        for call in &mut calls {
            assert!(call.now_or_never().is_none());
        }
        called.push(service.called());
        drop(calls.remove(0));
    }
    assert_eq!(called, [1, 2, 6, 6, 6, 6]);
}

#[tokio::test(start_paused = true)]
async fn nobody_waits_for_a_shadow() {
    let service = Service::shadow(numbered);
    service.page.go.forget_permits(1000);
    let calls: Vec<_> = (0..3).map(|_| tokio::spawn(service.send(("GET", "/"), &[], None))).collect();
    tokio::task::yield_now().await;
    assert_eq!(service.called(), 3);
    service.page.go.add_permits(9);
    for (call, times) in calls.into_iter().zip(["1", "2", "3"]) {
        assert_eq!(text(call.await.unwrap()).await, times);
    }
    let Calls { shared, miss, .. } = &service.handler.calls;
    assert_eq!((shared.count(), miss.count()), (2, 1));
}

#[tokio::test(start_paused = true)]
async fn a_shadow_leaves_what_the_operation_says_and_counts_what_is_unchanged() {
    let service = Service::shadow(|_| ([("etag", "\"own\"")], "hello").into_response());
    for _ in 0..2 {
        let response = service.send(("GET", "/"), &[("if-none-match", "\"own\"")], None).await;
        assert_eq!((response.status().as_u16(), field(&response, "etag")), (200, Some("\"own\"")));
        assert_eq!(text(response).await, "hello");
    }
    assert_eq!((service.handler.calls.unchanged.count(), service.handler.calls.hit.count()), (2, 1));
}

#[tokio::test(start_paused = true)]
async fn when_the_first_leaves_another_goes_and_nobody_waits_for_what_is_not_kept() {
    let service = Service::keeping(numbered);
    service.page.go.forget_permits(1000);
    let gone = tokio::spawn(service.send(("GET", "/"), &[], None));
    tokio::task::yield_now().await;
    let next = tokio::spawn(service.send(("GET", "/"), &[], None));
    tokio::task::yield_now().await;
    gone.abort();
    assert!(gone.await.is_err());
    service.page.go.add_permits(9);
    assert_eq!(text(next.await.unwrap()).await, "2");

    let service = Service::keeping(|times| ([("cache-control", "no-store")], times.to_string()).into_response());
    service.get(&[]).await;
    service.page.go.forget_permits(1000);
    for _ in 0..3 {
        assert!(service.send(("GET", "/"), &[], None).now_or_never().is_none());
    }
    assert_eq!(service.called(), 4);
}

#[tokio::test(start_paused = true)]
async fn who_wants_it_new_gets_nothing_old_after_waiting_for_one_that_failed() {
    const NEW: [Fields<'_>; 2] = [&[("cache-control", "no-cache")], &[("cache-control", "max-age=0")]];
    for fields in NEW {
        let service = Service::keeping(|times| match times {
            2 => Fault::new(Code::Unavailable, "Not now.").into_response(),
            _ => numbered(times),
        });
        service.get(&[]).await;
        tokio::time::advance(Duration::from_secs(1)).await;
        service.page.go.forget_permits(1000);
        let failing = tokio::spawn(service.send(("GET", "/"), fields, None));
        settle().await;
        let calls = [(); 2].map(|()| tokio::spawn(service.send(("GET", "/"), fields, None)));
        settle().await;
        service.page.go.add_permits(9);
        assert_eq!(failing.await.unwrap().status(), 503);
        for call in calls {
            assert_ne!(text(call.await.unwrap()).await, "1");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_change_that_succeeds_drops_what_is_kept_of_its_target() {
    let service = Service::keeping(numbered);
    service.get(&[]).await;
    service.send(("PUT", "/other"), &[], None).await;
    assert_eq!(service.get(&[]).await, "1");
    service.send(("PUT", "/"), &[], Some("ada")).await;
    assert_eq!(service.get(&[]).await, "4");
}

#[tokio::test(start_paused = true)]
async fn what_was_under_way_when_its_target_changed_is_not_kept() {
    for service in [Service::keeping(numbered), Service::shadow(numbered)] {
        service.page.go.forget_permits(1000);
        let mut under_way = Box::pin(service.send(("GET", "/"), &[], None));
        let mut change = Box::pin(service.send(("PUT", "/"), &[], None));
        assert!((&mut under_way).now_or_never().is_none() && (&mut change).now_or_never().is_none());
        service.page.go.add_permits(3);
        assert_eq!(text(change.await).await, "2");
        assert_eq!(text(under_way.await).await, "1");
        assert_eq!(service.get(&[]).await, "3");
        assert_eq!(service.handler.calls.hit.count(), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn a_reply_that_is_kept_answers_304_too() {
    let service = Service::keeping(numbered);
    let first = service.send(("GET", "/"), &[], None).await;
    let tag: &'static str = field(&first, "etag").unwrap().to_owned().leak();
    let again = service.send(("GET", "/"), &[("if-none-match", tag)], None).await;
    assert_eq!((again.status().as_u16(), service.called()), (304, 1));
}

#[test]
fn what_makes_no_sense_is_refused_at_the_start() {
    for (conf, at) in [
        (json!({ "control": "public, maxage=60" }), "control"),
        (json!({ "control": "max-age=60," }), "control"),
        (json!({ "control": "max-age=abc" }), "control"),
        (json!({ "keep": "0s" }), "keep"),
        (json!({ "keep": "1s", "memory": "100B" }), "memory"),
    ] {
        assert_eq!(built::<Cache>(conf).err().map(|error| error.at).as_deref(), Some(at));
    }
    let (open, closed) = (Operation::new("a", "b", "GET", "/"), Operation::new("a", "c", "GET", "/c"));
    let open = open.with_access(Access::Public);
    let suits = |control: &str, operations: &[&Operation]| {
        Cache::suits(&crate::conf::typed(json!({ "control": control })).unwrap(), operations).is_ok()
    };
    assert!(suits("public", &[&open]) && suits("private, max-age=5", &[&open, &closed]));
    assert!(!suits("public", &[&open, &closed]));
}
