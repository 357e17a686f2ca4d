//! A service whose configuration is accepted and whose chains and routes are proved, before anything is started.

use std::future::pending;
use std::sync::Arc;

use super::error::{Rejected, StartError};
use super::instances::{Instances, Tools};
use super::later::Later;
use super::linked::{self, Made};
use super::plan::Planned;
use super::proven::{Given, Proven};
use super::running::Running;
use super::{Started, dead, operations, parts};
use crate::catalog::{Catalog, SchemaEntry};
use crate::chain::Chain;
use crate::cli::Package;
use crate::clock::Clock;
use crate::conf::source::{Read, Resource, SERVICE_NAME, SERVICE_VERSION};
use crate::conf::{BuildError, Conf, Origin, Problem, Process, Reviewed, Sources, Tombstone};
use crate::memory::Bound;
use crate::outbox::Lines;
use crate::protocol::Listener;
use crate::provider::{Admitted, Provider, Receipts, Way};
use crate::redis::Redis;
use crate::schema::Mounted;
use crate::telemetry::{self, Exporting};

/// A service that can be started.
pub struct Prepared {
    pub(crate) catalog: Catalog,
    pub(crate) conf: Conf,
    pub(super) mounted: Vec<Mounted>,
    /// The schemas that are mounted while it runs.
    pub(super) later: Vec<Later>,
    /// The listeners there are: they stay, whatever is mounted.
    pub(crate) listeners: Vec<String>,
    pub(super) tools: Tools,
    /// What describes the process to whoever reads what it measures.
    pub(super) resource: Resource,
    pub(crate) proven: Proven,
    pub(super) started: Option<Started>,
    /// What is sent elsewhere goes on as long as this is kept.
    _exporting: Exporting,
}

/// What a service is made of, before its configuration is read.
pub(super) struct Parts {
    pub(super) catalog: Catalog,
    pub(super) mounted: Vec<Mounted>,
    pub(super) later: Vec<Later>,
    pub(super) tombstones: Vec<Tombstone>,
    pub(super) tools: Tools,
    pub(super) started: Option<Started>,
    /// What is looked for beyond what the configuration itself says.
    pub(super) beyond: fn(&Conf, &[String]) -> Vec<Problem>,
}

impl Prepared {
    /// Finds everything that is wrong with these parts of a service and its configuration, or that nothing is.
    pub(super) fn new(package: Package, parts: Parts, sources: &Sources) -> Result<Self, StartError> {
        let Parts { catalog, mounted, later, tombstones, tools, started, beyond } = parts;
        let operations = operations(&catalog, &mounted);
        let made = Made { catalog: &catalog, operations: &operations, later: &later, tombstones: &tombstones };
        linked::something(package, made)?;
        let Reviewed { conf, problems } = linked::configuration(made, sources);
        let rejected = linked::distinct(&operations).and(Rejected::conf(problems));
        let Some(conf) = conf else { return Err(rejected.into()) };
        let listeners = listeners(&conf, made);
        let may_grow = !later.is_empty();
        let given = Given { catalog: &catalog, conf: &conf, listeners: &listeners, may_grow };
        let rejected = rejected
            .and(Rejected::conf(beyond(&conf, &listeners)))
            .and(Rejected::conf(parts::refused(given, &mounted, &later)))
            .and(Rejected::conf(parts::listeners(given, &tools).err().into_iter().flatten()));
        let receipts = Receipts::new(conf.root.admin.refusals, &tools.process.memory);
        let tools = Tools { receipts: Arc::new(receipts), ..tools };
        let name = conf.root.service.name.as_deref().unwrap_or(package.name);
        let redis = Redis::build(&conf.root.redis, name, &tools.context(None));
        let redis = redis.map_err(|error| conf.problem("redis", &error));
        let rejected = rejected.and(Rejected::conf(redis.as_ref().err().cloned()));
        let without_redis = redis.is_err();
        let process = Process { redis: redis.unwrap_or_default(), ..tools.process.clone() };
        let tools = Tools { process, ..tools };
        let resource =
            telemetry::described(&conf.root, sources.resource(&tools.warnings), (package.name, package.version));
        let exporting = parts::exporting(&conf, &resource, &tools);
        let rejected = rejected.and(Rejected::conf(exporting.as_ref().err().cloned()));
        let proven = given.prove(operations, Instances::new(tools.clone()));
        let rejected = rejected.and(Rejected::conf(beyond_budget(&conf, &tools.process.memory.bound())));
        match proven {
            Ok(proven) if rejected.is_empty() => {
                let _exporting = exporting.unwrap_or_default();
                Ok(Self { catalog, conf, mounted, later, listeners, tools, resource, proven, started, _exporting })
            }
            Ok(_) => Err(unread(&conf, rejected)),
            Err(found) => Err(unread(&conf, rejected.and(news(found, without_redis)))),
        }
    }

