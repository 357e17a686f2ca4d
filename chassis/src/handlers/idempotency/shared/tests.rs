//! Proves what Redis makes of what comes late, against a real one.

use serde_json::json;

use super::*;
use crate::redis::fixture::Server;

const CALL: Call = Call { name: [1; 32], fingerprint: [2; 32], number: 3, lease: Duration::from_secs(60) };

#[tokio::test]
async fn what_comes_late_of_a_call_that_was_forgotten_begins_nothing() {
    let Some(server) = Server::started().await else { return };
    let instance = server.instance(json!({}));
    let Shared(keeping) = Shared::build(Duration::from_secs(3600), &instance.context()).unwrap();
    let (call, other) = (CALL, Call { number: 4, ..CALL });
    let ask = async |script, call: Call| {
        let answer = keeping.client.ask(script, &keeping.key(&call), &keeping.lease(&call)).await;
        String::from_utf8(answer.unwrap().remove(0)).unwrap()
    };
    let forget = async |call| Arc::clone(&keeping).finish(call, End::Forgotten, None).await;

    // Whether or not Redis had begun it.
    for _ in 0..2 {
        forget(call).await;
        assert_eq!(ask(&keeping.begin, call).await, "forgotten");
        assert_eq!(ask(&keeping.renew, call).await, "lost");
        let left = server.says(&format!("PTTL {}", keeping.key(&call)[0])).await.unwrap();
        assert!((1..=60_000).contains(&left[1..].trim_end().parse().unwrap()), "{left}");

        assert_eq!(ask(&keeping.begin, other).await, "begun");
        forget(call).await;
        assert_eq!(ask(&keeping.renew, other).await, "renewed");
        forget(other).await;
        assert_eq!(ask(&keeping.begin, call).await, "begun");
    }
}

#[tokio::test]
async fn what_redis_has_lost_is_not_renewed() {
    let Some(server) = Server::started().await else { return };
    let instance = server.instance(json!({}));
    let Shared(keeping) = Shared::build(Duration::from_secs(3600), &instance.context()).unwrap();
    let answer = keeping.client.ask(&keeping.renew, &keeping.key(&CALL), &keeping.lease(&CALL)).await;
    assert_eq!((answer, server.keys().await), (Ok(vec![b"lost".to_vec()]), Vec::new()));
}
