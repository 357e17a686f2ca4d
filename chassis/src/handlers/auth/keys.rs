//! The keys that sign: read from a file or from their issuer, each bound to one algorithm before any token is looked at.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use jsonwebtoken::DecodingKey;
use jsonwebtoken::crypto::aws_lc;

use super::algorithm::{Algorithm, Shape};
use crate::conf::BuildError;

mod jwks;
mod pem;

pub(super) use jwks::{Jwk, Jwks};
pub(super) use pem::blocks;

/// How many keys are tried for a token that does not name its key.
const TRIES: usize = 4;

/// The trusted keys.
#[derive(Debug, Default)]
pub(super) struct KeySet(Vec<Key>);

/// What keys are taken.
#[derive(Clone, Copy)]
pub(super) struct Allowed<'a> {
    pub(super) algorithms: &'a [Algorithm],
    /// Whether secrets may be shorter than their hash.
    pub(super) short_secrets: bool,
}

/// A trusted key.
#[derive(Debug)]
pub(super) struct Key {
    /// Its name in tokens. Compared, never interpreted.
    pub(super) id: Option<String>,
    pub(super) algorithm: Algorithm,
    pub(super) decoding: DecodingKey,
    /// What it is made of, to tell whether the next set has the same.
    print: Box<[u8]>,
    /// Whether it is still trusted.
    pub(super) standing: Standing,
    /// Whether it is published together with the source and so proves nothing.
    pub(super) development: bool,
    /// Whether it is a secret that is shorter than its hash, and so may be found by trying.
    pub(super) short: bool,
}

/// Whether a key is still trusted: shared with all that it proved.
#[derive(Clone, Debug)]
pub(super) struct Standing(Arc<AtomicBool>);

impl Standing {
    pub(super) fn new() -> Self {
        Self(Arc::new(AtomicBool::new(true)))
    }

    pub(super) fn is_trusted(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }

    fn set(&self, trusted: bool) {
        self.0.store(trusted, Ordering::Release);
    }
}

impl KeySet {
    /// Reads a JWK Set or PEM, whichever the content is.
    pub(super) fn parse(content: &[u8], allowed: Allowed<'_>) -> Result<Self, BuildError> {
        let keys = match content.trim_ascii_start() {
            [b'{', ..] => jwks::keys(content, allowed)?,
            _ => pem::keys(content, allowed.algorithms)?,
        };
        if keys.is_empty() {
            let names: Vec<_> = allowed.algorithms.iter().map(|algorithm| algorithm.as_str()).collect();
            let message = format!("no key in this file signs with {}", names.join(", "));
            return Err(BuildError::new("", message).with_help("put the issuer's keys there, or extend `algorithms`"));
        }
        Self(keys).unambiguous()
    }

    /// Reads the JWK Set that an issuer publishes: public keys alone. What cannot be used is passed over, so that one
    /// new key of an unknown kind does not take the others away.
    pub(super) fn published(content: &[u8], allowed: &[Algorithm]) -> Result<Self, String> {
        let keys = jwks::published(content, allowed).map_err(|error| error.message)?;
        if keys.is_empty() {
            return Err("it has no key that signs with a configured algorithm".to_owned());
        }
        Self(keys).unambiguous().map_err(|error| error.message)
    }

    /// Takes the place of `old`: what is in both stays what it was.
    pub(super) fn succeed(&mut self, old: &Self) {
        for key in &mut self.0 {
            if let Some(same) = old.0.iter().find(|old| old.is(key)) {
                key.standing = same.standing.clone();
            }
        }
    }

    /// Withdraws the trust in those keys that are not in `new`, once that has taken the place of this set.
    pub(super) fn give_way(&self, new: &Self) {
        let gone = self.0.iter().filter(|old| !new.0.iter().any(|key| key.is(old)));
        gone.for_each(|key| key.standing.set(false));
    }

    /// Says of all keys whether they are trusted.
    pub(super) fn trust(&self, trusted: bool) {
        self.0.iter().for_each(|key| key.standing.set(trusted));
    }

    /// Whether there are keys that are trusted.
    pub(super) fn is_trusted(&self) -> bool {
        self.0.iter().any(|key| key.standing.is_trusted())
    }

    /// Whether there is a key of this name.
    pub(super) fn knows(&self, id: &str) -> bool {
        self.0.iter().any(|key| key.id.as_deref() == Some(id))
    }

