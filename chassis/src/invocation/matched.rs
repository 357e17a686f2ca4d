//! What a call was matched with, for whoever asks when the call itself is not at hand.

use std::sync::Arc;

use super::{Call, Ground};
use crate::operation::Operation;

/// What a call was matched with, kept alive.
pub(crate) struct Matched {
    ground: Arc<dyn Ground>,
    target: Option<u32>,
}

impl Matched {
    /// The operation.
    pub(crate) fn operation(&self) -> Option<&Operation> {
        self.ground.operation(self.target?)
    }
}

impl Call {
    /// What it was matched with.
    pub(crate) fn matched(&self) -> Matched {
        Matched { ground: Arc::clone(&self.ground), target: self.target }
    }
}
