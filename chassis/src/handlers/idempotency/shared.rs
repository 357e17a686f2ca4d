//! Keeps answers in Redis, for all instances together.
//!
//! A call that is under way has a lease, which is renewed as long as the call lives here; when this instance dies it runs
//! out, and how the call ended is not known. Only who holds the lease ends the call. That is told to Redis before the
//! caller hears of it; if Redis does not answer then, beside the calls, until it does or the answer would have expired.

use std::collections::HashMap;
use std::future::Future;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::FutureExt;
use tokio::runtime::Handle;
use tokio::sync::oneshot;
use tokio::task::AbortHandle;
use tokio::time::sleep;

use super::key::Digest;
use super::metric;
use super::store::{End, Ended, Standing, Store};
use crate::clock::Clock;
use crate::conf::{BuildContext, BuildError};
use crate::lock::locked;
use crate::metrics::Counter;
use crate::random::Random;
use crate::redis::{Away, Client, Script};
use crate::schema::BoxFuture;

mod record;
#[cfg(test)]
#[cfg(feature = "redis")]
mod tests;

/// Keeps answers in Redis.
pub(super) struct Shared(Arc<Keeping>);

struct Keeping {
    client: Client,
    ttl: Duration,
    clock: Clock,
    random: Random,
    begin: Script,
    renew: Script,
    finish: Script,
    /// The calls that are under way here.
    running: Mutex<HashMap<u64, Running>>,
    lost: Counter,
}

struct Running {
    fingerprint: Digest,
    lease: Duration,
    renewal: AbortHandle,
}

/// A call that Redis is asked to begin. Dropping it forgets the call: nobody knows whether Redis has begun it.
struct Asked {
    keeping: Arc<Keeping>,
    call: Call,
    is_settled: bool,
}

/// One call, and how long it counts as under way.
#[derive(Clone, Copy)]
struct Call {
    name: Digest,
    fingerprint: Digest,
    number: u64,
    lease: Duration,
}

impl Shared {
    /// # Errors
    /// There is no Redis.
    pub(super) fn build(ttl: Duration, context: &BuildContext<'_>) -> Result<Self, BuildError> {
        Ok(Self(Arc::new(Keeping {
            client: context.process.redis.client("store", context)?,
            ttl,
            clock: context.clock,
            random: context.random.clone(),
            begin: Script::new(include_str!("shared/begin.lua")),
            renew: Script::new(include_str!("shared/renew.lua")),
            finish: Script::new(include_str!("shared/finish.lua")),
            running: Mutex::default(),
            lost: metric::lost(&context.process.metrics),
        })))
    }
}

impl Store for Shared {
    fn begin(&self, name: Digest, fingerprint: Digest, lease: Duration) -> BoxFuture<'_, Standing> {
        let [number, _] = self.0.random.next_u64s();
        let call = Call { name, fingerprint, number, lease };
        Box::pin(Asked { keeping: Arc::clone(&self.0), call, is_settled: false }.standing())
    }

    fn end(&self, name: Digest, number: u64, end: End) -> Ended {
        let running = locked(&self.0.running).remove(&number);
        let (asked, is_asked) = oneshot::channel();
        if let Some(Running { fingerprint, lease, renewal }) = running {
            renewal.abort();
            beside(Arc::clone(&self.0).finish(Call { name, fingerprint, number, lease }, end, Some(asked)));
        }
        // Nothing is ever sent: the other side goes when Redis was asked.
        Box::pin(is_asked.map(drop))
    }
}

