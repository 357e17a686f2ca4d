//! The handlers that are in use, so that equal configuration means the same limiter, and survives a reload.

use std::collections::HashMap;
use std::sync::Arc;

use crate::catalog::{Built, HandlerEntry};
use crate::chain::Form;
use crate::clock::Clock;
use crate::conf::{BuildContext, BuildError, Files, Process, Section, Warnings};
use crate::operation::Operation;
use crate::provider::{Receipts, Watch};
use crate::random::Random;

/// What makes two uses of a handler the same one: where its configuration comes from, and what it says.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct Key {
    handler: &'static str,
    scope: Option<String>,
    conf: String,
}

impl Key {
    pub(crate) fn new(handler: &'static str, section: &Section<'_>) -> Self {
        Self { handler, scope: section.scope().map(str::to_owned), conf: section.value().to_string() }
    }
}

/// Stands between a chain and a handler: given the name of the handler, it puts something else in its place.
pub type Around = Arc<dyn Fn(&str, Form) -> Form + Send + Sync>;

/// What handlers are built with.
#[derive(Clone)]
pub(crate) struct Tools {
    pub(crate) clock: Clock,
    pub(crate) random: Random,
    pub(crate) files: Arc<dyn Files + Send + Sync>,
    pub(crate) warnings: Arc<Warnings>,
    pub(crate) process: Process,
    pub(crate) receipts: Arc<Receipts>,
    pub(crate) around: Option<Around>,
}

impl Tools {
    /// What watches over the calls.
    pub(crate) fn watch(&self) -> Watch {
        let Self { process, receipts, random, .. } = self;
        Watch { metrics: process.metrics.clone(), receipts: Arc::clone(receipts), random: random.clone() }
    }

    /// What a part may use while it is built.
    pub(crate) fn context<'a>(&'a self, scope: Option<&'a str>) -> BuildContext<'a> {
        BuildContext {
            clock: self.clock,
            random: &self.random,
            scope,
            files: &*self.files,
            warnings: &self.warnings,
            process: &self.process,
        }
    }
}

/// The handlers that are in use.
#[derive(Clone)]
pub(crate) struct Instances {
    tools: Tools,
    former: HashMap<Key, Built>,
    // What could not be built is kept too: operations that share it fail for the same reason, once.
    current: HashMap<Key, Result<Built, BuildError>>,
}

impl Instances {
    /// None yet.
    pub(crate) fn new(tools: Tools) -> Self {
        Self { tools, former: HashMap::new(), current: HashMap::new() }
    }

    /// What handlers are built with.
    pub(crate) fn tools(&self) -> &Tools {
        &self.tools
    }

    /// For the next plan: what is used again keeps its state, what is not is dropped with the plan that used it.
    pub(crate) fn next(&self) -> Self {
        let built = self.current.iter().filter_map(|(key, built)| Some((key.clone(), built.as_ref().ok()?.clone())));
        Self { tools: self.tools.clone(), former: built.collect(), current: HashMap::new() }
    }

    /// The handler for this key, built if there is none. One that was built before is proved anew: it may stand before
    /// other operations now.
    pub(crate) fn take_or_build(
        &mut self,
        entry: &HandlerEntry,
        section: &Section<'_>,
        users: &HashMap<Key, Vec<&Operation>>,
    ) -> Result<Built, BuildError> {
        let key = Key::new(entry.head.name, section);
        if let Some(built) = self.current.get(&key) {
            return built.clone();
        }
        let built = match self.former.get(&key) {
            Some(built) => Ok(built.clone()),
            None => self.build(entry, section),
        };
        let users = users.get(&key).map(Vec::as_slice).unwrap_or_default();
        let built = built.and_then(|built| (entry.suits)(section.value(), users).map(|()| built));
        self.current.insert(key, built.clone());
        built
    }

    fn build(&self, entry: &HandlerEntry, section: &Section<'_>) -> Result<Built, BuildError> {
        let warnings = Warnings::default();
        let context = BuildContext { warnings: &warnings, ..self.tools.context(section.scope()) };
        let built = (entry.build)(section.value(), &context)?;
        warnings.all().iter().for_each(|warning| self.tools.warnings.warn(section.problem(warning).in_a_line()));
        Ok(match &self.tools.around {
            Some(around) => Built { form: around(entry.head.name, built.form), ..built },
            None => built,
        })
    }
}
