//! Decides whether a token is to be believed (RFC 7519, RFC 8725): a pure function of token, keys and time.

use std::borrow::Cow;
use std::sync::Arc;

use arc_swap::ArcSwap;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::de::IgnoredAny;
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

use super::algorithm::Algorithm;
use super::conf::{ClaimNames, Jwt};
use super::keys::{Allowed, KeySet, Standing};
use super::refusal::Refusal;
use crate::conf::BuildError;
use crate::principal::{Identity, Principal};

/// Knows which tokens are to be believed.
#[derive(Debug)]
pub struct Verifier {
    keys: ArcSwap<KeySet>,
    algorithms: Vec<Algorithm>,
    issuer: String,
    audience: Vec<String>,
    leeway: u64,
    max_token_size: usize,
    typ: Vec<String>,
    names: ClaimNames,
}

/// A caller as a token names it.
#[derive(Clone, Debug, PartialEq)]
pub struct Verified {
    /// Who it is.
    pub principal: Principal,
    /// Until when the token is accepted, in seconds since the Unix epoch: its `exp`.
    pub until: u64,
}

/// The members of a JOSE header that matter; `jku`, `jwk`, `x5u` and `x5c` are ignored: a token does not bring its key.
#[derive(Deserialize)]
struct Header<'a> {
    #[serde(borrow)]
    alg: Cow<'a, str>,
    #[serde(borrow, default, deserialize_with = "said")]
    kid: Option<Cow<'a, str>>,
    #[serde(borrow, default, deserialize_with = "said")]
    typ: Option<Cow<'a, str>>,
    #[serde(default, deserialize_with = "there")]
    crit: bool,
}

/// What a member says that is there: a text, and not `null`.
fn said<'de: 'a, 'a, D: Deserializer<'de>>(member: D) -> Result<Option<Cow<'a, str>>, D::Error> {
    #[derive(Deserialize)]
    struct Text<'a>(#[serde(borrow)] Cow<'a, str>);
    Text::deserialize(member).map(|Text(text)| Some(text))
}

/// That a member is there, whatever it says: `null` as well.
fn there<'de, D: Deserializer<'de>>(member: D) -> Result<bool, D::Error> {
    IgnoredAny::deserialize(member).map(|_| true)
}

/// A compact JWS (RFC 7515 §7.1), taken apart and not yet believed.
struct Parts<'a> {
    header: &'a str,
    payload: &'a str,
    signature: &'a str,
    /// What the signature is over: header and payload as they were sent.
    message: &'a str,
}

impl Verifier {
    /// Reads the keys (the content of [`Keys::file`](super::conf::Keys)) and binds each to its algorithm.
    ///
    /// # Errors
    /// What is wrong with a value or with a key.
    pub fn build(conf: &Jwt, keys: &[u8]) -> Result<Self, BuildError> {
        conf.check()?;
        let allowed = Allowed { algorithms: &conf.algorithms, short_secrets: conf.keys.short_secrets.is_some() };
        let keys = KeySet::parse(keys, allowed).map_err(|error| error.below("keys.file"))?;
        Ok(Self::with(conf, keys))
    }

    /// The same, with keys that are still to come: until [`publish`](Self::publish) nothing is believed.
    pub(super) fn without_keys(conf: &Jwt) -> Result<Self, BuildError> {
        conf.check()?;
        Ok(Self::with(conf, KeySet::default()))
    }

    fn with(conf: &Jwt, keys: KeySet) -> Self {
        Self {
            keys: ArcSwap::from_pointee(keys),
            algorithms: conf.algorithms.clone(),
            issuer: conf.issuer.clone(),
            audience: conf.audience.names().to_vec(),
            leeway: conf.leeway.duration().as_secs(),
            max_token_size: conf.max_token_size.length(),
            typ: conf.typ.iter().map(|name| media_type(name).to_owned()).collect(),
            names: conf.claims.clone(),
        }
    }

    /// Takes the keys of a set that the issuer publishes in place of those that were. What was proved by a key that is
    /// no longer there is not believed any more; what the others proved is, also if trust was suspended.
    pub(super) fn publish(&self, content: &[u8]) -> Result<(), String> {
        let old = self.keys.load_full();
        let mut new = KeySet::published(content, &self.algorithms)?;
        new.succeed(&old);
        let new = Arc::new(new);
        self.keys.store(Arc::clone(&new));
        old.give_way(&new);
        new.trust(true);
        Ok(())
    }

    /// Believes nothing that the keys prove, or have proved, until they are published again.
    pub(super) fn suspend(&self) {
        self.keys.load().trust(false);
    }

    /// Whether there are keys that are trusted.
    pub(super) fn is_ready(&self) -> bool {
        self.keys.load().is_trusted()
    }

    /// Whether there is a key of this name.
    pub(super) fn knows(&self, key: &str) -> bool {
        self.keys.load().knows(key)
    }

    /// The names of the keys that are published together with the source and so prove nothing.
    pub fn development_keys(&self) -> Vec<String> {
        self.keys.load().development().map(str::to_owned).collect()
    }

    /// The names of the secrets that are shorter than their hash.
    pub(super) fn short_keys(&self) -> Vec<String> {
        self.keys.load().short().map(str::to_owned).collect()
    }

    /// The name of the key that a token says it was signed with.
    pub(super) fn key_of(&self, token: &str) -> Option<String> {
        let parts = Parts::of(token).filter(|_| token.len() <= self.max_token_size)?;
        let json = decoded(parts.header)?;
        let header: Header<'_> = serde_json::from_slice(&json).ok()?;
        header.kid.map(Cow::into_owned)
    }