    /// What is suspicious and does not keep the service from starting.
    pub fn warnings(&self) -> Vec<String> {
        let empty = self.proven.plan.operations.iter().filter(|planned| planned.chain.steps.is_empty());
        let empty = empty.map(|planned| {
            let chain = &planned.chain.name;
            format!("chain `{chain}` is empty: nothing runs before `{}`", planned.operation.id)
        });
        let tables = self.proven.tables.iter();
        let odd = tables.flat_map(|(_, table)| table.warnings());
        let dead = dead::warnings(&self.conf, &self.proven.plan.operations, &self.later);
        self.tools
            .warnings
            .all()
            .into_iter()
            .map(|warning| warning.message)
            .chain(empty)
            .chain(odd)
            .chain(dead)
            .collect()
    }

    /// The listeners that configuration says there are, not yet listening, with their names.
    ///
    /// # Errors
    /// What is wrong with their configuration.
    pub(crate) fn listeners(&self) -> Result<Vec<(String, Box<dyn Listener>)>, StartError> {
        parts::listeners(self.given(), &self.tools).map_err(|problems| Rejected::conf(problems).into())
    }

    fn given(&self) -> Given<'_> {
        Given { catalog: &self.catalog, conf: &self.conf, listeners: &self.listeners, may_grow: true }
    }

    /// Starts components, then schemas.
    ///
    /// # Errors
    /// What failed to start; everything that was started before it is stopped again.
    pub async fn start(self) -> Result<Running, StartError> {
        Running::start(self, pending()).await
    }

    /// The same operations and chains, with nothing behind them: for those who explain what would happen.
    pub(crate) fn rehearsal(&self) -> Provider {
        Provider::new(self.proven.snapshot(&[], Arc::default()), self.tools.clock)
    }

    /// What the configuration is called by refusals: a digest of all that is in effect, and of the operations.
    pub(crate) fn revision(&self) -> &str {
        &self.proven.revision
    }

    /// Every operation, as it is configured.
    pub(crate) fn operations(&self) -> &[Planned] {
        &self.proven.plan.operations
    }

    /// The names of their schemas.
    pub(crate) fn schemas(&self) -> Vec<&str> {
        let mut schemas: Vec<&str> = self.operations().iter().map(|planned| &*planned.operation.schema).collect();
        schemas.sort_unstable();
        schemas.dedup();
        schemas
    }

    /// The operation that a call leads to, or what stands for calls that match nothing, and the chain it passes.
    pub(crate) fn passed(&self, admitted: &Admitted) -> (&Planned, &Chain) {
        let plan = &self.proven.plan;
        let target = admitted.target.and_then(|target| plan.operations.get(target as usize));
        let planned = target.unwrap_or(&plan.unmatched);
        let chain = match (admitted.way, &planned.preflight) {
            (Way::Preflight, Some(preflight)) => &preflight.chain,
            (Way::Ungranted, _) => &plan.ungranted,
            _ => &planned.chain,
        };
        (planned, chain)
    }

    /// What the service is called, as whoever reads what it measures is told.
    pub(crate) fn name(&self) -> &str {
        self.resource.get(SERVICE_NAME).map_or("", String::as_str)
    }

    /// The version that it says it has there.
    pub(crate) fn version(&self) -> &str {
        self.resource.get(SERVICE_VERSION).map_or("", String::as_str)
    }

    /// Where lines of the log are left for whoever sends them.
    pub(crate) fn lines(&self) -> &Lines {
        &self.tools.process.lines
    }

    /// The time.
    pub(crate) fn clock(&self) -> Clock {
        self.tools.clock
    }

    /// The wall time, in seconds since the Unix epoch.
    pub(crate) fn now(&self) -> u64 {
        self.tools.clock.unix_seconds()
    }

    /// What was read, in order.
    pub fn read(&self) -> &[Read] {
        self.conf.read()
    }

    /// The schemas that have no instance mounted by hand.
    pub(super) fn linked_schemas(&self) -> impl Iterator<Item = &'static SchemaEntry> {
        parts::linked_schemas(&self.catalog, &self.mounted)
    }

    /// What to say when something under this key did not start.
    pub(super) fn failed(&self, kind: &str, name: &str, error: BuildError) -> StartError {
        self.failed_at(&format!("{kind} `{name}`"), &format!("{kind}s.{name}"), error)
    }

    /// What to say when this did not start: with the place of the value that is to blame or, if that is a default, of
    /// the part.
    pub(super) fn failed_at(&self, what: &str, key: &str, error: BuildError) -> StartError {
        let value = self.conf.origin(&format!("{key}.{}", error.at)).or_else(|| self.conf.origin(key));
        let place = value.filter(|origin| **origin != Origin::Default).map(|origin| format!(" ({origin})"));
        StartError::failed(format!("{what}{}", place.unwrap_or_default()), error)
    }

    /// Proves these operations under the same configuration, while others come and go.
    pub(super) fn prove(&self, mounted: &[Mounted], instances: Instances) -> Result<Proven, StartError> {
        let operations = mounted.iter().map(|mounted| mounted.operation.clone()).collect();
        self.given().prove(operations, instances).map_err(StartError::Rejected)
    }
}

