//! Reads a JWK Set (RFC 7517 §5, RFC 7518 §6, RFC 8037 §2).

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::DecodingKey;
use serde::Deserialize;
use serde_json::Value;

use super::{Algorithm, Allowed, Key, Shape, Standing, bind, check_modulus};
use crate::conf::BuildError;

/// A set of keys; each is read on its own, because one of a kind that is not known is to be passed over.
#[derive(Deserialize)]
pub(in crate::handlers::auth) struct Jwks {
    pub(in crate::handlers::auth) keys: Vec<Value>,
}

/// The members of a JWK that matter here; others are ignored, as the standard wants it.
#[derive(Deserialize)]
pub(in crate::handlers::auth) struct Jwk {
    kty: String,
    #[serde(rename = "use")]
    usage: Option<String>,
    key_ops: Option<Vec<String>>,
    alg: Option<String>,
    pub(in crate::handlers::auth) kid: Option<String>,
    crv: Option<String>,
    n: Option<String>,
    e: Option<String>,
    x: Option<String>,
    y: Option<String>,
    k: Option<String>,
    d: Option<String>,
    /// Ours: the key is published together with the source.
    #[serde(rename = "chassis-development", default)]
    development: bool,
}

/// The secret of `conf/keys/development.jwks.json`. Everybody knows it, under whatever name it is copied.
const PUBLISHED: &str = "IW6De-JOOv-Dgk4vpYyOsCV_f-6LQKTZlbNLllqbqSE";

/// How many keys of a published set are looked at.
const MOST_KEYS: usize = 100;

/// What a key is made of.
enum Material {
    Secret(Vec<u8>),
    /// What it is, the key, and what it is made of.
    Public(Shape, DecodingKey, Box<[u8]>),
}

pub(super) fn keys(content: &[u8], allowed: Allowed<'_>) -> Result<Vec<Key>, BuildError> {
    let set = Jwks::parse(content)?;
    unmixed(&set)?;
    let mut keys = Vec::new();
    for (at, value) in set.keys.into_iter().enumerate() {
        let name = name(&value, at + 1);
        let key = Jwk::read(value).and_then(|jwk| jwk.key(allowed)).map_err(|mut error| {
            error.message = format!("key {name} {}", error.message);
            error
        })?;
        match key {
            Some(key) => keys.push(key),
            None => tracing::warn!(key = name, "key passed over: it does not sign with a configured algorithm"),
        }
    }
    Ok(keys)
}

/// The public keys of a set that an issuer publishes. Whatever cannot be one is passed over.
pub(super) fn published(content: &[u8], allowed: &[Algorithm]) -> Result<Vec<Key>, BuildError> {
    let (mut keys, allowed) = (Vec::new(), Allowed { algorithms: allowed, short_secrets: false });
    for (at, value) in Jwks::parse(content)?.keys.into_iter().take(MOST_KEYS).enumerate() {
        let name = name(&value, at + 1);
        // What an HMAC secret signs, everybody could sign who can read this set.
        let public = Jwk::read(value).and_then(|jwk| if jwk.kty == "oct" { Err(secret()) } else { jwk.key(allowed) });
        match public {
            Ok(key) => keys.extend(key),
            Err(error) => tracing::warn!(key = name, reason = error.message, "published key passed over"),
        }
    }
    Ok(keys)
}

fn secret() -> BuildError {
    BuildError::new("", "is a secret (`kty: oct`), and whoever reads a published secret can make tokens with it")
}

/// Refuses secrets among public keys. A set of public keys is handed around, and what is found there could make tokens.
fn unmixed(set: &Jwks) -> Result<(), BuildError> {
    let kind = |value: &Value, kinds: &[&str]| {
        value.get("kty").and_then(Value::as_str).is_some_and(|kty| kinds.contains(&kty))
    };
    let secret = set.keys.iter().zip(1..).find(|(value, _)| kind(value, &["oct"]));
    let public = set.keys.iter().any(|value| kind(value, &["RSA", "EC", "OKP"]));
    let (Some((secret, at)), true) = (secret, public) else { return Ok(()) };
    let message = format!("key {} is a secret (`kty: oct`) in a set that has public keys, too", name(secret, at));
    Err(BuildError::new("", message).with_help(
        "keep one kind in this file: public keys are handed around, and whoever reads a secret among them can make \
         tokens with it; if others could read the file, replace the secret",
    ))
}

/// What a key is called in messages: by its name, or else by its place in the set.
fn name(value: &Value, at: usize) -> String {
    value.get("kid").and_then(Value::as_str).map_or(at.to_string(), |kid| format!("`{kid}`"))
}

impl Jwks {
    pub(in crate::handlers::auth) fn parse(content: &[u8]) -> Result<Self, BuildError> {
        serde_json::from_slice(content).map_err(|error| {
            BuildError::new("", format!("this is no JWK Set: {error}")).with_help("write `{ \"keys\": [ … ] }`")
        })
    }
}

impl Jwk {
    /// Reads a key out of a set.
    pub(in crate::handlers::auth) fn read(value: Value) -> Result<Self, BuildError> {
        serde_json::from_value(value)
            .map_err(|error| BuildError::new("", format!("is no JWK: {error}")).with_help(WHOLE))
    }

