//! Everything calls are answered by, ready made and never changed.

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use http::Method;

use crate::chain::{Chain, Step};
use crate::component::Running;
use crate::invocation::convention;
use crate::operation::Operation;
use crate::route::{Found, Table};
use crate::schema::Endpoint;

/// The components calls can ask for.
pub type Components = HashMap<TypeId, Arc<dyn Running>>;

/// One immutable state of the provider side: the tables of the listeners, an operation with its ready chain for
/// every target, and the chain for calls that match none.
pub struct Snapshot {
    /// The listeners by name, each with its own table.
    pub listeners: Vec<(String, Arc<Table>)>,
    /// What the tables lead to.
    pub targets: Vec<Target>,
    /// The chain of calls that match nothing.
    pub unmatched: Chain,
    /// The chain of preflights about operations whose own chain answers none.
    pub ungranted: Chain,
    /// How long a call of these two may take.
    pub timeout: Option<Duration>,
    /// Names the configuration it was made from.
    pub revision: Arc<str>,
    /// What calls can ask for by type.
    pub components: Arc<Components>,
}

/// An operation with all it needs to be called.
#[derive(Clone)]
pub struct Target {
    /// What is known about it, configuration applied.
    pub operation: Operation,
    /// The handlers before it.
    pub chain: Chain,
    /// What a preflight about it passes; `None` if none of them answers preflights.
    pub preflight: Option<Preflight>,
    /// What answers.
    pub endpoint: Arc<dyn Endpoint>,
    /// How long a call may take.
    pub timeout: Option<Duration>,
}

/// What a preflight about an operation passes.
#[derive(Clone)]
pub struct Preflight {
    /// The handlers before the operation, as far as the last one that answers preflights.
    pub chain: Chain,
    /// What it passes behind them where none of them answers, because `when` or `shadow` keeps them from it: those of the
    /// chain of unmatched calls that it has not passed, as if nobody answered preflights.
    pub rest: Chain,
}

impl Preflight {
    /// The chain to this step and no further.
    pub(crate) fn as_far_as(chain: &Chain, last: usize) -> Self {
        let part = |steps: &[Step]| Chain { steps: steps.into(), ..chain.clone() };
        Self { chain: part(&chain.steps[..=last]), rest: part(&[]) }
    }

    /// Lets one that is not answered pass those of this chain that it has not passed, which their names tell.
    pub(crate) fn goes_on(&mut self, ungranted: &Chain) {
        let is_new = |step: &&Step| self.chain.steps.iter().all(|passed| passed.name != step.name);
        self.rest = Chain { steps: ungranted.steps.iter().filter(is_new).cloned().collect(), ..ungranted.clone() };
    }
}

impl Snapshot {
    pub(super) fn listener(&self, name: &str) -> Option<usize> {
        self.listeners.iter().position(|(known, _)| known == name)
    }

    /// Whether anything here can be called by this method (RFC 9110 §9.1): if not, that is 501 rather than 405.
    pub(super) fn recognises(&self, method: &Method) -> bool {
        convention::is_known(method) || self.targets.iter().any(|target| target.operation.method == method.as_str())
    }

    pub(super) fn find(&self, listener: usize, method: &Method, path: &str) -> Found<'_> {
        match self.listeners.get(listener) {
            Some((_, table)) => table.find(method, path),
            None => Found::NotFound,
        }
    }

    pub(super) fn target(&self, target: u32) -> Option<&Target> {
        self.targets.get(target as usize)
    }

    pub(super) fn component(&self, id: TypeId) -> Option<&(dyn Any + Send + Sync)> {
        self.components.get(&id).map(|component| component.shared())
    }
}