/// The listeners there are for what is there now and for what is mounted later.
fn listeners(conf: &Conf, made: Made<'_>) -> Vec<String> {
    let now = made.operations.iter().map(|operation| &*operation.schema);
    let mut schemas: Vec<&str> = now.chain(made.later.iter().map(|later| &*later.name)).collect();
    schemas.sort_unstable();
    schemas.dedup();
    conf.listeners.serving(&schemas).map(|(opened, _)| opened.name.clone()).collect()
}

/// Says first that nothing was read, or that what was read configures no service, where that is likely to be why
/// something is wrong.
fn unread(conf: &Conf, rejected: Rejected) -> StartError {
    if conf.is_reference() && rejected.linked.is_empty() && rejected.routes.is_empty() {
        return StartError::Reference(rejected);
    }
    let nothing = conf.read().iter().find_map(|read| match read {
        Read::Absent(file) => Some((
            format!("no configuration was read: there is no {file} here"),
            "start the service where that file is, or name another with `--conf FILE`",
        )),
        Read::Empty(file) => Some((format!("{file} says nothing: it is empty"), "is it the right file?")),
        _ => None,
    });
    let Some((message, help)) = nothing.filter(|_| !rejected.conf.is_empty()) else { return rejected.into() };
    let problem = conf.problem("", &BuildError::new("", message).with_help(help));
    Rejected::conf([problem]).and(rejected).into()
}

/// What is wrong beside what only follows from a Redis that cannot be asked: that is said of `redis` itself.
fn news(mut found: Rejected, without_redis: bool) -> Rejected {
    found.conf.retain(|problem| !without_redis || !Redis::is_missed(&problem.message));
    found
}

/// What could take more memory than it may.
fn beyond_budget(conf: &Conf, bound: &Bound) -> Option<Problem> {
    let budget = conf.root.runtime.memory_budget.filter(|budget| bound.total > *budget)?;
    let message = format!("what is kept for callers can take more memory than the budget of {budget}: {bound}");
    let error = BuildError::new("memory-budget", message);
    let help = "lower what the parts named may keep, such as `max-keys` or `admin.refusals`, or raise the budget";
    Some(conf.problem("runtime", &error.with_help(help)))
}
