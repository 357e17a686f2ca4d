//! The Redis that the instances of a service share.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::conf::value::{FileRef, Interval, Secret};

/// The Redis that the instances of a service share. Only handlers that are told `store: redis` ask it, and the service
/// starts and answers without it too.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Redis {
    /// Its address: `redis://HOST:PORT`, encrypted `rediss://HOST:PORT`, or `unix:///PATH`, with user, password and
    /// number of the database as in `rediss://USER:PASSWORD@HOST:PORT/1`. The program must have been built with the
    /// feature `redis` of chassis.
    #[schemars(extend("examples" = ["redis://127.0.0.1:6379"]))]
    pub url: Option<Secret>,
    /// A file of certificates in PEM that the one of `rediss` must be signed by. Default: those the system trusts.
    #[schemars(extend("examples" = ["/etc/redis/ca.pem"]))]
    pub ca: Option<FileRef>,
    /// What names and addresses of callers are hashed with before Redis sees them, the same in all instances. Without it
    /// whoever reads Redis finds an address out by trying all there are.
    pub secret: Option<Secret>,
    /// How long a question may take, from connecting if there is no connection to the answer.
    pub timeout: Interval,
    /// How long it is not asked after a question that it did not answer. Then one call tries, and the others follow when
    /// that is answered. A connection that ended while nobody asked is made anew first.
    pub retry: Interval,
}

impl Default for Redis {
    fn default() -> Self {
        Self { url: None, ca: None, secret: None, timeout: Interval::millis(50), retry: Interval::secs(1) }
    }
}
