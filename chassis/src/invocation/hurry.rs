//! That a call has no more time because its caller says so.

/// The deadline of a call is the one that its caller chose: a local value, where the handler `deadline` took it over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hurry;
