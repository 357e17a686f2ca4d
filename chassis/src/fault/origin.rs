//! Who made a fault: the operation, the chain, or one of its handlers.

use std::borrow::Cow;

use super::Fault;

/// Who made a fault.
#[derive(Debug)]
pub(super) enum Origin {
    /// Nobody has said yet.
    Unsaid,
    /// No handler: the operation, or a failure of the runner.
    NoHandler,
    /// The runner, by what configuration says of all calls.
    Chain,
    /// The handler of this name.
    Handler(Cow<'static, str>),
}

impl Fault {
    /// Records who refused the call; the first to be named stays.
    #[must_use]
    pub fn by(mut self, handler: impl Into<Cow<'static, str>>) -> Self {
        if let Origin::Unsaid = self.0.origin {
            self.0.origin = Origin::Handler(handler.into());
        }
        self
    }

    /// Records that no handler refused the call, unless one was named before.
    #[must_use]
    pub(crate) fn by_no_handler(mut self) -> Self {
        if let Origin::Unsaid = self.0.origin {
            self.0.origin = Origin::NoHandler;
        }
        self
    }

    /// Records that the chain itself refused the call, by this key of its configuration; whoever was named before stays.
    #[must_use]
    pub(crate) fn by_chain(mut self, key: &'static str) -> Self {
        if let Origin::Unsaid = self.0.origin {
            self.0.origin = Origin::Chain;
            return self.with_policy(key);
        }
        self
    }

    /// Whether a handler, or the chain itself, refused the call.
    pub(crate) fn is_refusal(&self) -> bool {
        matches!(self.0.origin, Origin::Chain | Origin::Handler(_))
    }

    /// The handler that refused the call, or failed over it; `None` where it was the operation, or nobody.
    pub fn handler(&self) -> Option<&str> {
        match &self.0.origin {
            Origin::Handler(name) => Some(name),
            Origin::Unsaid | Origin::NoHandler | Origin::Chain => None,
        }
    }
}