    /// Two keys that a token cannot tell apart are a mistake; a few without a name are not.
    fn unambiguous(self) -> Result<Self, BuildError> {
        for (at, key) in self.0.iter().enumerate() {
            let twins = self.0[..at].iter().filter(|other| (&other.id, other.algorithm) == (&key.id, key.algorithm));
            let (twins, algorithm) = (twins.count(), key.algorithm);
            match &key.id {
                Some(id) if twins > 0 => {
                    let message = format!("two keys for {algorithm} have the `kid` `{id}`");
                    return Err(BuildError::new("", message).with_help("give each key a `kid` of its own"));
                }
                None if twins >= TRIES => {
                    let message = format!("more than {TRIES} keys for {algorithm} have no `kid`");
                    return Err(BuildError::new("", message).with_help("use a JWK Set, which names its keys"));
                }
                _ => {}
            }
        }
        Ok(self)
    }

    /// The keys that may have signed a token whose header says `id` and `algorithm`: those of that name, else those
    /// without a name; all where the token names none, unless they are too many to try.
    pub(super) fn candidates<'a>(&'a self, id: Option<&'a str>, algorithm: &'a str) -> impl Iterator<Item = &'a Key> {
        let named = id.filter(|id| self.0.iter().any(|key| key.id.as_deref() == Some(id)));
        let fits = move |key: &&Key| {
            key.algorithm.as_str() == algorithm && if id.is_some() { key.id.as_deref() == named } else { true }
        };
        let count = self.0.iter().filter(fits).count();
        self.0.iter().filter(fits).take(if count <= TRIES { count } else { 0 })
    }

    /// The names of the keys that prove nothing.
    pub(super) fn development(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter(|key| key.development).map(Key::name)
    }

    /// The names of the secrets that are short.
    pub(super) fn short(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter(|key| key.short).map(Key::name)
    }
}

impl Key {
    fn name(&self) -> &str {
        self.id.as_deref().unwrap_or("without a name")
    }

    fn is(&self, other: &Self) -> bool {
        (&self.id, self.algorithm, &self.print) == (&other.id, other.algorithm, &other.print)
    }

    /// Whether this key made the signature of the message.
    pub(super) fn verifies(&self, message: &[u8], signature: &Vec<u8>) -> bool {
        // The provider is named, not looked up: jsonwebtoken's process-wide default is neither set nor read.
        let verifier = (aws_lc::DEFAULT_PROVIDER.verifier_factory)(&self.algorithm.into(), &self.decoding);
        verifier.is_ok_and(|verifier| verifier.verify(message, signature).is_ok())
    }
}

/// The one algorithm a key of this shape is for; `None` where it is not used here.
fn bind(shape: Shape, stated: Option<&str>, allowed: &[Algorithm]) -> Result<Option<Algorithm>, BuildError> {
    if let Some(name) = stated {
        let known = allowed.iter().find(|algorithm| algorithm.as_str() == name);
        return match known {
            Some(algorithm) if !algorithm.fits(shape) => {
                Err(BuildError::new("", format!("says `alg: {name}`, which is not for keys of its kind"))
                    .with_help("correct `alg`, or remove it where its kind leaves no doubt"))
            }
            known => Ok(known.copied()),
        };
    }
    let mut fitting = allowed.iter().copied().filter(|algorithm| algorithm.fits(shape));
    match (fitting.next(), fitting.next()) {
        (Some(one), Some(other)) => {
            let message = format!("does not say whether it is for {one} or {other}");
            Err(BuildError::new("", message).with_help("say `alg` in the JWK, or list one of them under `algorithms`"))
        }
        (one, _) => Ok(one),
    }
}

/// The bits an RSA key may have: fewer can be broken, more are a way to keep the processor busy.
fn check_modulus(modulus: &[u8]) -> Result<(), BuildError> {
    let leading = modulus.iter().take_while(|byte| **byte == 0).count();
    let bits =
        modulus[leading..].first().map_or(0, |byte| (modulus.len() - leading) * 8 - byte.leading_zeros() as usize);
    match bits {
        2048..=8192 => Ok(()),
        bits => Err(BuildError::new("", format!("has {bits} bits; RSA keys here have 2048 to 8192"))
            .with_help("make another with `openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:3072`")),
    }
}
