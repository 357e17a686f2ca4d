//! Decides about a call: who makes it, and what the operation says about that.

use std::sync::Arc;

use futures_util::TryFutureExt;

use super::api_keys::ApiKeys;
use super::challenge::Challenge;
use super::conf::{BadToken, Conf};
use super::external::{Answer, External};
use super::metric::{self, Refused};
use super::mtls::Mtls;
use super::passwords::{Checked, Passwords};
use super::refusal::Refusal;
use super::sent::{Places, Sent};
use super::tokens::Tokens;
use crate::clock::Clock;
use crate::conf::{BuildContext, BuildError};
use crate::fault::Fault;
use crate::handler::Verdict;
use crate::invocation::Invocation;
use crate::operation::Access;
use crate::principal::Principal;
use crate::schema::BoxFuture;

/// What decides about calls; also about those that wait.
pub(super) struct Gate {
    pub(super) clock: Clock,
    pub(super) places: Places,
    pub(super) schemes: Schemes,
    /// Asked about those that passed.
    pub(super) external: Option<Arc<External>>,
    pub(super) challenge: Challenge,
    pub(super) refused: Refused,
    pub(super) public_with_bad_token: BadToken,
}

/// What proofs are held against; only what is configured is there.
#[derive(Default)]
pub(super) struct Schemes {
    pub(super) tokens: Option<Tokens>,
    pub(super) passwords: Option<Passwords>,
    pub(super) keys: Option<ApiKeys>,
    pub(super) certificates: Option<Mtls>,
}

/// Who a caller is: nobody where it brings no proof.
pub(super) type Who = Result<Option<Principal>, Refusal>;

/// What is known about a caller.
pub(super) enum Identified {
    Now(Who),
    /// And what is waited for.
    Later(BoxFuture<'static, Who>, &'static str),
}

impl Schemes {
    fn build(conf: &Conf, context: &BuildContext<'_>) -> Result<Self, BuildError> {
        let tokens = conf.jwt.as_ref().map(|jwt| Tokens::build(jwt, context).map_err(|error| error.below("jwt")));
        let passwords = conf.basic.as_ref().map(|basic| {
            let verified = metric::verified(&context.process.metrics, "basic");
            Passwords::build(basic, context, verified).map_err(|error| error.below("basic"))
        });
        let keys = conf.api_keys.as_ref().map(|keys| {
            let content = context.files.read(&keys.file);
            content.and_then(|content| ApiKeys::parse(&content)).map_err(|error| error.below("api-keys.file"))
        });
        let certificates = conf.mtls.as_ref().map(|mtls| Mtls::build(mtls).map_err(|error| error.below("mtls")));
        Ok(Self {
            tokens: tokens.transpose()?,
            passwords: passwords.transpose()?,
            keys: keys.transpose()?,
            certificates: certificates.transpose()?,
        })
    }
}

impl Gate {
    pub(super) fn build(conf: &Conf, context: &BuildContext<'_>) -> Result<Self, BuildError> {
        Self::with(conf, context, Schemes::build(conf, context)?)
    }

    pub(super) fn with(conf: &Conf, context: &BuildContext<'_>, schemes: Schemes) -> Result<Self, BuildError> {
        let external = conf.external.as_ref();
        let external =
            external.map(|external| External::build(external, context).map_err(|error| error.below("external")));
        Ok(Self {
            clock: context.clock,
            places: Places::build(conf)?,
            schemes,
            external: external.transpose()?.map(Arc::new),
            challenge: Challenge::build(conf)?,
            refused: Refused::of(&context.process.metrics),
            public_with_bad_token: conf.public_with_bad_token,
        })
    }

    /// Who the caller is.
    pub(super) fn identify(self: &Arc<Self>, invocation: &mut Invocation) -> Identified {
        match self.places.sent(&invocation.parts.headers, &mut invocation.parts.uri) {
            Ok(Some(Sent::Token(token))) => self.by_token(token, invocation),
            Ok(Some(Sent::Password(pair))) => self.by_password(pair, invocation),
            Ok(Some(Sent::Key(key))) => {
                Identified::Now(self.schemes.keys.as_ref().map(|keys| keys.find(&key)).transpose())
            }
            Ok(None) => Identified::Now(self.by_certificate(invocation)),
            Err(refusal) => Identified::Now(Err(refusal)),
        }
    }

