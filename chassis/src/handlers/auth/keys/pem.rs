//! Reads public keys in PEM (RFC 7468 §13).

use jsonwebtoken::DecodingKey;
use jsonwebtoken::crypto::aws_lc;

use super::{Algorithm, Key, Shape, Standing, bind, check_modulus};
use crate::conf::BuildError;

pub(super) fn keys(content: &[u8], allowed: &[Algorithm]) -> Result<Vec<Key>, BuildError> {
    let mut keys = Vec::new();
    for (at, block) in blocks(content)?.iter().enumerate() {
        let named = |mut error: BuildError| {
            error.message = format!("key {} {}", at + 1, error.message);
            error
        };
        let (shape, decoding) = block.public_key().map_err(named)?;
        match bind(shape, None, allowed).map_err(named)? {
            Some(algorithm) => {
                let (print, standing) = (block.text.as_bytes().into(), Standing::new());
                keys.push(Key { id: None, algorithm, decoding, print, standing, development: false, short: false });
            }
            None => tracing::warn!(key = at + 1, "key passed over: it does not sign with a configured algorithm"),
        }
    }
    Ok(keys)
}

/// One `-----BEGIN …-----` with its `-----END …-----`.
pub(in crate::handlers::auth) struct Block<'a> {
    /// What it says it is, such as `PUBLIC KEY`.
    pub(in crate::handlers::auth) label: &'a str,
    /// All of it, armour included.
    pub(in crate::handlers::auth) text: &'a str,
}

/// The blocks of a file; what stands between them is explanation.
pub(in crate::handlers::auth) fn blocks(content: &[u8]) -> Result<Vec<Block<'_>>, BuildError> {
    const BEGIN: &str = "-----BEGIN ";
    let neither = || {
        BuildError::new("", "this is neither a JWK Set nor PEM")
            .with_help("a JWK Set starts with `{`, a public key in PEM with `-----BEGIN PUBLIC KEY-----`")
    };
    let mut rest = std::str::from_utf8(content).map_err(|_| neither())?;
    let mut blocks = Vec::new();
    while let Some(start) = rest.find(BEGIN) {
        let text = &rest[start..];
        let (label, _) = text[BEGIN.len()..].split_once("-----").ok_or_else(neither)?;
        let end = format!("-----END {label}-----");
        let length = text.find(&end).ok_or_else(|| cut(&end))? + end.len();
        blocks.push(Block { label, text: &text[..length] });
        rest = &text[length..];
    }
    if blocks.is_empty() { Err(neither()) } else { Ok(blocks) }
}

fn broken_rsa() -> BuildError {
    BuildError::new("", "is no RSA public key").with_help("write it anew with `openssl pkey -pubout -in FILE`")
}

fn cut(end: &str) -> BuildError {
    BuildError::new("", format!("`{end}` is missing")).with_help("the file was cut off: copy it again, whole")
}

impl Block<'_> {
    fn public_key(&self) -> Result<(Shape, DecodingKey), BuildError> {
        match self.label {
            "PUBLIC KEY" => self.subject_public_key(),
            "RSA PUBLIC KEY" => self.rsa().ok_or_else(broken_rsa)?,
            "CERTIFICATE" => Err(BuildError::new("", "is a certificate")
                .with_help("take the key out with `openssl x509 -pubkey -noout -in FILE`")),
            label if label.ends_with("PRIVATE KEY") => {
                Err(BuildError::new("", "is a private key, which a service has no use for")
                    .with_help("put the public key there: `openssl pkey -pubout -in FILE`"))
            }
            label => Err(BuildError::new("", format!("is a `{label}`, not a `PUBLIC KEY`"))
                .with_help("put public keys there alone: `openssl pkey -pubout -in FILE`")),
        }
    }

    fn subject_public_key(&self) -> Result<(Shape, DecodingKey), BuildError> {
        if let Some(rsa) = self.rsa() {
            return rsa;
        }
        let text = self.text.as_bytes();
        let point = DecodingKey::from_ec_pem(text).ok().and_then(|key| Some((curve(&key)?, key)));
        let edwards = || DecodingKey::from_ed_pem(text).ok().filter(|key| length(key) == 32);
        point
            .or_else(|| edwards().map(|key| (Shape::Ed25519, key)))
            .ok_or_else(|| BuildError::new("", "is neither RSA nor on the curves P-256, P-384 or Ed25519"))
    }

    fn rsa(&self) -> Option<Result<(Shape, DecodingKey), BuildError>> {
        let key = DecodingKey::from_rsa_pem(self.text.as_bytes()).ok()?;
        let components = aws_lc::DEFAULT_PROVIDER.key_utils.rsa_pub_components_from_public_key;
        let (modulus, _) = components(key.try_get_as_bytes().ok()?).ok()?;
        Some(check_modulus(&modulus).map(|()| (Shape::Rsa, key)))
    }
}

fn length(key: &DecodingKey) -> usize {
    key.try_get_as_bytes().map_or(0, <[u8]>::len)
}

/// The curve of an uncompressed point, by its length.
fn curve(key: &DecodingKey) -> Option<Shape> {
    match length(key) {
        65 => Some(Shape::P256),
        97 => Some(Shape::P384),
        _ => None,
    }
}
