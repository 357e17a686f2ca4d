//! Asks an issuer over HTTP: for its keys, and before that for where they are.

use std::time::Duration;

use bytes::Bytes;
use http::uri::Scheme;
use http::{HeaderMap, Response, StatusCode, Uri, header};
use serde::Deserialize;

use super::{Published, Source};
use crate::conf::BuildError;
use crate::handlers::auth::conf::{Jwt, Keys};
use crate::outgoing::{Bounds, Encryption, Outgoing, address};
use crate::schema::BoxFuture;

/// How large a set of keys and a discovery document may be.
const MOST_BYTES: usize = 256 << 10;

/// An issuer that is asked over HTTP.
pub(in crate::handlers::auth) struct Web {
    outgoing: Outgoing,
    place: Place,
    bounds: Bounds,
    encryption: Encryption,
}

enum Place {
    Keys(Uri),
    /// The document that says where they are, and the issuer it must be of.
    Document(Uri, String),
}

/// What of a discovery document matters (OpenID Connect Discovery 1.0 §3).
#[derive(Deserialize)]
struct Document {
    issuer: String,
    jwks_uri: String,
}

impl Web {
    pub(in crate::handlers::auth) fn build(conf: &Jwt) -> Result<Self, BuildError> {
        let Keys { url, discovery, insecure, timeout, .. } = &conf.keys;
        let encryption = if *insecure { Encryption::Optional } else { Encryption::Required };
        let at = |key: &'static str| move |error: BuildError| error.below(key);
        let (key, place) = match (url, discovery) {
            (Some(url), _) => ("url", Place::Keys(address(url, encryption).map_err(at("keys.url"))?)),
            (None, Some(issuer)) => {
                let document = format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/'));
                let document = address(&document, encryption).map_err(at("keys.discovery"))?;
                ("discovery", Place::Document(document, conf.issuer.clone()))
            }
            (None, None) => return Err(BuildError::new("keys", "nothing says where the keys are").with_help(WHERE)),
        };
        let outgoing = match Outgoing::build() {
            // Who is asked without encryption needs no certificates, unless that leads to somebody else.
            Err(_) if place.address().scheme() == Some(&Scheme::HTTP) => Outgoing::plain(),
            outgoing => outgoing,
        };
        let outgoing = outgoing.map_err(|error| error.below(key).below("keys"))?;
        Ok(Self { outgoing, place, bounds: Bounds { time: timeout.duration(), body: MOST_BYTES }, encryption })
    }

    async fn published(&self) -> Result<Published, String> {
        let response = match &self.place {
            Place::Keys(address) => self.get(address).await?,
            Place::Document(address, issuer) => {
                let keys = self.led_to(address, issuer).await?;
                self.get(&keys).await?
            }
        };
        Ok(Published { max_age: max_age(response.headers()), content: response.into_body().into() })
    }

    /// Where the discovery document says that the keys are.
    async fn led_to(&self, document: &Uri, issuer: &str) -> Result<Uri, String> {
        let response = self.get(document).await?;
        let said: Document = serde_json::from_slice(response.body())
            .map_err(|error| format!("{document} is no discovery document: {error}"))?;
        if said.issuer != issuer {
            // The document of another issuer would lead to keys that others hold (OpenID Connect Discovery 1.0 §4.3).
            return Err(format!("{document} is of the issuer `{}`, not of `{issuer}`", said.issuer));
        }
        let keys =
            address(&said.jwks_uri, self.encryption).map_err(|error| format!("`jwks_uri`: {}", error.message))?;
        if document.scheme() == Some(&Scheme::HTTPS) && keys.scheme() != Some(&Scheme::HTTPS) {
            return Err(format!("{document} is encrypted and leads to {keys}, which is not"));
        }
        Ok(keys)
    }

    async fn get(&self, address: &Uri) -> Result<Response<Bytes>, String> {
        let response = self.outgoing.get(address, self.bounds).await;
        let response = response.map_err(|error| format!("{address}: {error}"))?;
        match response.status() {
            StatusCode::OK => Ok(response),
            status if status.is_redirection() => {
                Err(format!("{address} answered {status}, and no redirect is followed: configure where it leads"))
            }
            status => Err(format!("{address} answered {status}")),
        }
    }
}

/// What a configuration must say about keys.
pub(in crate::handlers::auth) const WHERE: &str = "write one of `file`, `url` and `discovery`";

impl Place {
    fn address(&self) -> &Uri {
        match self {
            Self::Keys(address) | Self::Document(address, _) => address,
        }
    }
}

impl Source for Web {
    fn fetch(&self) -> BoxFuture<'_, Result<Published, String>> {
        Box::pin(self.published())
    }
}

/// How long a reply may be kept (RFC 9111 §5.2.2.1).
fn max_age(headers: &HeaderMap) -> Option<Duration> {
    let fields = headers.get_all(header::CACHE_CONTROL).iter().filter_map(|value| value.to_str().ok());
    let mut directives = fields.flat_map(|value| value.split(',')).map(str::trim);
    directives.find_map(|directive| {
        let (name, value) = directive.split_once('=')?;
        let seconds = value.trim_matches('"').parse().ok().filter(|_| name.eq_ignore_ascii_case("max-age"));
        seconds.map(Duration::from_secs)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_age_is_read_as_it_is_written() {
        let read = |value: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::CACHE_CONTROL, value.parse().unwrap());
            max_age(&headers).map(|age| age.as_secs())
        };
        assert_eq!(read("public, max-age=600, must-revalidate"), Some(600));
        assert_eq!(read("Max-Age=\"7\""), Some(7));
        for none in ["no-cache", "s-maxage=5", "max-age=-1", "max-age=x", "max-age"] {
            assert_eq!(read(none), None, "{none}");
        }
    }
}
