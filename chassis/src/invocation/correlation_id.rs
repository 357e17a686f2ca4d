//! The id by which the caller of a call finds it again.

/// The correlation id of a call: a local value, where the handler `tracing` reads one.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct CorrelationId(pub Box<str>);
