//! The assembled process: from what was linked in and what configuration says to a service that answers.
//!
//! [`App::prepare`] proves everything that can be proved without starting anything; `check`, `routes` and `explain`
//! stop there. [`Prepared::start`] starts components and schemas and yields a [`Running`] service.

use std::sync::Arc;

use crate::catalog::Catalog;
use crate::cli::Package;
use crate::clock::Clock;
use crate::conf::{Composed, Sources};
use crate::operation::Operation;
use crate::random::Random;
use crate::schema::{Mounted, Schema, mount};

mod addresses;
mod components;
mod dead;
mod error;
mod instances;
mod linked;
mod plan;
mod prepared;
mod proof;
mod router;
pub(crate) mod routes;
mod running;
mod serving;
mod tables;

pub use error::StartError;
pub use prepared::Prepared;
pub use router::mount_router;
pub use running::{Handle, Running};

pub use instances::Around;
pub(crate) use plan::{Planned, section};

use instances::Tools;

/// A service that is being put together.
pub struct App {
    package: Package,
    mounted: Vec<Mounted>,
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
    pub fn reference() -> Result<String, StartError> {
        composed().map(|composed| composed.reference())
    }

    /// Reads and checks the configuration, and proves routes and chains. Starts nothing.
    ///
    /// # Errors
    /// Everything that is wrong.
    pub fn prepare(self, sources: &Sources) -> Result<Prepared, StartError> {
        let catalog = Catalog::linked().map_err(|duplicates| StartError::duplicates(&duplicates))?;
        let tools = Tools {
            clock: self.clock,
            random: self.random.clone(),
            files: Arc::new(sources.disk()),
            warnings: Arc::default(),
            around: self.around.clone(),
        };
        let started = self.started;
        Ok(Prepared { started, ..Prepared::new(self.package, catalog, self.mounted, tools, sources)? })
    }
}

/// What configuration may say to this program.
pub(crate) fn composed() -> Result<Composed, StartError> {
    let catalog = Catalog::linked().map_err(|duplicates| StartError::duplicates(&duplicates))?;
    Ok(Composed::new(&linked::parts(&catalog)))
}

/// The operations of a service: those of linked schemas, and those that were mounted by hand.
fn operations(catalog: &Catalog, mounted: &[Mounted]) -> Vec<Operation> {
    let by_hand: Vec<&str> = mounted.iter().map(|mounted| &*mounted.operation.schema).collect();
    let linked = catalog.schemas.iter().filter(|entry| !by_hand.contains(&entry.head.name));
    let linked = linked.flat_map(|entry| (entry.operations)());
    linked.chain(mounted.iter().map(|mounted| mounted.operation.clone())).collect()
}
