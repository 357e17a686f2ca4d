//! Finds the proof that a call brings: in the `Authorization` field, or where API keys are sent.

use std::borrow::Cow;

use http::{HeaderMap, HeaderName, Uri};

use super::bearer::authorization;
use super::conf::Conf;
use super::refusal::Refusal;
use crate::conf::BuildError;

/// What a call brings to prove who makes it, not yet looked at.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Sent<'a> {
    /// A bearer token.
    Token(&'a [u8]),
    /// A user and a password.
    Password(&'a [u8]),
    /// An API key.
    Key(Cow<'a, [u8]>),
}

/// Where proofs are looked for: only where a scheme is configured that knows what to do with them.
#[derive(Debug)]
pub(super) struct Places {
    token: bool,
    password: bool,
    key: Option<KeyPlace>,
}

#[derive(Debug)]
struct KeyPlace {
    header: HeaderName,
    query: Option<String>,
}

impl Places {
    pub(super) fn build(conf: &Conf) -> Result<Self, BuildError> {
        let key = conf.api_keys.as_ref().map(|keys| {
            let wrong = |_| {
                BuildError::new("api-keys.header", format!("`{}` is no name of a header field", keys.header))
                    .with_help("write a name of letters, digits and hyphens, such as `X-API-Key`")
            };
            let header = HeaderName::try_from(&keys.header).map_err(wrong)?;
            Ok(KeyPlace { header: taken(header)?, query: keys.query.clone() })
        });
        Ok(Self { token: conf.jwt.is_some(), password: conf.basic.is_some(), key: key.transpose()? })
    }

    /// The one proof of a call; `None` where it brings none.
    pub(super) fn sent<'a>(&self, headers: &'a HeaderMap, uri: &'a Uri) -> Result<Option<Sent<'a>>, Refusal> {
        let authorized = if self.token || self.password { self.authorized(headers)? } else { None };
        match &self.key {
            None => Ok(authorized),
            Some(place) => only(authorized, place.sent(headers, uri)?),
        }
    }

    fn authorized<'a>(&self, headers: &'a HeaderMap) -> Result<Option<Sent<'a>>, Refusal> {
        let Some((scheme, rest)) = authorization(headers)? else { return Ok(None) };
        if self.token && (scheme == b"Bearer" || scheme.eq_ignore_ascii_case(b"bearer")) {
            return Ok(Some(Sent::Token(rest)));
        }
        if self.password && scheme.eq_ignore_ascii_case(b"basic") {
            return Ok(Some(Sent::Password(rest)));
        }
        Ok(None)
    }
}

impl KeyPlace {
    fn sent<'a>(&self, headers: &'a HeaderMap, uri: &'a Uri) -> Result<Option<Sent<'a>>, Refusal> {
        let mut fields = headers.get_all(&self.header).iter().map(|value| Cow::Borrowed(value.as_bytes()));
        let (field, more) = (fields.next(), fields.next());
        let one = only(field, more)?;
        let Some(name) = &self.query else { return Ok(one.map(Sent::Key)) };
        let pairs = form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes());
        let mut values = pairs.filter(|(known, _)| known == name).map(|(_, value)| match value {
            Cow::Borrowed(text) => Cow::Borrowed(text.as_bytes()),
            Cow::Owned(text) => Cow::Owned(text.into_bytes()),
        });
        let (value, more) = (values.next(), values.next());
        Ok(only(one, only(value, more)?)?.map(Sent::Key))
    }
}

/// One proof or none. With two it would depend on us whom the caller is taken for.
fn only<T>(one: Option<T>, other: Option<T>) -> Result<Option<T>, Refusal> {
    match (one, other) {
        (Some(_), Some(_)) => Err(Refusal::Several),
        (one, other) => Ok(one.or(other)),
    }
}

/// A field that API keys may be sent in.
fn taken(header: HeaderName) -> Result<HeaderName, BuildError> {
    if header != http::header::AUTHORIZATION && header != http::header::COOKIE {
        return Ok(header);
    }
    Err(BuildError::new("api-keys.header", format!("`{header}` means something else already"))
        .with_help("choose a field of its own, such as `X-API-Key`"))
}
