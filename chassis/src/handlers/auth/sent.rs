//! Finds the proof that a call brings: in the `Authorization` field, or where API keys are sent.

use std::borrow::Cow;

use http::uri::PathAndQuery;
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

    /// The one proof of a call; `None` where it brings none. A key in the query is taken out of it, whatever comes of it.
    pub(super) fn sent<'a>(&self, headers: &'a HeaderMap, uri: &mut Uri) -> Result<Option<Sent<'a>>, Refusal> {
        match &self.key {
            None => self.authorized(headers),
            Some(place) => {
                let key = place.sent(headers, uri);
                only(self.authorized(headers)?, key?)
            }
        }
    }

    /// Takes keys out of the query of a call that needs no proof.
    #[cold]
    pub(super) fn hide(&self, uri: &mut Uri) {
        if let Some(KeyPlace { query: Some(name), .. }) = &self.key {
            taken_out(name, uri);
        }
    }

    fn authorized<'a>(&self, headers: &'a HeaderMap) -> Result<Option<Sent<'a>>, Refusal> {
        if !self.token && !self.password {
            return Ok(None);
        }
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
    fn sent<'a>(&self, headers: &'a HeaderMap, uri: &mut Uri) -> Result<Option<Sent<'a>>, Refusal> {
        let values = self.query.as_ref().map(|name| taken_out(name, uri)).unwrap_or_default();
        let mut values = values.into_iter().map(|value| Cow::Owned(value.into_bytes()));
        let mut fields = headers.get_all(&self.header).iter().map(|value| Cow::Borrowed(value.as_bytes()));
        let value = only(values.next(), values.next())?;
        let field = only(fields.next(), fields.next())?;
        Ok(only(field, value)?.map(Sent::Key))
    }
}

/// The values of this name in a query, which has none of them any more: the operation did not ask for them, and what
/// comes later writes queries into logs and sends them elsewhere. The rest of the query stays as it was sent.
fn taken_out(name: &str, uri: &mut Uri) -> Vec<String> {
    let (mut values, mut rest) = (Vec::new(), Vec::new());
    let query = uri.query().unwrap_or_default();
    // Nothing is asked of the allocator where there is none: most calls of those who may send one so send it otherwise.
    if !form_urlencoded::parse(query.as_bytes()).any(|(known, _)| known == name) {
        return values;
    }
    for pair in query.split('&') {
        match form_urlencoded::parse(pair.as_bytes()).next() {
            Some((known, value)) if known == name => values.push(value.into_owned()),
            _ => rest.push(pair),
        }
    }
    let separator = if rest.is_empty() { "" } else { "?" };
    let target = format!("{}{separator}{}", uri.path(), rest.join("&"));
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = PathAndQuery::try_from(target).ok();
    // Less of a target is one too.
    *uri = Uri::from_parts(parts).unwrap_or_default();
    values
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
