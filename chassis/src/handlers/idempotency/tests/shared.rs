//! Proves that several instances do a call once between them, against a real Redis.

use std::thread;

use super::*;
use crate::conf::typed;
use crate::redis::fixture::{Instance, Server, joined, until};

/// One instance of the service.
fn service(instance: &Instance, conf: Value) -> Service {
    let conf = joined(json!({ "store": "redis" }), conf);
    Service::of(Idempotency::build(typed(conf).unwrap(), &instance.context()).unwrap(), echo)
}

fn services(server: &Server, conf: &Value) -> [Service; 2] {
    [(); 2].map(|()| service(&server.instance(json!({})), conf.clone()))
}

/// Begins a call that is not done before it may.
async fn held(server: &Server, service: &Service, sent: Sent) -> tokio::task::JoinHandle<Response> {
    service.order.go.forget_permits(1000);
    let call = tokio::spawn(service.send(sent));
    until(async || !server.keys().await.is_empty()).await;
    call
}

/// Waits until Redis has heard how the call ended.
async fn heard(server: &Server) {
    let keys = server.keys().await;
    until(async || server.says(&format!("HEXISTS {} holder", keys[0])).await.as_deref() == Some(":0\r\n")).await;
}

#[tokio::test]
async fn another_instance_gives_the_answer_of_the_first() {
    let Some(server) = Server::started().await else { return };
    let [one, other] = services(&server, &json!({}));
    assert_eq!(one.answer(CALL).await, created("1 one"));
    let again = other.send(CALL).await;
    assert_eq!((again.status().as_u16(), &again.headers()["idempotent-replayed"]), (201, &"true".parse().unwrap()));
    assert_eq!((&again.headers()["location"], again.headers().get("x-own")), (&"/orders/1".parse().unwrap(), None));
    assert_eq!((other.answer(CALL).await, other.done()), (created("1 one"), 0));
    assert_eq!(other.status(Sent { body: "two", ..CALL }).await, 422);
    assert_eq!(other.answer(Sent { caller: Some("bob"), ..CALL }).await, created("1 one"));
    let keys = server.keys().await;
    assert!(keys.iter().all(|key| key.starts_with("chassis:{shop}:idempotency:") && !key.contains("ada")), "{keys:?}");
}

#[tokio::test]
async fn what_one_instance_has_under_way_is_409_with_another() {
    let Some(server) = Server::started().await else { return };
    let [one, other] = services(&server, &json!({}));
    let call = held(&server, &one, CALL).await;
    let second = other.send(CALL).await;
    assert_eq!((second.status().as_u16(), &second.headers()["retry-after"]), (409, &"1".parse().unwrap()));
    assert_eq!(other.status(Sent { body: "two", ..CALL }).await, 422);
    one.order.go.add_permits(9);
    assert_eq!(call.await.unwrap().status(), 201);
    assert_eq!((other.answer(CALL).await, other.done()), (created("1 one"), 0));
}

#[tokio::test]
async fn what_was_not_done_or_cannot_be_given_again_is_known_to_all() {
    let Some(server) = Server::started().await else { return };
    let [one, other] = services(&server, &json!({ "max-answer": "4B" }));
    assert_eq!(one.status(Sent { says: Some("refuse"), ..CALL }).await, 403);
    assert_eq!(other.answer(CALL).await, created("1 one"));
    assert_eq!((one.status(CALL).await, one.done()), (409, 0));
}

#[tokio::test]
async fn a_lease_is_renewed_while_the_call_lives_and_when_its_instance_dies_nobody_knows_how_it_ended() {
    let Some(server) = Server::started().await else { return };
    let (conf, clock) = (json!({ "lease": "300ms" }), Clock::system());
    let [one, other] = services(&server, &conf);
    let call = held(&server, &one, CALL).await;
    let begun = clock.now();
    until(async || clock.now() > begun + Duration::from_millis(700)).await;
    assert_eq!(other.status(CALL).await, 409);
    one.order.go.add_permits(9);
    assert_eq!(call.await.unwrap().status(), 201);

    let sent = Sent { key: Some("\"dying\""), ..CALL };
    let dying = service(&server.instance(json!({})), conf.clone());
    dying.order.go.forget_permits(1000);
    let call = dying.send(sent);
    let (begun, is_begun) = std::sync::mpsc::channel();
    thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let _ = runtime.block_on(async { tokio::time::timeout(Duration::from_millis(200), call).await.map(|_| ()) });
        begun.send(()).unwrap();
    });
    is_begun.recv().unwrap();
    drop(dying);
    until(async || is_unknown(other.answer(sent).await)).await;
    assert_eq!((other.status(Sent { body: "two", ..sent }).await, other.done()), (422, 0));
}

