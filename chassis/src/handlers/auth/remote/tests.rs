//! Proves how the keys of an issuer are fetched.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::body::Body;
use http::{Request, StatusCode, header};
use jsonwebtoken::EncodingKey;
use serde_json::{Value, json};

use super::*;
use crate::background::{Background, Works};
use crate::conf::{BuildContext, FileRef, Process};
use crate::handler::{Handler, Verdict};
use crate::handlers::auth::algorithm::Algorithm;
use crate::handlers::auth::gate::{Gate, Schemes};
use crate::handlers::auth::refusal::Refusal;
use crate::handlers::auth::tests::*;
use crate::handlers::auth::tokens::Tokens;
use crate::handlers::auth::{Auth, Conf};
use crate::invocation::fixture::Page;
use crate::invocation::{Params, fixture};
use crate::operation::{Access, Operation};

#[cfg(feature = "outgoing")]
mod http_issuer;
mod outage;
mod rotation;

/// An issuer that publishes what it is told to.
#[derive(Clone, Default)]
struct Issuer(Arc<State>);

#[derive(Default)]
struct State {
    published: Mutex<Option<Value>>,
    max_age: Option<Duration>,
    asked: AtomicUsize,
    /// How long it takes to answer.
    slow: Duration,
}

impl Source for Issuer {
    fn fetch(&self) -> BoxFuture<'_, Result<Published, String>> {
        self.0.asked.fetch_add(1, Ordering::SeqCst);
        let published = self.0.published.lock().unwrap().clone();
        Box::pin(async move {
            tokio::time::sleep(self.0.slow).await;
            let published = published.ok_or("it is away")?;
            Ok(Published { content: published.to_string().into_bytes(), max_age: self.0.max_age })
        })
    }
}

impl Issuer {
    fn with(keys: Value) -> Self {
        Self::slow(keys, Duration::from_millis(50))
    }

    fn slow(keys: Value, slow: Duration) -> Self {
        let published = Mutex::new(Some(keys));
        Self(Arc::new(State { published, slow, max_age: Some(Duration::from_secs(600)), ..State::default() }))
    }

    fn publish(&self, keys: impl Into<Option<Value>>) {
        *self.0.published.lock().unwrap() = keys.into();
    }

    fn asked(&self) -> usize {
        self.0.asked.load(Ordering::SeqCst)
    }
}

/// A set with one public key under each of these names.
fn published(names: &[&str]) -> Value {
    let der: Vec<u8> = {
        let text = std::str::from_utf8(ED25519_PUBLIC).unwrap();
        let lines = text.lines().filter(|line| !line.starts_with('-')).collect::<String>();
        base64::Engine::decode(&base64::engine::general_purpose::STANDARD, lines).unwrap()
    };
    let x = base64(&der[der.len() - 32..]);
    let key = |kid: &&str| json!({ "kty": "OKP", "crv": "Ed25519", "kid": kid, "x": x });
    json!({ "keys": names.iter().map(key).collect::<Vec<_>>() })
}

/// A good token that says it was signed with the key of this name.
fn token_by(kid: &str) -> String {
    let key = EncodingKey::from_ed_pem(ED25519_PRIVATE).unwrap();
    let header = json!({ "alg": "EdDSA", "kid": kid });
    signer(Algorithm::EdDSA, key).sign(&header, &claims(json!({}))).unwrap()
}

struct Nothing;

impl crate::conf::Files for Nothing {
    fn read(&self, _: &FileRef) -> Result<Vec<u8>, BuildError> {
        Err(BuildError::new("", "not there"))
    }
}

/// A handler whose keys an issuer publishes, and what it wants done beside the calls.
struct Rig {
    auth: Auth,
    process: Process,
    works: Works,
}

impl Rig {
    /// As a process starts: it is told whether the first fetch succeeded.
    async fn start(source: impl Source, keys: Value) -> (Self, Result<(), BuildError>) {
        let mut built = Self::built(|context| Tokens::fetching(Box::new(source), &conf_with(&keys), context)).unwrap();
        let mut outcome = Ok(());
        for first in built.background().take_first() {
            outcome = outcome.and(first.work.await);
        }
        built.works.begin(built.process.background.take_works());
        (built, outcome)
    }

    fn built(tokens: impl FnOnce(&BuildContext<'_>) -> Result<Tokens, BuildError>) -> Result<Self, BuildError> {
        let wall = std::time::SystemTime::UNIX_EPOCH + Duration::from_secs(NOW);
        let (clock, random, process) = (Clock::anchored(wall), Random::seeded(1), Process::default());
        let warnings = crate::conf::Warnings::default();
        let context = BuildContext {
            clock,
            random: &random,
            scope: None,
            files: &Nothing,
            warnings: &warnings,
            process: &process,
        };
        let jwt = conf_with(&json!({}));
        let conf = Conf { jwt: Some(jwt), ..Conf::default() };
        let schemes = Schemes { tokens: Some(tokens(&context)?), ..Schemes::default() };
        let gate = Gate::with(&conf, &context, schemes)?;
        Ok(Self { auth: Auth(Arc::new(gate)), process, works: Works::default() })
    }

    fn background(&self) -> Background {
        self.process.background.clone()
    }

    /// What becomes of a call with this token, and whether it waited.
    async fn call(&self, token: &str) -> (Result<(), StatusCode>, bool) {
        let request = Request::get("/").header(header::AUTHORIZATION, format!("Bearer {token}"));
        let operation = Operation::new("greeting", "list", "GET", "/").with_access(Access::Auth);
        let mut call = fixture::with_operation(request.body(Body::empty()).unwrap(), operation, Params::default());
        let (verdict, waited) = match self.auth.before(&mut call) {
            Verdict::Wait(mut waiting) => (std::future::poll_fn(|cx| waiting.poll(cx, &mut call)).await, true),
            decided => (decided, false),
        };
        match verdict {
            Verdict::Continue => (Ok(()), waited),
            Verdict::Refuse(fault) => (Err(fault.status()), waited),
            _ => panic!("neither passed nor refused"),
        }
    }

    async fn passes(&self, token: &str) -> bool {
        self.call(token).await.0.is_ok()
    }
}

fn conf_with(keys: &Value) -> crate::handlers::auth::Jwt {
    let mut all = json!({ "url": "https://id.example/keys", "file": null });
    for (name, value) in keys.as_object().unwrap() {
        all[name] = value.clone();
    }
    conf(json!({ "keys": all }))
}

/// Lets what is to be done now be done, without letting time pass that nobody waits for.
async fn settle() {
    for pause in [0, 60] {
        tokio::time::advance(Duration::from_millis(pause)).await;
        for _ in 0..20 {
            tokio::task::yield_now().await;
        }
    }
}

async fn after(seconds: u64) {
    tokio::time::advance(Duration::from_secs(seconds)).await;
    settle().await;
}

const UNAVAILABLE: Result<(), StatusCode> = Err(StatusCode::SERVICE_UNAVAILABLE);
const UNAUTHORIZED: Result<(), StatusCode> = Err(StatusCode::UNAUTHORIZED);
