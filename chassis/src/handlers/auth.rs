//! Proves who the caller is, and enforces what each operation says about access.

#![expect(unsafe_code, reason = "the entry of a handler stands in a section of the linker")]

use std::sync::Arc;

use crate::conf::{BuildContext, BuildError, Configure};
use crate::handler;
use crate::handler::{Handler, Verdict};
use crate::invocation::Invocation;
use crate::operation::{Access, Operation};

mod algorithm;
mod api_keys;
mod bearer;
mod cache;
mod challenge;
mod conf;
mod digest;
mod external;
mod gate;
mod keys;
mod metric;
mod mtls;
mod passwords;
mod refusal;
mod remote;
mod roster;
mod sent;
#[cfg(test)]
mod tests;
mod token;
mod tokens;
mod verifier;
mod weight;

pub use algorithm::Algorithm;
pub use bearer::bearer;
pub use conf::{
    ApiKeys, AtStart, Audience, BadToken, Basic, Cache, ClaimNames, Conf, External, Grant, Jwt, Keys, Mtls, OnFailure,
    SubjectKind,
};
pub use refusal::Refusal;
pub use token::{Claims, mint};
pub use verifier::{Verified, Verifier};

use gate::{Gate, Identified};

/// Proves who the caller is and lets it pass if the operation's access declaration allows it.
///
/// A caller without a valid proof gets 401, one that was not granted enough 403; both with challenges that say what is
/// missing (RFC 9110 §11.6.1, RFC 6750 §3). A caller with two proofs gets 400: which of them counts is not ours to
/// choose. Calls that matched no operation pass: they end as 404 or 405. Calls to public operations pass too, and a
/// valid proof still names the caller.
#[handler("auth", provides("principal", "access"))]
pub struct Auth(Arc<Gate>);

impl Configure for Auth {
    type Conf = Conf;

    fn build(conf: Conf, context: &BuildContext<'_>) -> Result<Self, BuildError> {
        Gate::build(&conf, context).map(Arc::new).map(Self)
    }

    /// Without a way to prove anything, only what is public can be called.
    fn suits(conf: &Conf, operations: &[&Operation]) -> Result<(), BuildError> {
        if conf.mtls.is_some() {
            certified(operations)?;
        }
        let by_call = conf.jwt.is_some() || conf.basic.is_some() || conf.api_keys.is_some();
        let proves = |operation: &Operation| by_call || conf.mtls.is_some() && asks(operation);
        let closed = operations.iter().find(|operation| operation.access != Access::Public && !proves(operation));
        let Some(Operation { id, access, listeners, .. }) = closed else { return Ok(()) };
        let message = format!("nobody could call `{id}`, whose access is {access}");
        if conf.mtls.is_some() {
            let message =
                format!("{message}: no listener that serves it ({}) asks for certificates", listeners.join(", "));
            return Err(BuildError::new("mtls", message).with_help(ASK));
        }
        Err(BuildError::new("jwt", message)
            .with_help("configure `jwt` with `issuer`, `audience` and `keys`, or another scheme"))
    }
}

const ASK: &str = "say `tls: { certificate: …, key: …, client-ca: … }` of the listener, below `protocols`; a field of a \
                   header that a proxy sends is no proof";

/// Whether a caller could show a certificate. Of an operation that no listener serves nothing is said here.
fn asks(operation: &Operation) -> bool {
    operation.asks_for_certificates || operation.listeners.is_empty()
}

/// A scheme that no caller could ever use is a mistake.
fn certified(operations: &[&Operation]) -> Result<(), BuildError> {
    if operations.is_empty() || operations.iter().any(|operation| asks(operation)) {
        return Ok(());
    }
    let message = "no listener that serves these operations asks for certificates";
    Err(BuildError::new("mtls", message).with_help(ASK))
}

impl Handler for Auth {
    fn before(&self, invocation: &mut Invocation) -> Verdict {
        if invocation.operation().is_none() {
            self.0.places.hide(&mut invocation.parts.uri);
            return Verdict::Continue;
        }
        match self.0.identify(invocation) {
            Identified::Now(who) => self.0.decide(invocation, who),
            Identified::Later(who, what) => {
                let gate = Arc::clone(&self.0);
                Verdict::wait(who, move |invocation, who| gate.decide(invocation, who)).because(what)
            }
        }
    }
}