    fn by_token(self: &Arc<Self>, token: &[u8], invocation: &Invocation) -> Identified {
        let Some(tokens) = &self.schemes.tokens else { return Identified::Now(Ok(None)) };
        match tokens.principal(token, invocation.call.arrived, self.clock) {
            Err(Refusal::Key) => self.by_unknown_key(tokens, token),
            known => Identified::Now(known.map(Some)),
        }
    }

    /// Callers cannot leave a certificate out of a call, so it counts where the call itself proves nothing.
    fn by_certificate(&self, invocation: &Invocation) -> Who {
        let Some(certificates) = &self.schemes.certificates else { return Ok(None) };
        let shown = invocation.call.certificate();
        shown.map(|shown| certificates.principal(shown, self.clock.unix_seconds())).transpose()
    }

    fn by_password(&self, pair: &[u8], invocation: &Invocation) -> Identified {
        let Some(passwords) = &self.schemes.passwords else { return Identified::Now(Ok(None)) };
        match passwords.check(pair, invocation.call.arrived) {
            Checked::Now(known) => Identified::Now(known.map(Some)),
            Checked::Later(known) => Identified::Later(Box::pin(known.map_ok(Some)), "the password is checked"),
        }
    }

    /// A token whose key is not known is looked at once more when the issuer was asked for it.
    #[cold]
    fn by_unknown_key(self: &Arc<Self>, tokens: &Tokens, token: &[u8]) -> Identified {
        let Some(awaited) = tokens.awaited(token) else { return Identified::Now(Err(Refusal::Key)) };
        let (gate, token) = (Arc::clone(self), token.to_vec());
        let who = Box::pin(async move {
            awaited.await;
            let look = |tokens: &Tokens| tokens.principal(&token, gate.clock.now(), gate.clock);
            gate.schemes.tokens.as_ref().map(look).transpose()
        });
        Identified::Later(who, "its issuer is asked for a key that is not known")
    }

    /// Lets the call pass, or not.
    pub(super) fn decide(self: &Arc<Self>, invocation: &mut Invocation, identified: Who) -> Verdict {
        let Some(operation) = invocation.operation() else { return Verdict::Continue };
        // A handler before this one may know the caller by other means; a proof says more.
        let known = match &identified {
            Ok(principal) => Ok(principal.as_ref().or(invocation.call.principal.as_ref())),
            Err(refusal) => Err(*refusal),
        };
        let judged = self.judge(&operation.access, known);
        let external = self.external.as_ref().filter(|_| operation.access != Access::Public);
        // Also where it is refused: whoever asks why must learn who that was.
        if let Ok(Some(principal)) = identified {
            invocation.call.principal = Some(principal);
        }
        if let Err(fault) = judged {
            return Verdict::Refuse(fault);
        }
        external.map_or(Verdict::Continue, |external| self.ask(external, invocation))
    }

    /// Has another service decide about a caller that may pass otherwise.
    #[cold]
    fn ask(self: &Arc<Self>, external: &Arc<External>, invocation: &Invocation) -> Verdict {
        let gate = Arc::clone(self);
        let decide = move |_: &mut Invocation, answer| match answer {
            Answer::Allowed => Verdict::Continue,
            refused => Verdict::Refuse(gate.challenge.by_external(refused)),
        };
        Verdict::wait(external.ask(invocation), decide).because("the service that decides about callers is asked")
    }

    /// What the operation says about this caller.
    fn judge(&self, access: &Access, caller: Result<Option<&Principal>, Refusal>) -> Result<(), Fault> {
        let refuse = self.public_with_bad_token == BadToken::Refuse;
        match (access, caller) {
            (Access::Public, Err(refusal)) if refuse => Err(self.refused(refusal)),
            (Access::Public, _) => Ok(()),
            (_, Err(refusal)) => Err(self.refused(refusal)),
            (_, Ok(None)) => {
                self.refused.missing.increment();
                Err(self.challenge.missing())
            }
            (access, Ok(Some(caller))) if allows(access, caller) => Ok(()),
            (access, Ok(Some(caller))) => {
                self.refused.insufficient.increment();
                Err(self.challenge.insufficient(access, caller))
            }
        }
    }

    #[cold]
    fn refused(&self, refusal: Refusal) -> Fault {
        self.refused.count(refusal);
        self.challenge.refused(refusal)
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
