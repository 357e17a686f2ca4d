//! Asks Redis, over one connection for the whole process.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use tokio::time::timeout;

use super::Away;
use crate::background::{Background, Task};
use crate::conf::{BuildContext, BuildError, Interval, Secret, root};

mod link;
mod metric;
mod outage;
mod target;

use link::Link;
use metric::Questions;
use outage::{Outage, Turn};
use target::Target;

/// Asks Redis. Cheap to clone; clones share the connection and know together when Redis is away.
#[derive(Clone)]
pub struct Client(Arc<Asking>);

struct Asking {
    link: Link,
    outage: Arc<Outage>,
    timeout: Duration,
    retry: Duration,
    questions: Questions,
    /// What all keys begin with.
    prefix: String,
    secret: hmac::Key,
    connecting: OnceLock<Task>,
}

/// A question: a script in Lua that answers with a list of strings.
pub struct Script(::redis::Script);

impl Script {
    /// A question of this text. Redis keeps it, so that it is sent once.
    pub fn new(text: &str) -> Self {
        Self(::redis::Script::new(text))
    }
}

impl Client {
    /// Who asks the Redis at this address. Nothing is connected.
    ///
    /// # Errors
    /// What is wrong, with its key below `redis`.
    pub fn build(
        conf: &root::Redis,
        url: &Secret,
        service: &str,
        context: &BuildContext<'_>,
    ) -> Result<Self, BuildError> {
        check(conf)?;
        let outage = Arc::new(Outage::new(context.clock, conf.retry.0));
        metric::observe(&context.process.metrics, &Arc::downgrade(&outage));
        let secret = conf.secret.as_ref().map_or("", Secret::expose);
        Ok(Self(Arc::new(Asking {
            link: Link::new(Target::new(url, conf.ca.as_ref(), context)?),
            outage,
            timeout: conf.timeout.0,
            retry: conf.retry.0,
            questions: Questions::new(&context.process.metrics),
            // What stands in braces says where in a cluster a key belongs: all of a service belong together.
            prefix: format!("chassis:{{{service}}}:"),
            secret: hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes()),
            connecting: OnceLock::new(),
        })))
    }

    /// Says what to do.
    pub fn missing(key: &str) -> BuildError {
        let help =
            "set `redis.url`, such as `redis: { url: \"redis://127.0.0.1:6379\" }`, or mend what is wrong with it";
        BuildError::new(key, "there is no Redis to ask").with_help(help)
    }

    /// Connects when the process starts, so that no call has to wait for it.
    pub fn begin(&self, background: &Background) {
        let asking = Arc::downgrade(&self.0);
        let connect = move |_| async move {
            let Some(asking) = asking.upgrade() else { return };
            if let Err(error) = asking.link.connection().await {
                asking.fail(&error);
            }
        };
        self.0.connecting.get_or_init(|| background.run("redis", connect));
    }

    /// Whether nobody asks it now.
    pub fn is_away(&self) -> bool {
        self.0.outage.turn_now() == Turn::Wait
    }

    /// What a question comes to that is not asked now.
    pub fn away(&self) -> Away {
        self.0.questions.unasked.increment();
        Away::Unasked
    }

    /// How long nobody asks it after a failure.
    pub fn retry(&self) -> Duration {
        self.0.retry
    }

    /// The key of this name, among those of the service.
    pub fn key(&self, name: &str) -> String {
        format!("{}{name}", self.0.prefix)
    }

    /// What stands for these parts: each caller has one of its own, and it does not tell who that is.
    pub fn digest(&self, parts: &[&[u8]]) -> String {
        let mut context = hmac::Context::with_key(&self.0.secret);
        for part in parts {
            // The length comes first, so that no two lists of parts are written alike.
            context.update(&(part.len() as u64).to_be_bytes());
            context.update(part);
        }
        URL_SAFE_NO_PAD.encode(&context.sign().as_ref()[..DIGEST])
    }

    /// Asks a question.
    ///
    /// # Errors
    /// It was not asked, or not answered in time.
    pub async fn ask(&self, script: &Script, keys: &[String], arguments: &[Vec<u8>]) -> Result<Vec<Vec<u8>>, Away> {
        let asking = &*self.0;
        let turn = asking.outage.take_turn();
        if turn == Turn::Wait {
            return Err(self.away());
        }
        let error = match timeout(asking.timeout, asking.link.ask(&script.0, keys, arguments)).await {
            Ok(Ok(answer)) => {
                asking.questions.answered.increment();
                asking.recover(turn);
                return Ok(answer);
            }
            Ok(Err(error)) => {
                asking.questions.failed.increment();
                error
            }
            Err(_) => {
                asking.questions.late.increment();
                asking.link.forget_established();
                format!("no answer within {}", Interval(asking.timeout))
            }
        };
        asking.fail(&error);
        Err(Away::Unanswered)
    }
}

/// What is wrong with a length of time, in a way its type cannot say.
fn check(conf: &root::Redis) -> Result<(), BuildError> {
    let wrong = |at, message, help| Err(BuildError::new(at, message).with_help(help));
    if conf.timeout == Interval::ZERO {
        return wrong("timeout", "no question is answered in no time", "write how long one may take, such as `50ms`");
    }
    if conf.retry == Interval::ZERO {
        let message = "without a pause every call would wait for a Redis that is away";
        return wrong("retry", message, "write how long it is not asked after a failure, such as `1s`");
    }
    Ok(())
}

/// How many bytes of a digest are used: two of 10 thousand million keys are the same with a probability below 10⁻¹⁸.
const DIGEST: usize = 16;

impl Asking {
    fn fail(&self, error: &str) {
        if self.outage.begin() {
            let (address, retry) = (self.link.address(), Interval(self.retry));
            tracing::warn!(error, address, %retry, "Redis is away; calls are answered without it");
        }
    }

    fn recover(&self, turn: Turn) {
        if let Some(took) = self.outage.end(turn) {
            tracing::info!(address = self.link.address(), away = %Interval(took), "Redis is back");
        }
    }
}
