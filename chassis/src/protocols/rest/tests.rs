//! What configuration makes of a REST listener.

use std::net::SocketAddr;
use std::sync::Arc;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::*;
use crate::chain::Chain;
use crate::clock::Clock;
use crate::conf::source::InMemory;
use crate::conf::{Files, Process};
use crate::generated::last;
use crate::invocation::Invocation;
use crate::operation::{Access, Operation};
use crate::provider::{Provider, Snapshot, Target};
use crate::random::Random;
use crate::reply::Reply;
use crate::route::{Route, Table};
use crate::schema::Endpoint;

mod answers;
mod bodies;
#[cfg(feature = "tls")]
mod tls;
mod unmatched;

fn listener(conf: Value) -> Result<Box<dyn Listener>, BuildError> {
    listener_with(conf, &InMemory::default())
}

fn listener_with(conf: Value, files: &dyn Files) -> Result<Box<dyn Listener>, BuildError> {
    let random = Random::seeded(1);
    let context = BuildContext {
        clock: Clock::system(),
        random: &random,
        scope: None,
        files,
        warnings: &crate::conf::Warnings::default(),
        process: &Process::default(),
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
    assert!(error.message.starts_with(&format!("`{}` cannot be taken: ", first.address())), "{error}");
    assert!(error.help.is_some_and(|help| help.starts_with("another process listens there: stop it (")));
}

/// Keeps nothing, and says what it was sent.
struct Says(&'static str);

impl Endpoint for Says {
    fn call<'a>(&'a self, invocation: &'a mut Invocation) -> BoxFuture<'a, Reply> {
        Box::pin(async move {
            match last::<String, _>(invocation).await {
                Ok(text) => Reply::new(format!("{} {text}", self.0)),
                Err(refusal) => *refusal,
            }
        })
    }
}

/// Public operations at these paths, for POST unless a method stands before the path, and the listeners with the operations that each serves.
fn provider<const N: usize>(operations: [(&'static str, Arc<dyn Endpoint>); N], served: &[(&str, &[u32])]) -> Provider {
    provider_with(operations, served, Chain { name: "unmatched".into(), steps: [].into() })
}

/// The method and the path of an operation.
fn of(path: &'static str) -> (&'static str, &'static str) {
    path.split_once(' ').unwrap_or(("POST", path))
}

/// The same, with a chain for calls that match none of them.
fn provider_with<const N: usize>(
    operations: [(&'static str, Arc<dyn Endpoint>); N],
    served: &[(&str, &[u32])],
    unmatched: Chain,
) -> Provider {
    let paths = operations.each_ref().map(|(path, _)| of(path));
    let route = |target: &u32| Route {
        method: paths[*target as usize].0.into(),
        template: paths[*target as usize].1.to_owned(),
        target: *target,
        place: "here".to_owned(),
    };
    let table = |targets: &[u32]| Arc::new(Table::build(targets.iter().map(route), Default::default()).unwrap());
    let chain = Chain { name: "default".into(), steps: [].into() };
    let target = |(path, endpoint)| Target {
        operation: Operation::new("test", path, of(path).0, of(path).1).with_access(Access::Public),
        chain: chain.clone(),
        preflight: None,
        endpoint,
        timeout: None,
    };
    let listeners = served.iter().map(|(name, targets)| ((*name).to_owned(), table(targets))).collect();
    let targets = operations.map(target).into();
    let snapshot = Snapshot {
        listeners,
        targets,
        unmatched,
        ungranted: chain,
        timeout: None,
        revision: "r1".into(),
        components: Arc::default(),
    };
    Provider::new(snapshot, Clock::system())
}

/// Serves a listener of this name, configured like this. It serves as long as the sender is there.
async fn served(provider: &Provider, name: &str, conf: Value) -> (SocketAddr, watch::Sender<Phase>) {
    let bound = listener(conf).unwrap().bind().await.unwrap();
    let Address::Tcp(address) = bound.address() else { panic!("not TCP") };
    let phase = watch::Sender::new(Phase::Serving);
    tokio::spawn(bound.serve(provider.entry(name).unwrap(), phase.subscribe()));
    (address, phase)
}

/// Posts to a path, and reads the reply until the connection is closed.
async fn posted(address: SocketAddr, path: &str, body: &str) -> String {
    let length = body.len();
    let mut stream = TcpStream::connect(address).await.unwrap();
    let head = format!("POST {path} HTTP/1.1\r\nhost: test\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n");
    stream.write_all(format!("{head}{body}").as_bytes()).await.unwrap();
    let mut reply = String::new();
    stream.read_to_string(&mut reply).await.unwrap();
    reply
}

#[tokio::test]
async fn a_listener_reaches_its_own_operations_and_no_others() {
    let says = |path| (path, Arc::new(Says(path)) as Arc<dyn Endpoint>);
    let operations = ["/notes", "/secrets", "/both"].map(says);
    let provider = provider(operations, &[("rest", &[0, 2]), ("rest-admin", &[1, 2])]);
    let conf = json!({ "listen": "127.0.0.1:0" });
    let (rest, _phase) = served(&provider, "rest", conf.clone()).await;
    let (admin, _phase) = served(&provider, "rest-admin", conf).await;
    let expected = [
        (rest, "/notes", 200),
        (rest, "/secrets", 404),
        (admin, "/secrets", 200),
        (admin, "/notes", 404),
        (rest, "/both", 200),
        (admin, "/both", 200),
    ];
    for (address, path, status) in expected {
        let reply = posted(address, path, "x").await;
        assert!(reply.starts_with(&format!("HTTP/1.1 {status} ")), "{path} at {address}: {reply}");
    }
}
