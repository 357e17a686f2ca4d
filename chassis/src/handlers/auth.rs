//! Proves who the caller is by its bearer token, and enforces what each operation says about access.

#![expect(unsafe_code, reason = "the entry of a handler stands in a section of the linker")]

use std::sync::Arc;

use crate::clock::Clock;
use crate::conf::{BuildContext, BuildError, Configure};
use crate::fault::Fault;
use crate::handler;
use crate::handler::{Handler, Verdict};
use crate::invocation::Invocation;
use crate::operation::{Access, Operation};
use crate::principal::Principal;
use crate::schema::BoxFuture;

mod algorithm;
mod bearer;
mod cache;
mod challenge;
mod conf;
mod keys;
mod metric;
mod refusal;
mod remote;
#[cfg(test)]
mod tests;
mod token;
mod tokens;
mod verifier;
mod weight;

pub use algorithm::Algorithm;
pub use bearer::bearer;
pub use conf::{AtStart, Audience, BadToken, Cache, ClaimNames, Conf, Jwt, Keys};
pub use refusal::Refusal;
pub use token::{Claims, mint};
pub use verifier::{Verified, Verifier};

use challenge::Challenge;
use tokens::Tokens;

/// Proves who the caller is and lets it pass if the operation's access declaration allows it.
///
/// A caller without a valid token gets 401, one that was not granted enough 403; both with a challenge that says
/// what is missing (RFC 6750 §3). Calls that matched no operation pass: they end as 404 or 405. Calls to public
/// operations pass too, and a valid token still names the caller.
#[handler("auth", provides("principal", "access"))]
pub struct Auth(Arc<Gate>);

/// What decides about calls; also of those that wait.
struct Gate {
    clock: Clock,
    tokens: Option<Tokens>,
    challenge: Challenge,
    public_with_bad_token: BadToken,
}

impl Configure for Auth {
    type Conf = Conf;

    fn build(conf: Conf, context: &BuildContext<'_>) -> Result<Self, BuildError> {
        let realm = conf.realm.as_deref().or_else(|| conf.jwt.as_ref()?.audience.names().first().map(String::as_str));
        let challenge = Challenge::build(realm.unwrap_or("chassis"))?;
        let tokens = conf.jwt.as_ref().map(|jwt| Tokens::build(jwt, context).map_err(|error| error.below("jwt")));
        let tokens = tokens.transpose()?;
        let public_with_bad_token = conf.public_with_bad_token;
        Ok(Self(Arc::new(Gate { clock: context.clock, tokens, challenge, public_with_bad_token })))
    }

    /// Without a way to prove anything, only what is public can be called.
    fn suits(conf: &Conf, operations: &[&Operation]) -> Result<(), BuildError> {
        let closed = operations.iter().find(|operation| conf.jwt.is_none() && operation.access != Access::Public);
        let Some(Operation { id, access, .. }) = closed else { return Ok(()) };
        let message = format!("nobody could call `{id}`, whose access is {access}");
        Err(BuildError::new("jwt", message).with_help("configure `jwt` with `issuer`, `audience` and `keys`"))
    }
}

impl Gate {
    /// Who the caller is; `None` where it says nothing about itself.
    fn identify(&self, invocation: &Invocation) -> Result<Option<Principal>, Refusal> {
        let Some(tokens) = &self.tokens else { return Ok(None) };
        let sent = bearer::credentials(invocation.headers())?;
        sent.map(|sent| tokens.principal(sent, invocation.call.arrived, self.clock)).transpose()
    }

    /// What to wait for before a caller whose key is not known is told so.
    #[cold]
    fn awaited(&self, invocation: &Invocation) -> Option<BoxFuture<'static, ()>> {
        self.tokens.as_ref()?.awaited(bearer::credentials(invocation.headers()).ok()??)
    }

    /// Lets the call pass, or not.
    fn decide(&self, invocation: &mut Invocation, identified: Result<Option<Principal>, Refusal>) -> Verdict {
        let Some(operation) = invocation.operation() else { return Verdict::Continue };
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
        if invocation.operation().is_none() {
            return Verdict::Continue;
        }
        let identified = self.0.identify(invocation);
        if identified == Err(Refusal::Key)
            && let Some(awaited) = self.0.awaited(invocation)
        {
            let gate = Arc::clone(&self.0);
            return Verdict::wait(awaited, move |invocation, ()| {
                let identified = gate.identify(invocation);
                gate.decide(invocation, identified)
            });
        }
        self.0.decide(invocation, identified)
    }
}
