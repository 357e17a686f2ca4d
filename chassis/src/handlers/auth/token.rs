//! Makes tokens for development: what an identity provider does in production.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::EncodingKey;
use jsonwebtoken::crypto::aws_lc;
use serde_json::{Value, json};

use super::algorithm::Algorithm;
use super::keys::{Jwk, Jwks, blocks};
use crate::conf::BuildError;

/// What a token says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claims {
    /// Who issues it: `iss`.
    pub issuer: String,
    /// Whom it is meant for: `aud`.
    pub audience: String,
    /// Whom it is given to: `sub`.
    pub subject: String,
    /// What it grants: `scope`.
    pub scopes: Vec<String>,
    /// What its subject is: `roles`.
    pub roles: Vec<String>,
    /// How long it is good for.
    pub lifetime: Duration,
}

/// Makes a token that is good from `now`, in seconds since the Unix epoch.
///
/// `keys` is the content of a file: a JWK Set, whose first secret signs, or a private key in PEM (PKCS #8).
///
/// # Errors
/// There is no key in it that can sign.
pub fn mint(keys: &[u8], claims: &Claims, now: u64) -> Result<String, BuildError> {
    let signer = Signer::parse(keys)?;
    let mut header = json!({ "alg": signer.algorithm, "typ": "JWT" });
    if let Some(id) = &signer.id {
        header["kid"] = id.as_str().into();
    }
    let mut payload = json!({
        "iss": claims.issuer,
        "aud": claims.audience,
        "sub": claims.subject,
        "iat": now,
        "exp": now.saturating_add(claims.lifetime.as_secs()),
    });
    if !claims.scopes.is_empty() {
        payload["scope"] = claims.scopes.join(" ").into();
    }
    if !claims.roles.is_empty() {
        payload["roles"] = claims.roles.as_slice().into();
    }
    signer.sign(&header, &payload)
}

/// A key that can sign.
pub(super) struct Signer {
    pub(super) id: Option<String>,
    pub(super) algorithm: Algorithm,
    pub(super) key: EncodingKey,
}

impl Signer {
    fn parse(content: &[u8]) -> Result<Self, BuildError> {
        let signer = match content.trim_ascii_start() {
            [b'{', ..] => Self::from_set(content)?,
            _ => Self::from_pem(content)?,
        };
        signer.ok_or_else(|| {
            BuildError::new("", "no key in this file can sign").with_help(
                "signing takes a secret (`kty: oct`) or a private key in PEM; with public keys alone, \
                 ask the identity provider for a token",
            )
        })
    }

    fn from_set(content: &[u8]) -> Result<Option<Self>, BuildError> {
        for value in Jwks::parse(content)?.keys {
            let jwk = Jwk::read(value)?;
            if let Some((algorithm, secret)) = jwk.secret()? {
                return Ok(Some(Self { id: jwk.kid, algorithm, key: EncodingKey::from_secret(&secret) }));
            }
        }
        Ok(None)
    }

    fn from_pem(content: &[u8]) -> Result<Option<Self>, BuildError> {
        let private = blocks(content)?.into_iter().find(|block| block.label.ends_with("PRIVATE KEY"));
        let Some(block) = private else { return Ok(None) };
        let text = block.text.as_bytes();
        let rsa = EncodingKey::from_rsa_pem(text).map(|key| (Algorithm::RS256, key));
        let ec = || EncodingKey::from_ec_pem(text).map(|key| (Algorithm::ES256, key));
        let ed = || EncodingKey::from_ed_pem(text).map(|key| (Algorithm::EdDSA, key));
        let found = rsa.or_else(|_| ec()).or_else(|_| ed()).ok();
        Ok(found.map(|(algorithm, key)| Self { id: None, algorithm, key }))
    }

    /// A compact JWS (RFC 7515 §7.1) of this header and these claims.
    pub(super) fn sign(&self, header: &Value, payload: &Value) -> Result<String, BuildError> {
        let encoded = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let message = format!("{}.{}", encoded(header), encoded(payload));
        let unusable = |error: &dyn std::fmt::Display| BuildError::new("", format!("the key cannot sign: {error}"));
        let signer = (aws_lc::DEFAULT_PROVIDER.signer_factory)(&self.algorithm.into(), &self.key);
        let signer = signer.map_err(|error| unusable(&error))?;
        let signature = signer.try_sign(message.as_bytes()).map_err(|error| unusable(&error))?;
        Ok(format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }
}
