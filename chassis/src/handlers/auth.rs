//! Proves who the caller is by its bearer token, and enforces what each operation says about access.

#![expect(unsafe_code, reason = "the entry of a handler stands in a section of the linker")]

use std::time::Duration;

use http::HeaderMap;

use crate::clock::{Clock, Instant};
use crate::conf::{BuildContext, BuildError, Configure};
use crate::fault::Fault;
use crate::handler;
use crate::handler::{Handler, Verdict};
use crate::invocation::Invocation;
use crate::operation::{Access, Operation};
use crate::principal::Principal;

mod algorithm;
mod bearer;
mod cache;
mod challenge;
mod conf;
mod keys;
mod refusal;
#[cfg(test)]
mod tests;
mod token;
mod verifier;

pub use algorithm::Algorithm;
pub use bearer::bearer;
pub use conf::{Audience, BadToken, Cache, ClaimNames, Conf, Jwt, Keys};
pub use refusal::Refusal;
pub use token::{Claims, mint};
pub use verifier::{Verified, Verifier};

use challenge::Challenge;

/// Proves who the caller is and lets it pass if the operation's access declaration allows it.
///
/// A caller without a valid token gets 401, one that was not granted enough 403; both with a challenge that says
/// what is missing (RFC 6750 §3). Calls that matched no operation pass: they end as 404 or 405. Calls to public
/// operations pass too, and a valid token still names the caller.
#[handler("auth", provides("principal", "access"))]
pub struct Auth {
    clock: Clock,
    tokens: Option<Tokens>,
    challenge: Challenge,
    public_with_bad_token: BadToken,
}

/// What is known about tokens. A reload makes a new one: what was remembered goes with the keys that proved it.
struct Tokens {
    verifier: Verifier,
    cache: cache::Cache,
}

impl Configure for Auth {
    type Conf = Conf;

    fn build(conf: Conf, context: &BuildContext<'_>) -> Result<Self, BuildError> {
        let realm = conf.realm.as_deref().or_else(|| conf.jwt.as_ref()?.audience.names().first().map(String::as_str));
        let challenge = Challenge::build(realm.unwrap_or("chassis"))?;
        let tokens = conf.jwt.as_ref().map(|jwt| Tokens::build(jwt, context).map_err(|error| error.below("jwt")));
        let tokens = tokens.transpose()?;
        let public_with_bad_token = conf.public_with_bad_token;
        Ok(Self { clock: context.clock, tokens, challenge, public_with_bad_token })
    }

    /// Without a way to prove anything, only what is public can be called.
    fn suits(conf: &Conf, operations: &[&Operation]) -> Result<(), BuildError> {
        let closed = operations.iter().find(|operation| conf.jwt.is_none() && operation.access != Access::Public);
        let Some(Operation { id, access, .. }) = closed else { return Ok(()) };
        let message = format!("nobody could call `{id}`, whose access is {access}");
        Err(BuildError::new("jwt", message).with_help("configure `jwt` with `issuer`, `audience` and `keys`"))
    }
}

impl Tokens {
    fn build(conf: &Jwt, context: &BuildContext<'_>) -> Result<Self, BuildError> {
        let content = context.files.read(&conf.keys.file).map_err(|error| error.below("keys.file"))?;
        let verifier = Verifier::build(conf, &content)?;
        for key in verifier.development_keys() {
            let message = format!("key `{key}` is for development: anyone can make tokens with it");
            let help = "before anything real depends on it, name a file with the public keys of your issuer";
            context.warnings.warn_at(BuildError::new("jwt.keys.file", message).with_help(help));
        }
        Ok(Self { verifier, cache: cache::Cache::new(&conf.cache) })
    }

    /// Whom the token names. `arrived` decides about what is remembered, the wall clock about what is not.
    fn principal(&self, sent: &[u8], arrived: Instant, clock: Clock) -> Result<Principal, Refusal> {
        // What is remembered is a token: to look at its characters again would cost more than to find it.
        if let Some(principal) = self.cache.find(sent, arrived) {
            return Ok(principal);
        }
        let token = bearer::token(sent)?;
        let now = clock.unix_seconds();
        let Verified { principal, until } = self.verifier.verify(token, now)?;
        self.cache.keep(token, &principal, arrived, Duration::from_secs(until.saturating_sub(now)));
        Ok(principal)
    }
}

impl Auth {
    /// Who the caller is; `None` where it says nothing about itself.
    fn identify(&self, headers: &HeaderMap, arrived: Instant) -> Result<Option<Principal>, Refusal> {
        let Some(tokens) = &self.tokens else { return Ok(None) };
        let sent = bearer::credentials(headers)?;
        sent.map(|sent| tokens.principal(sent, arrived, self.clock)).transpose()
    }

    /// What the operation says about this caller.
    fn judge(&self, access: &Access, caller: Result<Option<&Principal>, Refusal>) -> Result<(), Fault> {
        let refuse = self.public_with_bad_token == BadToken::Refuse;
        match (access, caller) {
            (Access::Public, Err(refusal)) if refuse => Err(self.challenge.refused(refusal)),
            (Access::Public, _) => Ok(()),
            (_, Err(refusal)) => Err(self.challenge.refused(refusal)),
            (_, Ok(None)) => Err(self.challenge.missing()),
            (access, Ok(Some(caller))) if allows(access, caller) => Ok(()),
            (access, Ok(Some(_))) => Err(self.challenge.insufficient(access)),
        }
    }
}

/// Whether a known caller may call: it has all of the scopes, or one of the roles.
fn allows(access: &Access, caller: &Principal) -> bool {
    match access {
        Access::Public | Access::Auth => true,
        Access::Scopes(scopes) => scopes.iter().all(|scope| caller.has_scope(scope)),
        Access::Roles(roles) => roles.iter().any(|role| caller.has_role(role)),
    }
}

impl Handler for Auth {
    fn before(&self, invocation: &mut Invocation) -> Verdict {
        let Some(operation) = invocation.operation() else { return Verdict::Continue };
        let identified = self.identify(invocation.headers(), invocation.call.arrived);
        // A handler before this one may know the caller by other means; a token says more.
        let known = match &identified {
            Ok(principal) => Ok(principal.as_ref().or(invocation.call.principal.as_ref())),
            Err(refusal) => Err(*refusal),
        };
        if let Err(fault) = self.judge(&operation.access, known) {
            return Verdict::Refuse(fault);
        }
        if let Ok(Some(principal)) = identified {
            invocation.call.principal = Some(principal);
        }
        Verdict::Continue
    }
}
