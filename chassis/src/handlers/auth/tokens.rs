//! What is known about tokens: the keys that prove them, and those that were proved already.

use std::sync::Arc;
use std::time::Duration;

use super::bearer;
use super::cache::Cache;
use super::conf::{AtStart, Jwt};
use super::keys::Standing;
use super::metric::{self, Fetches};
use super::refusal::Refusal;
use super::remote::{Remote, Source, Times, WHERE, Web};
use super::verifier::{Verified, Verifier};
use crate::background::Task;
use crate::clock::{Clock, Instant};
use crate::conf::{BuildContext, BuildError};
use crate::memory::Reserved;
use crate::metrics::Counter;
use crate::principal::Principal;
use crate::schema::BoxFuture;

/// What is known about tokens. A change of their configuration makes a new one: what was remembered goes with it.
pub(super) struct Tokens {
    verifier: Arc<Verifier>,
    cache: Cache,
    remote: Option<Arc<Remote>>,
    verified: Counter,
    _fetching: Option<Task>,
    _reserved: Reserved,
}

impl Tokens {
    pub(super) fn build(conf: &Jwt, context: &BuildContext<'_>) -> Result<Self, BuildError> {
        let keys = &conf.keys;
        let said =
            [("file", keys.file.is_some()), ("url", keys.url.is_some()), ("discovery", keys.discovery.is_some())];
        let said: Vec<_> = said.into_iter().filter(|(_, said)| *said).map(|(key, _)| format!("`{key}`")).collect();
        match (said.as_slice(), &keys.file) {
            ([_], Some(file)) => {
                let content = context.files.read(file).map_err(|error| error.below("keys.file"))?;
                Self::with(Arc::new(proven(conf, &content, context)?), conf, None, context)
            }
            ([_], None) => Self::fetching(Box::new(Web::build(conf)?), conf, context),
            ([], _) => Err(BuildError::new("keys", "nothing says where the keys are").with_help(WHERE)),
            _ => {
                let message = format!("the keys are said to be in several places: {}", said.join(" and "));
                Err(BuildError::new("keys", message).with_help("keep one of them"))
            }
        }
    }

    pub(super) fn fetching(
        source: Box<dyn Source>,
        conf: &Jwt,
        context: &BuildContext<'_>,
    ) -> Result<Self, BuildError> {
        let verifier = Arc::new(Verifier::without_keys(conf)?);
        let keys = &conf.keys;
        let timeout = keys.timeout.duration();
        // Discovery is two fetches, and one may just have begun.
        let patience = timeout.saturating_mul(4);
        let times = Times { cool_down: keys.cool_down.duration(), stale: keys.stale.duration(), patience };
        let metrics = &context.process.metrics;
        let parts = (context.clock, context.random.clone(), Fetches::of(metrics));
        let remote = Arc::new(Remote::new(source, Arc::clone(&verifier), times, parts));
        let watched = Arc::downgrade(&remote);
        metric::age(metrics, &conf.issuer, move || Some(watched.upgrade()?.age()?.as_secs_f64()));
        if keys.at_start == AtStart::Require {
            context.process.background.first("auth", Arc::clone(&remote).first());
        }
        Self::with(verifier, conf, Some(remote), context)
    }

    fn with(
        verifier: Arc<Verifier>,
        conf: &Jwt,
        remote: Option<Arc<Remote>>,
        context: &BuildContext<'_>,
    ) -> Result<Self, BuildError> {
        let process = context.process;
        let cache = Cache::new(&conf.cache, conf.max_token_size.length());
        let cache = cache.map_err(|_| BuildError::new("", "the operating system gives no random numbers"))?;
        let _reserved = process.memory.reserve("auth", cache.memory_bound());
        let fetch = |remote| process.background.run("keys of the issuer", |ending| Remote::run(remote, ending));
        let _fetching = remote.clone().map(fetch);
        let verified = metric::verified(&process.metrics, "jwt");
        Ok(Self { verifier, cache, remote, verified, _fetching, _reserved })
    }

    /// Whom the token names. `arrived` decides about what is remembered, the wall clock about what is not.
    pub(super) fn principal(&self, sent: &[u8], arrived: Instant, clock: Clock) -> Result<Principal, Refusal> {
        // What is remembered is a token: to look at its characters again would cost more than to find it.
        if let Some(principal) = self.cache.find(sent, arrived) {
            return Ok(principal);
        }
        let token = bearer::token(sent)?;
        if !self.verifier.is_ready() {
            return Err(Refusal::Unready);
        }
        let now = clock.unix_seconds();
        let proved = self.verifier.prove(token, now).or_else(|refusal| self.again(refusal, token, now));
        let (verified, standing) = proved?;
        let rest = Duration::from_secs(verified.until.saturating_sub(now));
        self.verified.increment();
        self.cache.keep(token, (&verified, standing), arrived, rest);
        Ok(verified.principal)
    }

    /// Looks at a token once more whose key came while it was looked at.
    #[cold]
    fn again(&self, refusal: Refusal, token: &str, now: u64) -> Result<(Verified, Standing), Refusal> {
        let came = || self.verifier.key_of(token).is_some_and(|key| self.verifier.knows(&key));
        if refusal == Refusal::Key && self.remote.is_some() && came() {
            return self.verifier.prove(token, now);
        }
        Err(refusal)
    }

    /// Whether the token would be found without being looked at.
    #[cfg(test)]
    pub(super) fn remembers(&self, token: &str, now: Instant) -> bool {
        self.cache.find(token, now).is_some()
    }

    /// What to wait for before a token whose key is not known is refused.
    #[cold]
    pub(super) fn awaited(&self, sent: &[u8]) -> Option<BoxFuture<'static, ()>> {
        let key = self.verifier.key_of(bearer::token(sent).ok()?)?;
        self.remote.as_ref()?.ask(key)
    }
}

/// A verifier with the keys of a file.
fn proven(conf: &Jwt, content: &[u8], context: &BuildContext<'_>) -> Result<Verifier, BuildError> {
    let verifier = Verifier::build(conf, content)?;
    for key in verifier.development_keys() {
        let message = format!("key `{key}` is for development: anyone can make tokens with it");
        let help = "before anything real depends on it, name a file with the public keys of your issuer";
        context.warnings.warn_at(BuildError::new("keys.file", message).with_help(help).below("jwt"));
    }
    for key in verifier.short_keys() {
        let message = format!("key `{key}` is shorter than its hash: whoever has a token may find it by trying");
        let help = "give its issuer a longer one as soon as what `short-secrets` says is over";
        context.warnings.warn_at(BuildError::new("keys.short-secrets", message).with_help(help).below("jwt"));
    }
    Ok(verifier)
}