    /// Decides about a token at a time in seconds since the Unix epoch.
    ///
    /// # Errors
    /// The first reason not to believe it.
    pub fn verify(&self, token: &str, now: u64) -> Result<Verified, Refusal> {
        self.prove(token, now).map(|(verified, _)| verified)
    }

    /// The same, with the standing of the key that signed.
    pub(super) fn prove(&self, token: &str, now: u64) -> Result<(Verified, Standing), Refusal> {
        if token.len() > self.max_token_size {
            return Err(Refusal::TooLong);
        }
        let parts = Parts::of(token).ok_or(Refusal::Malformed)?;
        let standing = self.check_signature(&parts)?;
        let claims = decoded(parts.payload).and_then(|json| serde_json::from_slice(&json).ok());
        let claims: Map<String, Value> = claims.ok_or(Refusal::Claims)?;
        let until = self.check_times(&claims, now)?;
        self.check_parties(&claims)?;
        Ok((Verified { principal: self.principal(claims)?, until }, standing))
    }

    fn check_signature(&self, parts: &Parts<'_>) -> Result<Standing, Refusal> {
        let json = decoded(parts.header).ok_or(Refusal::Malformed)?;
        let header: Header<'_> = serde_json::from_slice(&json).map_err(|_| Refusal::Malformed)?;
        if header.crit {
            return Err(Refusal::Critical);
        }
        let typ = media_type(header.typ.as_deref().unwrap_or("JWT"));
        if !self.typ.iter().any(|accepted| accepted.eq_ignore_ascii_case(typ)) {
            return Err(Refusal::Type);
        }
        let signature = decoded(parts.signature).ok_or(Refusal::Malformed)?;
        let keys = self.keys.load();
        let mut keys = keys.candidates(header.kid.as_deref(), &header.alg).peekable();
        if keys.peek().is_none() {
            return Err(Refusal::Key);
        }
        let signed = keys.find(|key| key.verifies(parts.message.as_bytes(), &signature));
        signed.map(|key| key.standing.clone()).ok_or(Refusal::Signature)
    }

    /// `exp` (RFC 7519 §4.1.4) must be there, `nbf` (§4.1.5) may. The answer is until when the token is accepted.
    fn check_times(&self, claims: &Map<String, Value>, now: u64) -> Result<u64, Refusal> {
        let expiry = claims.get("exp").ok_or(Refusal::Endless)?;
        let until = seconds(expiry).ok_or(Refusal::Claims)?;
        if now >= until {
            return Err(Refusal::Expired);
        }
        match claims.get("nbf").map(seconds) {
            Some(None) => Err(Refusal::Claims),
            Some(Some(start)) if now.saturating_add(self.leeway) < start => Err(Refusal::Early),
            _ => Ok(until),
        }
    }

    /// `iss` (RFC 7519 §4.1.1) and `aud` (§4.1.3), compared as they are written.
    fn check_parties(&self, claims: &Map<String, Value>) -> Result<(), Refusal> {
        if claims.get("iss").and_then(Value::as_str) != Some(&self.issuer) {
            return Err(Refusal::Issuer);
        }
        let meant = |name: &Value| name.as_str().is_some_and(|name| self.audience.iter().any(|ours| ours == name));
        let ours = match claims.get("aud") {
            Some(Value::Array(names)) => names.iter().any(meant),
            Some(name) => meant(name),
            None => false,
        };
        if ours { Ok(()) } else { Err(Refusal::Audience) }
    }

    fn principal(&self, claims: Map<String, Value>) -> Result<Principal, Refusal> {
        let subject = claim(&claims, &self.names.subject).and_then(Value::as_str);
        let subject = subject.filter(|subject| !subject.is_empty());
        let subject = subject.ok_or(Refusal::Nobody)?.to_owned();
        let scopes = words(&claims, &self.names.scopes);
        let roles = words(&claims, &self.names.roles);
        Ok(Principal::new(Identity { subject, scheme: "jwt".to_owned(), scopes, roles, claims }))
    }
}

impl<'a> Parts<'a> {
    fn of(token: &'a str) -> Option<Self> {
        let (message, signature) = token.rsplit_once('.')?;
        let (header, payload) = message.split_once('.')?;
        let whole = ![header, payload, signature].iter().any(|part| part.is_empty() || part.contains('.'));
        whole.then_some(Self { header, payload, signature, message })
    }
}

fn decoded(part: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(part).ok()
}

/// A media type without the `application/` that may be left out (RFC 7515 §4.1.9).
fn media_type(name: &str) -> &str {
    const PREFIX: &str = "application/";
    match name.split_at_checked(PREFIX.len()) {
        Some((prefix, rest)) if prefix.eq_ignore_ascii_case(PREFIX) => rest,
        _ => name,
    }
}

/// A NumericDate (RFC 7519 §2), fractions dropped; `None` where it is not a number or before the epoch.
fn seconds(value: &Value) -> Option<u64> {
    // The cast saturates: what lies beyond the year 584,942,417,355 is that year.
    value.as_u64().or_else(|| value.as_f64().filter(|seconds| *seconds >= 0.0).map(|seconds| seconds as u64))
}

/// All words that these claims hold.
fn words(claims: &Map<String, Value>, names: &[String]) -> Vec<String> {
    let mut words = Vec::new();
    for value in names.iter().filter_map(|name| claim(claims, name)) {
        match value {
            Value::String(text) => words.extend(text.split_ascii_whitespace().map(str::to_owned)),
            Value::Array(list) => words.extend(list.iter().filter_map(Value::as_str).map(str::to_owned)),
            _ => {}
        }
    }
    words
}

/// The claim of this name; else what the name leads to as a path. Names with dots are claims too: some are URLs.
fn claim<'a>(claims: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    claims.get(name).or_else(|| {
        let (first, rest) = name.split_once('.')?;
        claim(claims.get(first)?.as_object()?, rest)
    })
}
