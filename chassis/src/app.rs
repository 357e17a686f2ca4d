//! The assembled process: from what was linked in and what configuration says to a service that answers.
//!
//! [`App::prepare`] proves everything that can be proved without starting anything; `check`, `routes` and `explain`
//! stop there. [`Prepared::start`] starts components and schemas and yields a [`Running`] service.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::catalog::Catalog;
use crate::cli::Package;
use crate::clock::Clock;
use crate::conf::root::Workers;
use crate::conf::{Composed, Conf, Problem, Process, Sources, Tombstone};
use crate::metrics::Metrics;
use crate::operation::{Operation, Text};
use crate::random::Random;
use crate::schema::{Mounted, Schema, mount};

mod addresses;
mod components;
mod dead;
mod error;
mod instances;
mod later;
mod linked;
mod marks;
mod pages;
mod parts;
mod plan;
mod prepared;
mod process;
mod proof;
mod proven;
mod router;
pub(crate) mod routes;
mod running;
mod serving;
mod tables;
mod terms;
mod unused;

pub use error::{Rejected, StartError};
pub use prepared::Prepared;
pub use router::mount_router;
pub use running::{Handle, Running};

pub use instances::Around;
pub(crate) use plan::{Planned, section};

use instances::Tools;
use later::Later;
use linked::Made;
use prepared::Parts;

/// A service that is being put together.
pub struct App {
    package: Package,
    mounted: Vec<Mounted>,
    later: Vec<Later>,
    tombstones: Vec<Tombstone>,
    clock: Clock,
    random: Random,
    around: Option<Around>,
    started: Option<Started>,
}

/// What is done with the handle of a service that has started.
type Started = Box<dyn FnOnce(Handle) + Send + Sync>;

impl App {
    /// The service of a package: everything that is linked into this program.
    pub fn new(package: Package) -> Self {
        Self {
            package,
            mounted: Vec::new(),
            later: Vec::new(),
            tombstones: Vec::new(),
            clock: Clock::system(),
            random: Random::system(),
            around: None,
            started: None,
        }
    }

    /// Which service this is.
    pub fn package(&self) -> Package {
        self.package
    }

    /// Calls `f` within the runtime when everything has started, before the first call is taken: with the [`Handle`]
    /// a service changes what it answers while it serves. `f` must not block; what takes longer it spawns.
    #[must_use]
    pub fn when_started(mut self, f: impl FnOnce(Handle) + Send + Sync + 'static) -> Self {
        self.started = Some(Box::new(f));
        self
    }

    /// Adds a schema by hand: where linkme does not work, or in a test. An instance takes the place of a linked schema
    /// of the same name.
    #[must_use]
    pub fn mount<S: Schema>(self, schema: S) -> Self {
        self.mount_operations(mount(Arc::new(schema)))
    }

    /// Adds operations made at run time, such as those of [`mount_router`].
    #[must_use]
    pub fn mount_operations(mut self, operations: impl IntoIterator<Item = Mounted>) -> Self {
        self.mounted.extend(operations);
        self
    }

    /// Announces a schema that is mounted while the service runs ([`Handle::mount`]), so that configuration can speak of
    /// it before it is there: `expect: [late]`, `operations: { "late.*": … }`, and the `schemas` of a listener.
    #[must_use]
    pub fn expect_mounted(mut self, schema: impl Into<Text>) -> Self {
        self.later.push(Later::named(schema));
        self
    }

    /// The same for a schema that is made with what YAML says about it: `schemas: { late: … }` is checked to be a `C`, and
    /// [`Handle::conf`] hands it out.
    #[must_use]
    pub fn expect_mounted_with<C: DeserializeOwned + JsonSchema>(mut self, schema: impl Into<Text>) -> Self {
        self.later.push(Later::configured::<C>(schema));
        self
    }

    /// Remembers keys that are gone, so that whoever still writes one is told what to write instead.
    #[must_use]
    pub fn with_tombstones(mut self, tombstones: impl IntoIterator<Item = Tombstone>) -> Self {
        self.tombstones.extend(tombstones);
        self
    }

    /// Reads the time from this clock.
    #[must_use]
    pub fn with_clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// Takes random numbers from here.
    #[must_use]
    pub fn with_random(mut self, random: Random) -> Self {
        self.random = random;
        self
    }

    /// Puts something between chains and every handler that is built: what the testing kit sees with.
    #[must_use]
    pub fn with_around(mut self, around: Around) -> Self {
        self.around = Some(around);
        self
    }

    /// Every key that configuration can say to this program, with its default and what it means, as YAML. The file
    /// `conf/chassis.yaml` is this text for chassis alone.
    ///
    /// # Errors
    /// Two entries that were linked in share a name.
    pub fn reference(&self) -> Result<String, StartError> {
        self.composed().map(|composed| composed.reference())
    }

    /// The JSON Schema (draft 2020-12) of everything that configuration can say to this program, for editors.
    ///
    /// # Errors
    /// Two entries that were linked in share a name.
    pub fn json_schema(&self) -> Result<Value, StartError> {
        let catalog = Catalog::linked().map_err(|duplicates| Rejected::duplicates(&duplicates))?;
        let operations = operations(&catalog, &self.mounted);
        let ids: Vec<_> = operations.iter().map(|operation| operation.id.as_ref()).collect();
        self.composed().map(|composed| composed.published(&ids))
    }

    fn composed(&self) -> Result<Composed, StartError> {
        let catalog = Catalog::linked().map_err(|duplicates| Rejected::duplicates(&duplicates))?;
        let operations = operations(&catalog, &self.mounted);
        Ok(linked::composed(Made {
            catalog: &catalog,
            operations: &operations,
            later: &self.later,
            tombstones: &self.tombstones,
        }))
    }

    /// Reads and checks the configuration, and proves routes and chains. Starts nothing.
    ///
    /// # Errors
    /// Everything that is wrong.
    pub fn prepare(self, sources: &Sources) -> Result<Prepared, StartError> {
        self.prepared(sources, |_, _| Vec::new())
    }

    /// The same, and looks for what a start would only find then: names that cannot be looked up, directories for
    /// sockets that are not there.
    ///
    /// # Errors
    /// Everything that is wrong.
    pub fn check(self, sources: &Sources) -> Result<Prepared, StartError> {
        self.prepared(sources, addresses::obstacles)
    }

    fn prepared(self, sources: &Sources, beyond: fn(&Conf, &[String]) -> Vec<Problem>) -> Result<Prepared, StartError> {
        let catalog = Catalog::linked().map_err(|duplicates| Rejected::duplicates(&duplicates))?;
        let tools = Tools {
            clock: self.clock,
            random: self.random,
            files: Arc::new(sources.disk()),
            warnings: Arc::default(),
            process: Process { metrics: Metrics::new(Workers::Auto.count()), ..Process::default() },
            receipts: Arc::default(),
            around: self.around,
        };
        let Self { package, mounted, later, tombstones, started, .. } = self;
        Prepared::new(package, Parts { catalog, mounted, later, tombstones, tools, started, beyond }, sources)
    }
}

/// The operations of a service: those of linked schemas, and those that were mounted by hand.
fn operations(catalog: &Catalog, mounted: &[Mounted]) -> Vec<Operation> {
    let by_hand: Vec<&str> = mounted.iter().map(|mounted| &*mounted.operation.schema).collect();
    let linked = catalog.schemas.iter().filter(|entry| !by_hand.contains(&entry.head.name));
    let linked = linked.flat_map(|entry| (entry.operations)());
    linked.chain(mounted.iter().map(|mounted| mounted.operation.clone())).collect()
}
