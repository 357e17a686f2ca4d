//! What a call was called by a rule that fits it, so that the policies of several handlers can speak of it.

use std::sync::Arc;

/// The mark of a call: a local value, where the handler `marker` gave it one.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Mark(pub Arc<str>);
