//! A call in the testing kit may be no larger than one from a socket.

use chassis::prelude::*;

use crate::rig::started;

/// Takes what it is given.
#[schema("/parcels")]
struct Parcels;

#[operations]
impl Parcels {
    /// Says how much it was.
    #[post("/", public)]
    async fn weigh(&self, parcel: Bytes) -> String {
        parcel.len().to_string()
    }
}

const MIB: usize = 1 << 20;

async fn sent(yaml: &str, listener: &str, length: usize) -> (u16, Option<String>) {
    let answer = started(yaml).await.post("/parcels").at(listener).body(vec![b'x'; length]).send().await;
    (answer.status().as_u16(), answer.code())
}

#[tokio::test]
async fn a_body_that_a_socket_would_not_let_in_is_refused() {
    let too_large = (413, Some("content-too-large".to_owned()));
    assert_eq!(sent("", "rest", 2 * MIB).await, (200, None));
    assert_eq!(sent("", "rest", 10 * MIB).await, too_large);
    assert_eq!(sent("protocols: { rest: { max-body: 16MiB } }", "rest", 10 * MIB).await, (200, None));
    let two = "protocols: { rest: {}, rest-inner: { listen: ':0', schemas: [parcels], max-body: 8B } }";
    assert_eq!(sent(two, "rest-inner", 8).await, (200, None));
    assert_eq!(sent(two, "rest-inner", 9).await, too_large);
}

#[tokio::test]
async fn a_head_that_a_socket_would_not_let_in_is_refused() {
    let app = started("protocols: { rest: { max-target-bytes: 100B, max-headers: 3 } }").await;
    let long = format!("/parcels?{}", "x".repeat(92));
    let crowded = ["a", "b", "c"].into_iter().fold(app.post("/parcels"), |call, name| call.header(name, "1"));
    let refused = [
        (app.post(&long), 414, "uri-too-long"),
        (app.post("/parcels").header("host", "other.example"), 400, "invalid-argument"),
        (crowded, 431, "header-fields-too-large"),
    ];
    for (call, status, code) in refused {
        let answer = call.send().await;
        assert_eq!((answer.status().as_u16(), answer.code().as_deref()), (status, Some(code)));
    }
    assert_eq!(app.post(&long[..100]).send().await.status(), 200);
}

#[tokio::test]
async fn the_server_as_a_whole_can_be_asked() {
    assert_eq!(started("").await.call("OPTIONS", "*").send().await.status(), 204);
}
