//! Users and passwords: checked beside the calls, a few at a time, and remembered.

use super::*;

fn users(changes: Value) -> Auth {
    let mut basic = json!({ "file": "users" });
    merge(&mut basic, changes);
    auth(json!({ "basic": basic, "realm": "test-realm" }))
}

/// Whether the call had to wait before it was decided.
fn waits(auth: &Auth, authorization: &str) -> bool {
    let request = Request::get("/").header(header::AUTHORIZATION, authorization).body(Body::empty()).unwrap();
    let operation = Operation::new("greeting", "list", "GET", "/").with_access(Access::Auth);
    matches!(auth.before(&mut fixture::with_operation(request, operation, Params::default())), Verdict::Wait(_))
}

#[tokio::test(start_paused = true)]
async fn a_password_that_was_right_is_remembered_for_a_while() {
    let auth = users(json!({ "remember": "1m" }));
    let good = basic("test", "123£");
    assert!(waits(&auth, &good));
    assert_eq!(passes(&auth, &[("authorization", &good)]).await, "basic:test");
    assert!(!waits(&auth, &good));
    assert!(waits(&auth, &basic("test", "123")), "another one is checked");
    assert_eq!(refused(&auth, &[("authorization", &basic("test", "123"))]).await.0, 401);
    assert!(!waits(&auth, &good), "and takes nothing away");
    tokio::time::advance(Duration::from_secs(60)).await;
    assert!(waits(&auth, &good));
}

#[tokio::test]
async fn nothing_tells_an_unknown_user_from_a_wrong_password() {
    let auth = users(json!({}));
    let (unknown, wrong) = (basic("Ali Baba", "open sesame"), basic("Aladdin", "close sesame"));
    assert!(waits(&auth, &unknown) && waits(&auth, &wrong), "both are checked");
    let mut said = Vec::new();
    for sent in [&unknown, &wrong] {
        let fault = called(&auth, Access::Auth, "/", &[("authorization", sent)]).await.unwrap_err();
        said.push((told(&fault), fault.detail().to_owned(), format!("{fault:?}")));
    }
    assert_eq!(said[0], said[1]);
    assert_eq!(said[0].1, "The user or the password is wrong.");
}

#[test]
fn no_more_passwords_are_checked_than_may_be() {
    // The one thread that checks is busy until all have called, so none has left before another comes.
    let runtime = tokio::runtime::Builder::new_current_thread().max_blocking_threads(1).build().unwrap();
    let (all_called, busy) = std::sync::mpsc::channel::<()>();
    runtime.spawn_blocking(move || busy.recv());
    runtime.block_on(async {
        let auth = users(json!({ "at-once": 1, "queue": 2 }));
        let sent = basic("Aladdin", "wrong");
        let fields = [("authorization", sent.as_str())];
        let calls = (0..10).map(|_| called(&auth, Access::Auth, "/", &fields));
        let (outcomes, ()) = tokio::join!(biased; futures_util::future::join_all(calls), async { drop(all_called) });
        let count = |status: u16| outcomes.iter().filter(|fault| told(fault.as_ref().unwrap_err()).0 == status).count();
        assert_eq!((count(401), count(503)), (3, 7));
        let refused = |fault: &Fault| fault.status() == 503;
        let busy = outcomes.into_iter().find_map(|outcome| outcome.err().filter(refused)).unwrap();
        assert!(busy.retry_after().is_some() && told(&busy).1.is_empty());
        assert!(busy.cause().is_none(), "a line of the log for each would be theirs to write");
        assert_eq!(passes(&auth, &[("authorization", &basic("Aladdin", "open sesame"))]).await, "basic:Aladdin");
    });
}

#[tokio::test]
async fn a_caller_that_leaves_keeps_no_turn() {
    let auth = users(json!({ "at-once": 1, "queue": 0 }));
    for _ in 0..5 {
        let sent = basic("Aladdin", "wrong");
        let fields = [("authorization", sent.as_str())];
        let call = called(&auth, Access::Auth, "/", &fields);
        drop(futures_util::future::FutureExt::now_or_never(call));
    }
    assert_eq!(passes(&auth, &[("authorization", &basic("Aladdin", "open sesame"))]).await, "basic:Aladdin");
}

#[tokio::test]
async fn basic_stands_beside_tokens_and_keys() {
    let auth = auth(json!({ "jwt": jwt(), "basic": { "file": "users" }, "api-keys": { "file": "keys" } }));
    let (good, token) = (basic("Aladdin", "open sesame"), format!("Bearer {}", token("", &[])));
    assert_eq!(passes(&auth, &[("authorization", &good)]).await, "basic:Aladdin");
    assert_eq!(passes(&auth, &[("authorization", &token)]).await, "jwt:ada");
    let challenges =
        ["Bearer realm=\"greeter\"", "Basic realm=\"greeter\", charset=\"UTF-8\"", "ApiKey realm=\"greeter\""];
    assert_eq!(refused(&auth, &[]).await, (401, challenges.map(str::to_owned).to_vec()));
    // A wrong password says nothing of tokens.
    let (status, said) = refused(&auth, &[("authorization", &basic("Aladdin", "wrong"))]).await;
    assert_eq!((status, said), (401, challenges.map(str::to_owned).to_vec()));
    for fields in [
        [("authorization", good.as_str()), ("x-api-key", KEY)],
        [("authorization", good.as_str()), ("authorization", token.as_str())],
    ] {
        assert_eq!(refused(&auth, &fields).await.0, 400);
    }
}

#[tokio::test]
async fn the_password_stays_out_of_what_is_said() {
    let auth = users(json!({}));
    let sent = basic("Aladdin", "hunter2");
    let fault = called(&auth, Access::Auth, "/", &[("authorization", &sent)]).await.unwrap_err();
    let said = format!("{fault} {fault:?} {:?}", fault.headers());
    assert!(!said.contains("hunter2") && !said.contains(&sent[6..]) && said.contains("Password"), "{said}");
}

#[test]
fn what_checking_takes_is_told() {
    let (_auth, process) = build(json!({ "basic": { "file": "users", "at-once": 3 } })).unwrap();
    assert_eq!(process.memory.bound().to_string(), "worst case 24 KiB (auth 24 KiB)");
}
