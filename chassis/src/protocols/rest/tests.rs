//! What configuration makes of a REST listener.

use serde_json::{Value, json};

use super::*;
use crate::clock::Clock;
use crate::conf::source::InMemory;
use crate::random::Random;

fn listener(conf: Value) -> Result<Box<dyn Listener>, BuildError> {
    let (random, files) = (Random::seeded(1), InMemory::default());
    let context = BuildContext {
        clock: Clock::system(),
        random: &random,
        scope: None,
        operations: &[],
        files: &files,
        warnings: &crate::conf::Warnings::default(),
    };
    let entry = CHASSIS_PROTOCOLS_V1.iter().find(|entry| entry.head.name == "rest").unwrap();
    (entry.build)(conf, &context)
}

#[track_caller]
fn check_refused(conf: Value, expected: &str) {
    let error = listener(conf).map(|_| ()).unwrap_err();
    assert_eq!(error.to_string(), expected);
}

#[test]
fn everything_has_a_default() {
    assert!(listener(json!({})).is_ok());
    let limits = Conf::default().limits().unwrap();
    assert_eq!(format!("{limits:?}"), format!("{:?}", Limits::default()));
}

#[test]
fn values_that_make_no_sense_are_refused_with_their_key() {
    check_refused(
        json!({ "idle-timeout": "0s" }),
        "`idle-timeout`: no peer can be that fast: it must be longer than 0s",
    );
    check_refused(
        json!({ "http2": { "ping-timeout": "0s" } }),
        "`http2.ping-timeout`: no peer can be that fast: it must be longer than 0s",
    );
    check_refused(json!({ "max-header-bytes": "2MiB" }), "`max-header-bytes`: 2MiB is not from 1KiB to 1MiB");
    assert_eq!(listener(json!({ "max-connections": 0 })).map(|_| ()).unwrap_err().at, "max-connections");
    assert_eq!(listener(json!({ "listen": "127.0.0.256:1" })).map(|_| ()).unwrap_err().at, "listen");
}

#[tokio::test]
async fn an_address_in_use_is_refused_before_anything_is_served() {
    let first = listener(json!({ "listen": "127.0.0.1:0" })).unwrap().bind().await.unwrap();
    let error = listener(json!({ "listen": first.address().to_string() })).unwrap().bind().await.map(|_| ());
    let error = error.unwrap_err();
    assert_eq!(error.at, "listen");
    assert!(error.message.starts_with(&format!("cannot listen on `{}`", first.address())), "{error}");
    assert_eq!(error.help.as_deref(), Some("another process listens there: stop it, or choose another address"));
}