impl Asked {
    async fn standing(mut self) -> Standing {
        let keeping = Arc::clone(&self.keeping);
        let answer = keeping.client.ask(&keeping.begin, &keeping.key(&self.call), &keeping.lease(&self.call)).await;
        // An answer that is none, as one that never came, leaves open what Redis has done.
        self.is_settled = answer != Err(Away::Unanswered);
        let Ok(mut answer) = answer else { return Standing::Away };
        let kept = (answer.len() == 2).then(|| answer.pop()).flatten();
        match (answer.first().map(Vec::as_slice), kept) {
            (Some(b"begun"), _) => {
                keeping.take_on(self.call);
                Standing::Begun(self.call.number)
            }
            (Some(b"running"), _) => Standing::Running,
            (Some(b"unknown"), _) => Standing::Unknown,
            (Some(b"differs"), _) => Standing::Differs,
            (Some(b"answered"), Some(record)) => match record::decode(record) {
                Some(record) => Standing::Answered(Arc::new(record)),
                None => Standing::Unkept,
            },
            _ => Standing::Unkept,
        }
    }
}

impl Drop for Asked {
    fn drop(&mut self) {
        if !self.is_settled {
            beside(Arc::clone(&self.keeping).finish(self.call, End::Forgotten, None));
        }
    }
}

impl Call {
    /// What all scripts are told first.
    fn said(&self) -> [Vec<u8>; 2] {
        [self.fingerprint.to_vec(), self.number.to_string().into_bytes()]
    }
}

impl Keeping {
    fn key(&self, call: &Call) -> [String; 1] {
        [self.client.key(&format!("idempotency:{}", self.client.digest(&[&call.name])))]
    }

    /// What the scripts are told that begin a lease: it is remembered for `ttl` that it has run out.
    fn lease(&self, call: &Call) -> [Vec<u8>; 4] {
        let [fingerprint, number] = call.said();
        [fingerprint, number, millis(call.lease), millis(call.lease + self.ttl)]
    }

    /// Renews the lease of a call for as long as it is under way here.
    fn take_on(self: &Arc<Self>, call: Call) {
        let keeping = Arc::clone(self);
        let renewal = tokio::spawn(async move {
            loop {
                sleep(call.lease / 3).await;
                // What fails now is tried again before the lease is over.
                let _ = keeping.client.ask(&keeping.renew, &keeping.key(&call), &keeping.lease(&call)).await;
            }
        });
        let Call { fingerprint, number, lease, .. } = call;
        locked(&self.running).insert(number, Running { fingerprint, lease, renewal: renewal.abort_handle() });
    }

    /// Tells Redis how a call ended, until it hears it or the answer would have expired. What is given as `asked` goes when
    /// that was tried once.
    async fn finish(self: Arc<Self>, call: Call, end: End, asked: Option<oneshot::Sender<()>>) {
        let [fingerprint, number] = call.said();
        let (how, kept, answer) = match end {
            // Only as long as a question of this call may still be on its way.
            End::Forgotten => ("forgotten", call.lease, None),
            End::Unkept => ("unkept", self.ttl, None),
            End::Unknown => ("unknown", self.ttl, None),
            End::Answered(record) => ("answered", self.ttl, Some(record::encode(&record))),
        };
        let said = [fingerprint, number, how.as_bytes().to_vec(), millis(kept)];
        let said: Vec<_> = said.into_iter().chain(answer).collect();
        let tell = async || self.client.ask(&self.finish, &self.key(&call), &said).await.is_ok();
        let until = self.clock.now() + self.ttl;
        let mut is_told = tell().await;
        drop(asked);
        while !is_told {
            if self.clock.now() >= until {
                self.lost.increment();
                tracing::warn!(
                    "Redis was not told in time how a call ended; what comes of it if it comes again is not sure"
                );
                return;
            }
            sleep(self.client.retry()).await;
            is_told = tell().await;
        }
    }
}

/// In whole milliseconds, for Redis: at least one, if it is any time at all.
fn millis(duration: Duration) -> Vec<u8> {
    duration.as_nanos().div_ceil(1_000_000).to_string().into_bytes()
}

/// Does something beside the calls. Where there is no runtime any more there is nobody who would do it.
fn beside(work: impl Future<Output = ()> + Send + 'static) {
    if let Ok(runtime) = Handle::try_current() {
        runtime.spawn(work);
    }
}
