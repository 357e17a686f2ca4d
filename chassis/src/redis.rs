//! The Redis that the instances of a service share: for what they count or keep together.
//!
//! A question is a script, which Redis runs as one step, by its own clock. Each is bounded in time. When one fails or is
//! late, nobody asks for a while; then one call tries, and when that is answered all ask again. So a Redis that is away
//! costs calls next to nothing, and what they do without it their handlers know.

use thiserror::Error;

use crate::conf::{BuildContext, BuildError, root};

#[cfg(not(feature = "redis"))]
#[path = "redis/absent.rs"]
mod client;
#[cfg(feature = "redis")]
mod client;
#[cfg(test)]
#[cfg(feature = "redis")]
pub(crate) mod fixture;
#[cfg(test)]
#[cfg(feature = "redis")]
mod tests;

pub use client::{Client, Script};

/// The Redis of a process, for whoever asks for it.
#[derive(Clone, Default)]
pub struct Redis(Option<Client>);

/// Why there is no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Away {
    /// It was away, and was not asked.
    #[error("Redis is away")]
    Unasked,
    /// It was asked and did not answer, or not in time: what it has done is not known.
    #[error("Redis has not answered")]
    Unanswered,
}

impl Redis {
    /// The Redis that configuration names, if it names one. Nothing is connected.
    ///
    /// # Errors
    /// What is wrong, with its key below `redis`.
    pub fn build(conf: &root::Redis, service: &str, context: &BuildContext<'_>) -> Result<Self, BuildError> {
        let client = conf.url.as_ref().map(|url| Client::build(conf, url, service, context));
        client.transpose().map(Self)
    }

    /// Who asks it, for a part whose configuration wants that at `key`. The process connects when it starts.
    ///
    /// # Errors
    /// There is none.
    pub fn client(&self, key: &str, context: &BuildContext<'_>) -> Result<Client, BuildError> {
        match &self.0 {
            Some(client) => {
                client.begin(&context.process.background);
                Ok(client.clone())
            }
            None => Err(Client::missing(key)),
        }
    }

    /// Whether this was said to somebody who asked for it because there is none.
    pub(crate) fn is_missed(message: &str) -> bool {
        message == Client::missing("").message
    }
}
