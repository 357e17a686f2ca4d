//! Proves what auth promises.

use std::time::Duration;

use jsonwebtoken::EncodingKey;
use serde_json::{Value, json};

use super::algorithm::Algorithm;
use super::conf::Jwt;
use super::token::Signer;
use super::verifier::Verifier;
use crate::conf::BuildError;

mod access;
mod attacks;
mod build;
mod schemes;
mod tokens;

pub(super) const ISSUER: &str = "https://id.example";
pub(super) const AUDIENCE: &str = "greeter";
pub(super) const NOW: u64 = 1_800_000_000;
pub(super) const HOUR: Duration = Duration::from_secs(3_600);

pub(super) const SECRET: &[u8] = b"thirty-two bytes that all may know";
/// That of the case E09 of go-chassis's users.
pub(super) const SHORT: &[u8] = b"my_secret";
pub(super) const RSA_PRIVATE: &[u8] = include_bytes!("tests/keys/rsa.private.pem");
pub(super) const RSA_PUBLIC: &[u8] = include_bytes!("tests/keys/rsa.public.pem");
pub(super) const P256_PRIVATE: &[u8] = include_bytes!("tests/keys/p256.private.pem");
pub(super) const P256_PUBLIC: &[u8] = include_bytes!("tests/keys/p256.public.pem");
pub(super) const ED25519_PRIVATE: &[u8] = include_bytes!("tests/keys/ed25519.private.pem");
pub(super) const ED25519_PUBLIC: &[u8] = include_bytes!("tests/keys/ed25519.public.pem");

/// The configuration of most tests, with these keys in place of some of its own.
pub(super) fn conf(changes: Value) -> Jwt {
    let mut conf = json!({ "issuer": ISSUER, "audience": AUDIENCE, "keys": { "file": "keys" } });
    merge(&mut conf, changes);
    serde_json::from_value(conf).unwrap()
}

/// The claims of most tests, with these in place of some of its own; `null` takes one away.
pub(super) fn claims(changes: Value) -> Value {
    let mut claims = json!({ "iss": ISSUER, "aud": AUDIENCE, "sub": "ada", "exp": NOW + 3_600 });
    merge(&mut claims, changes);
    claims
}

fn merge(into: &mut Value, changes: Value) {
    let (Value::Object(into), Value::Object(changes)) = (into, changes) else { panic!("objects only") };
    for (name, value) in changes {
        if value.is_null() {
            into.remove(&name)
        } else {
            into.insert(name, value)
        };
    }
}

/// A set with one secret.
pub(super) fn secrets(id: &str, secret: &[u8]) -> Value {
    json!({ "keys": [{ "kty": "oct", "alg": "HS256", "kid": id, "k": base64(secret) }] })
}

pub(super) fn base64(bytes: impl AsRef<[u8]>) -> String {
    use base64::Engine;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(bytes)
}

pub(super) fn verifier(keys: &Value) -> Verifier {
    built(json!({}), keys.to_string().as_bytes()).unwrap()
}

pub(super) fn built(changes: Value, keys: &[u8]) -> Result<Verifier, BuildError> {
    Verifier::build(&conf(changes), keys)
}

/// Signs with the secret of most tests.
pub(super) fn signed(header: &Value, claims: &Value) -> String {
    signer(Algorithm::HS256, EncodingKey::from_secret(SECRET)).sign(header, claims).unwrap()
}

pub(super) fn signer(algorithm: Algorithm, key: EncodingKey) -> Signer {
    Signer { id: None, algorithm, key }
}

/// A good token of the subject `ada` that grants these scopes.
pub(super) fn token(scopes: &str, roles: &[&str]) -> String {
    signed(&json!({ "alg": "HS256", "kid": "a" }), &claims(json!({ "scope": scopes, "roles": roles })))
}
