//! What of the baggage of a call goes on to the services it calls.

use crate::trace::Baggage;

/// The baggage to pass on: a local value, where the handler `tracing` lets some of it pass.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Forwarded(pub Baggage);
