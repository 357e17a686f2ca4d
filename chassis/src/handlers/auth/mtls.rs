//! Knows callers by the certificates that their connections showed.
//!
//! The listener has verified them: who signed them, until when they are good, and that the other end holds the key. What
//! is decided here is what a caller is called, and what it may. Nothing of it is ever taken from a header field.

use serde_json::{Map, Value, json};

use super::conf::{self, SubjectKind};
use super::refusal::Refusal;
use crate::conf::BuildError;
use crate::invocation::Certificate;
use crate::principal::{Identity, Principal};

mod pattern;
mod spiffe;

use pattern::Pattern;

/// What certificates are held against.
pub(super) struct Mtls {
    kinds: Vec<SubjectKind>,
    domains: Vec<String>,
    grants: Vec<Grant>,
}

/// What some callers may.
struct Grant {
    to: Pattern,
    scopes: Vec<String>,
    roles: Vec<String>,
}

impl Mtls {
    pub(super) fn build(conf: &conf::Mtls) -> Result<Self, BuildError> {
        if conf.subject.is_empty() {
            let error = BuildError::new("subject", "without a kind of name nobody could be called anything");
            return Err(error.with_help("list some of `spiffe`, `dns` and `email`, or remove the key"));
        }
        domains(conf)?;
        let grants = conf.grants.iter().enumerate();
        let grants = grants.map(|(at, grant)| {
            Grant::build(grant, &conf.trust_domains).map_err(|error| error.below(&format!("grants[{at}]")))
        });
        let grants = grants.collect::<Result<_, _>>()?;
        Ok(Self { kinds: conf.subject.clone(), domains: conf.trust_domains.clone(), grants })
    }

    /// Whose certificate this is.
    pub(super) fn principal(&self, certificate: &Certificate, now: u64) -> Result<Principal, Refusal> {
        // It was good when the connection was made; connections may live longer.
        if certificate.expires <= now {
            return Err(Refusal::Outdated);
        }
        let subject = self.subject(certificate)?;
        let granted = || self.grants.iter().filter(|grant| grant.to.fits(&subject));
        let (mut scopes, mut roles) = (Vec::new(), Vec::new());
        granted().for_each(|grant| add(&mut scopes, &grant.scopes));
        granted().for_each(|grant| add(&mut roles, &grant.roles));
        Ok(Principal::new(Identity { subject, scheme: "mtls".to_owned(), scopes, roles, claims: claims(certificate) }))
    }

    /// The first name of the first kind that the certificate has. One that is wrong is not made up for by another.
    fn subject(&self, certificate: &Certificate) -> Result<String, Refusal> {
        let named = self.kinds.iter().find_map(|kind| match kind {
            SubjectKind::Spiffe => self.spiffe(&certificate.uris),
            SubjectKind::Dns => certificate.dns.first().map(|name| host(name)),
            SubjectKind::Email => certificate.emails.first().map(|name| mailbox(name)),
        });
        named.unwrap_or(Err(Refusal::Nameless))
    }

    /// A certificate with a SPIFFE ID has no other URI (X.509-SVID §2), or it would depend on us whose it is.
    fn spiffe(&self, uris: &[String]) -> Option<Result<String, Refusal>> {
        let id = uris.iter().find(|uri| spiffe::claims(uri))?;
        Some(match spiffe::domain(id).filter(|_| uris.len() == 1) {
            None => Err(Refusal::Spiffe),
            Some(domain) if self.domains.iter().any(|known| known == domain) => Ok(id.clone()),
            Some(_) => Err(Refusal::Domain),
        })
    }
}

impl Grant {
    fn build(conf: &conf::Grant, domains: &[String]) -> Result<Self, BuildError> {
        let to = Pattern::parse(&conf.to).map_err(|error| error.below("to"))?;
        if let Some(domain) = to.domain().filter(|domain| !domains.iter().any(|known| known == domain)) {
            let message = format!("no caller is of `{domain}`, which is not among the trust domains");
            let help = "add it to `trust-domains` if its callers are to be believed, or correct it";
            return Err(BuildError::new("to", message).with_help(help));
        }
        if conf.scopes.is_empty() && conf.roles.is_empty() {
            let error = BuildError::new("", "this grants nothing");
            return Err(error.with_help("say `scopes` or `roles`, or remove it"));
        }
        Ok(Self { to, scopes: conf.scopes.clone(), roles: conf.roles.clone() })
    }
}

/// Where SPIFFE IDs count it is said whose, because an authority may sign for more than one domain.
fn domains(conf: &conf::Mtls) -> Result<(), BuildError> {
    if let Some(domain) = conf.trust_domains.iter().find(|domain| !spiffe::is_domain(domain)) {
        let error = BuildError::new("trust-domains", format!("`{domain}` is no trust domain"));
        return Err(error.with_help("write the part behind `spiffe://` alone, in small letters: `shop.example`"));
    }
    let counts = conf.subject.contains(&SubjectKind::Spiffe);
    match (counts, conf.trust_domains.is_empty()) {
        (true, true) => Err(BuildError::new("trust-domains", "no SPIFFE ID would be believed")
            .with_help("list the trust domains of callers, or leave `spiffe` out: `subject: [dns]`")),
        (false, false) => Err(BuildError::new("trust-domains", "nobody is called by a SPIFFE ID here")
            .with_help("add `spiffe` to `subject`, or remove the key")),
        _ => Ok(()),
    }
}

/// A DNS name, whose case means nothing. One for many hosts names none of them, and what has other characters than hosts
/// have would be taken for another kind of name.
fn host(name: &str) -> Result<String, Refusal> {
    let sound = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
    if name.bytes().all(sound) { Ok(name.to_ascii_lowercase()) } else { Err(Refusal::Nameless) }
}

/// An e-mail address (RFC 5280 §4.2.1.6: `Local-part@Domain`). What has no such form would be taken for another kind of
/// name.
fn mailbox(name: &str) -> Result<String, Refusal> {
    let is_mailbox = name.split_once('@').is_some_and(|(user, domain)| {
        !user.is_empty() && !user.starts_with(spiffe::SCHEME) && host(domain).is_ok_and(|domain| !domain.is_empty())
    });
    if is_mailbox { Ok(name.to_owned()) } else { Err(Refusal::Nameless) }
}

fn add(all: &mut Vec<String>, more: &[String]) {
    for one in more {
        if !all.contains(one) {
            all.push(one.clone());
        }
    }
}

/// Everything that the certificate says, as claims of tokens are called where there are such.
fn claims(certificate: &Certificate) -> Map<String, Value> {
    let Certificate { uris, dns, emails, serial, expires } = certificate;
    let claims = [
        ("uri", json!(uris)),
        ("dns", json!(dns)),
        ("email", json!(emails)),
        ("serial", json!(serial)),
        ("exp", json!(expires)),
    ];
    claims.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}
