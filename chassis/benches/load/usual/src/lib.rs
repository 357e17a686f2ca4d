//! The keys and claims of the comparison's tokens.

use std::error::Error;
use std::fs;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Who issues the tokens.
pub const ISSUER: &str = "https://greeter.example";

/// Whom they are meant for.
pub const AUDIENCE: &str = "greeter";

/// What can go wrong, in words.
pub type Failure = Box<dyn Error + Send + Sync>;

/// What a token says.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Claims {
    pub iss: String,
    pub aud: String,
    pub sub: String,
    pub scope: String,
    pub iat: u64,
    pub exp: u64,
}

/// An algorithm and a key file: a JWK Set for a secret, PEM for a pair.
pub struct Key {
    pub algorithm: Algorithm,
    content: Vec<u8>,
}

impl Key {
    pub fn read(algorithm: &str, file: &str) -> Result<Self, Failure> {
        Ok(Self { algorithm: algorithm.parse()?, content: fs::read(file)? })
    }

    pub fn signing(&self) -> Result<EncodingKey, Failure> {
        match self.algorithm {
            Algorithm::HS256 => Ok(EncodingKey::from_secret(&self.secret()?)),
            _ => Ok(EncodingKey::from_ec_pem(&self.content)?),
        }
    }

    pub fn verifying(&self) -> Result<DecodingKey, Failure> {
        match self.algorithm {
            Algorithm::HS256 => Ok(DecodingKey::from_secret(&self.secret()?)),
            _ => Ok(DecodingKey::from_ec_pem(&self.content)?),
        }
    }

    fn secret(&self) -> Result<Vec<u8>, Failure> {
        let keys: Value = serde_json::from_slice(&self.content)?;
        let secret = keys["keys"][0]["k"].as_str().ok_or("the first key is no secret")?;
        Ok(URL_SAFE_NO_PAD.decode(secret)?)
    }
}