/// Whether nobody knows how the call ended.
fn is_unknown((status, said): (u16, String)) -> bool {
    status == 409 && said.contains("how it ended is not known")
}

#[tokio::test]
async fn what_was_begun_and_not_answered_is_known_to_all() {
    let Some(server) = Server::started().await else { return };
    let [one, other] = services(&server, &json!({}));
    let call = held(&server, &one, CALL).await;
    call.abort();
    assert!(call.await.is_err());
    until(async || is_unknown(other.answer(CALL).await)).await;
    let late = Sent { key: Some("\"late\""), deadline: Some(Duration::from_millis(100)), ..CALL };
    assert_eq!(one.status(late).await, 504);
    until(async || is_unknown(other.answer(Sent { deadline: None, ..late }).await)).await;
    assert_eq!(other.done(), 0);
}

#[tokio::test]
async fn an_answer_leaves_when_all_instances_know_of_it() {
    let Some(server) = Server::started().await else { return };
    let [one, other] = services(&server, &json!({}));
    for key in ["\"a\"", "\"b\"", "\"c\"", "\"d\""] {
        let sent = Sent { key: Some(key), ..CALL };
        let first = one.answer(sent).await;
        assert_eq!([other.answer(sent).await, one.answer(sent).await], [first.clone(), first]);
    }
    let instance = server.instance(json!({}));
    let conf = typed(json!({ "store": "redis" })).unwrap();
    let streaming = Service::of(Idempotency::build(conf, &instance.context()).unwrap(), STREAM);
    let sent = Sent { key: Some("\"streamed\""), ..CALL };
    assert_eq!(streaming.answer(sent).await, (200, "abc".to_owned()));
    assert_eq!(other.answer(sent).await, (200, "abc".to_owned()));
    assert_eq!(other.done(), 0);
}

#[tokio::test]
async fn only_who_holds_the_lease_ends_the_call() {
    let Some(server) = Server::started().await else { return };
    let [one, other] = services(&server, &json!({}));
    let call = held(&server, &one, CALL).await;
    let key = server.keys().await.remove(0);
    server.says(&format!("DEL {key}")).await.unwrap();
    other.order.go.forget_permits(1000);
    let second = tokio::spawn(other.send(CALL));
    until(async || server.keys().await.len() == 1).await;
    let holder = server.says(&format!("HGET {key} holder")).await;
    one.order.go.add_permits(9);
    assert_eq!(call.await.unwrap().status(), 201);
    assert_eq!((one.status(CALL).await, server.says(&format!("HGET {key} holder")).await), (409, holder));
    other.order.go.add_permits(9);
    assert_eq!(second.await.unwrap().status(), 201);
    heard(&server).await;
}

#[tokio::test]
async fn a_redis_that_was_away_when_a_call_ended_is_told_when_it_is_back() {
    let Some(mut server) = Server::started().await else { return };
    let [one, other] = services(&server, &json!({}));
    let call = held(&server, &one, CALL).await;
    server.kill();
    one.order.go.add_permits(9);
    assert_eq!(call.await.unwrap().status(), 201);
    server.start_again().await;
    until(async || server.keys().await.len() == 1).await;
    heard(&server).await;
    assert_eq!((other.answer(CALL).await, other.done()), (created("1 one"), 0));
}

#[tokio::test]
async fn while_redis_is_away_calls_are_refused_or_pass_as_is_said() {
    let instance = Instance::new(json!({ "url": "redis://127.0.0.1:1" })).unwrap();
    let denying = service(&instance, json!({ "retry-after": "3s" }));
    let response = denying.send(CALL).await;
    assert_eq!((response.status().as_u16(), &response.headers()["retry-after"]), (503, &"3".parse().unwrap()));
    assert_eq!((denying.status(Sent { key: None, ..CALL }).await, denying.done()), (201, 1));
    let passing = service(&instance, json!({ "on-outage": "pass" }));
    assert_eq!([passing.answer(CALL).await, passing.answer(CALL).await], [created("1 one"), created("2 one")]);
    let became = |result| instance.measured("chassis.idempotency.calls", Some(result));
    assert_eq!([became("away"), became("unchecked"), became("first")], [1.0, 2.0, 0.0]);
}