    /// The secret, if this is one, with the algorithm it is for.
    pub(in crate::handlers::auth) fn secret(&self) -> Result<Option<(Algorithm, Vec<u8>)>, BuildError> {
        const ALL: [Algorithm; 3] = [Algorithm::HS256, Algorithm::HS384, Algorithm::HS512];
        let allowed = if self.alg.is_some() { &ALL[..] } else { &ALL[..1] };
        match self.material()? {
            Some(Material::Secret(secret)) => {
                Ok(bind(Shape::Secret, self.alg.as_deref(), allowed)?.map(|algorithm| (algorithm, secret)))
            }
            _ => Ok(None),
        }
    }

    /// The key, if it is of a known kind and one of the algorithms is for it.
    fn key(self, allowed: Allowed<'_>) -> Result<Option<Key>, BuildError> {
        if !self.verifies() {
            return Ok(None);
        }
        let Some(material) = self.material()? else { return Ok(None) };
        let shape = match &material {
            Material::Secret(_) => Shape::Secret,
            Material::Public(shape, ..) => *shape,
        };
        let Some(algorithm) = bind(shape, self.alg.as_deref(), allowed.algorithms)? else { return Ok(None) };
        let mut short = false;
        let (decoding, print) = match material {
            Material::Secret(secret) => {
                let (has, needs) = (secret.len(), algorithm.shortest_secret());
                short = has < needs;
                if short && !allowed.short_secrets {
                    return Err(too_short(has, algorithm));
                }
                (DecodingKey::from_secret(&secret), Box::default())
            }
            Material::Public(_, decoding, print) => (decoding, print),
        };
        let named = self.kid.as_deref().is_some_and(|kid| kid.starts_with("development"));
        let development = self.development || named || self.k.as_deref() == Some(PUBLISHED);
        Ok(Some(Key { id: self.kid, algorithm, decoding, print, standing: Standing::new(), development, short }))
    }

    /// Whether it is meant for signatures (RFC 7517 §4.2, §4.3).
    fn verifies(&self) -> bool {
        let allowed = |operations: &Vec<String>| operations.iter().any(|operation| operation == "verify");
        self.usage.as_deref().is_none_or(|usage| usage == "sig") && self.key_ops.as_ref().is_none_or(allowed)
    }

    fn material(&self) -> Result<Option<Material>, BuildError> {
        if self.d.is_some() {
            return Err(BuildError::new("", "contains its private part, which a service has no use for")
                .with_help("remove `d` and all that belongs to it; if others could read the file, replace the key"));
        }
        match (self.kty.as_str(), self.crv.as_deref()) {
            ("oct", _) => Ok(Some(Material::Secret(bytes("k", self.k.as_deref())?))),
            ("RSA", _) => self.rsa().map(Some),
            ("EC", Some("P-256")) => self.point(Shape::P256, 32).map(Some),
            ("EC", Some("P-384")) => self.point(Shape::P384, 48).map(Some),
            ("OKP", Some("Ed25519")) => {
                let x = sized("x", self.x.as_deref(), 32)?;
                Ok(Some(Material::Public(Shape::Ed25519, DecodingKey::from_ed_der(&x), x.into())))
            }
            _ => Ok(None),
        }
    }

    fn rsa(&self) -> Result<Material, BuildError> {
        let (modulus, exponent) = (bytes("n", self.n.as_deref())?, bytes("e", self.e.as_deref())?);
        check_modulus(&modulus)?;
        let decoding = DecodingKey::from_rsa_raw_components(&modulus, &exponent);
        Ok(Material::Public(Shape::Rsa, decoding, [modulus, exponent].concat().into()))
    }

    fn point(&self, shape: Shape, length: usize) -> Result<Material, BuildError> {
        let (x, y) = (sized("x", self.x.as_deref(), length)?, sized("y", self.y.as_deref(), length)?);
        // An uncompressed point (SEC 1 §2.3.3).
        let point = [&[0x04][..], &x, &y].concat();
        Ok(Material::Public(shape, DecodingKey::from_ec_der(&point), point.into()))
    }
}

fn too_short(has: usize, algorithm: Algorithm) -> BuildError {
    let needs = algorithm.shortest_secret();
    BuildError::new("", format!("has {has} bytes; {algorithm} needs at least {needs} (RFC 7518 §3.2)")).with_help(format!(
        "make one with `openssl rand {needs} | basenc --base64url -w0`, without the padding; or say in `short-secrets` \
         why it is short"
    ))
}

const WHOLE: &str = "copy the whole key, as its issuer publishes it (RFC 7517 §4)";

/// The bytes of a member, base64url without padding (RFC 7515 §2).
fn bytes(name: &str, text: Option<&str>) -> Result<Vec<u8>, BuildError> {
    let text = text.filter(|text| !text.is_empty());
    let text = text.ok_or_else(|| BuildError::new("", format!("has no `{name}`")).with_help(WHOLE))?;
    let broken = |error| {
        BuildError::new("", format!("has a `{name}` that is not base64url without padding: {error}"))
            .with_help("write it with `-` and `_` instead of `+` and `/`, and without the `=` at its end (RFC 7515 §2)")
    };
    URL_SAFE_NO_PAD.decode(text).map_err(broken)
}

fn sized(name: &str, text: Option<&str>, length: usize) -> Result<Vec<u8>, BuildError> {
    let bytes = bytes(name, text)?;
    match bytes.len() {
        is if is == length => Ok(bytes),
        is => Err(BuildError::new("", format!("has a `{name}` of {is} bytes instead of {length}")).with_help(WHOLE)),
    }
}
