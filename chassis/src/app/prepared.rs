//! A service whose configuration is accepted and whose chains and routes are proved, before anything is started.

use std::future::{pending, ready};
use std::sync::Arc;

use super::error::StartError;
use super::instances::{Instances, Tools};
use super::plan::{Plan, Planned, plan};
use super::running::{Running, targets};
use super::tables::{self, Served};
use super::{Started, addresses, dead, linked, operations};
use crate::catalog::{Catalog, SchemaEntry};
use crate::chain::Chain;
use crate::cli::Package;
use crate::conf::Conf;
use crate::conf::origin::Origin;
use crate::conf::root::TrailingSlash;
use crate::conf::source::Read;
use crate::conf::{BuildError, ConfError, Problem, Sources};
use crate::fault::Fault;
use crate::invocation::Invocation;
use crate::operation::Operation;
use crate::protocol::Listener;
use crate::provider::{Admitted, Components, Provider, Snapshot, Way};
use crate::reply::Reply;
use crate::route::{self, Table};
use crate::schema::{BoxFuture, Endpoint, Mounted};

/// A service that can be started.
pub struct Prepared {
    pub(crate) catalog: Catalog,
    pub(crate) conf: Conf,
    pub(super) mounted: Vec<Mounted>,
    pub(super) tools: Tools,
    pub(crate) proven: Proven,
    pub(super) started: Option<Started>,
}

/// The chains of all operations and the tables that lead to them.
pub(crate) struct Proven {
    pub(crate) plan: Plan,
    pub(crate) tables: Vec<(String, Arc<Table>)>,
}

impl Prepared {
    pub(super) fn new(
        package: Package,
        catalog: Catalog,
        mounted: Vec<Mounted>,
        tools: Tools,
        sources: &Sources,
    ) -> Result<Self, StartError> {
        let operations = operations(&catalog, &mounted);
        linked::something(package, &catalog, &operations)?;
        linked::distinct(&operations)?;
        let conf = linked::configuration(&catalog, &operations, sources)?;
        let instances = Instances::new(tools.clone());
        let proven = prove(&catalog, &conf, operations, instances).map_err(|error| unread(&conf, error))?;
        Ok(Self { catalog, conf, mounted, tools, proven, started: None })
    }

    /// What is suspicious and does not keep the service from starting.
    pub fn warnings(&self) -> Vec<String> {
        let empty = self.proven.plan.operations.iter().filter(|planned| planned.chain.steps.is_empty());
        let empty = empty.map(|planned| {
            let chain = &planned.chain.name;
            format!("chain `{chain}` is empty: nothing runs before `{}`", planned.operation.id)
        });
        let tables = self.proven.tables.iter();
        let shadowed = tables.flat_map(|(_, table)| table.warnings().iter().map(ToString::to_string));
        let dead = dead::warnings(&self.conf, &self.proven.plan.operations);
        self.tools
            .warnings
            .all()
            .into_iter()
            .map(|warning| warning.message)
            .chain(empty)
            .chain(shadowed)
            .chain(dead)
            .collect()
    }

    /// The listeners that configuration says there are, not yet listening, with their names.
    ///
    /// # Errors
    /// What is wrong with their configuration.
    pub(crate) fn listeners(&self) -> Result<Vec<(String, Box<dyn Listener>)>, StartError> {
        let context = self.tools.context(None);
        let (mut listeners, mut problems) = (Vec::new(), Vec::new());
        for (name, _) in &self.proven.tables {
            let opened = self.conf.listeners.iter().find(|opened| opened.name == *name);
            let entry = opened.and_then(|opened| self.catalog.protocol(&opened.protocol));
            let Some(entry) = entry else { continue };
            let section = self.conf.listener(name);
            match (entry.build)(section.value(), &context) {
                Ok(listener) => listeners.push((name.clone(), listener)),
                Err(error) => problems.push(section.problem(&error)),
            }
        }
        if problems.is_empty() { Ok(listeners) } else { Err(StartError::Conf(ConfError::new(problems))) }
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
            (Way::Preflight, Some(chain)) => chain,
            (Way::Ungranted, _) => &plan.ungranted,
            _ => &planned.chain,
        };
        (planned, chain)
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
        let by_hand = |name: &str| self.mounted.iter().any(|mounted| mounted.operation.schema == name);
        self.catalog.schemas.iter().copied().filter(move |entry| !by_hand(entry.head.name))
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
        StartError::Failed { what: format!("{what}{}", place.unwrap_or_default()), error }
    }

    /// Proves these operations under the same configuration.
    pub(super) fn prove(&self, mounted: &[Mounted], instances: Instances) -> Result<Proven, StartError> {
        let operations: Vec<_> = mounted.iter().map(|mounted| mounted.operation.clone()).collect();
        linked::distinct(&operations)?;
        prove(&self.catalog, &self.conf, operations, instances)
    }
}

/// Says first that nothing was read, or that what was read configures no service, where that is likely to be why something is wrong.
fn unread(conf: &Conf, error: StartError) -> StartError {
    if let (StartError::Conf(wrong), true) = (&error, conf.is_reference()) {
        return StartError::Reference(wrong.clone());
    }
    let absent = conf.read().iter().find_map(|read| match read {
        Read::Absent(file) => Some(file),
        _ => None,
    });
    let (StartError::Conf(wrong), Some(file)) = (&error, absent) else { return error };
    let missing = BuildError::new("", format!("no configuration was read: there is no {file} here"));
    let missing = missing.with_help("start the service where that file is, or name another with `--conf FILE`");
    StartError::Conf(ConfError::new([conf.problem("", &missing)].into_iter().chain(wrong.problems.iter().cloned())))
}

fn prove(
    catalog: &Catalog,
    conf: &Conf,
    mut operations: Vec<Operation>,
    instances: Instances,
) -> Result<Proven, StartError> {
    tables::name_parameters(&mut operations);
    let mut schemas: Vec<&str> = operations.iter().map(|operation| &*operation.schema).collect();
    schemas.sort_unstable();
    schemas.dedup();
    let served = conf.listeners.serving(&schemas).map(|(opened, schemas)| Served { listener: &opened.name, schemas });
    let served: Vec<_> = served.collect();
    let clashes = addresses::clashes(conf, served.iter().map(|served| served.listener));
    let tables = tables::build(&served, &operations, routing(conf));
    let plan = without(clashes, plan(&operations, conf, catalog, instances)).map_err(StartError::Conf)?;
    Ok(Proven { plan, tables: tables? })
}

/// What was made, if nothing else is wrong either.
fn without<T>(problems: Vec<Problem>, made: Result<T, ConfError>) -> Result<T, ConfError> {
    match made {
        Ok(made) if problems.is_empty() => Ok(made),
        Ok(_) => Err(ConfError::new(problems)),
        Err(error) => Err(ConfError::new(error.problems.into_iter().chain(problems))),
    }
}

impl Proven {
    /// Joins the chains with what answers behind them.
    pub(super) fn snapshot(&self, mounted: &[Mounted], components: Arc<Components>) -> Snapshot {
        let absent: Arc<dyn Endpoint> = Arc::new(Absent);
        Snapshot {
            listeners: self.tables.clone(),
            targets: targets(self.plan.operations.iter(), mounted, &absent),
            unmatched: self.plan.unmatched.chain.clone(),
            ungranted: self.plan.ungranted.clone(),
            timeout: self.plan.unmatched.operation.timeout,
            components,
        }
    }
}

fn routing(conf: &Conf) -> route::Conf {
    let trailing_slash = match conf.root.routing.trailing_slash {
        TrailingSlash::Ignore => route::TrailingSlash::Ignore,
        TrailingSlash::Strict => route::TrailingSlash::Strict,
    };
    route::Conf { trailing_slash }
}

/// Stands where an operation would be, if it were started.
struct Absent;

impl Endpoint for Absent {
    fn call<'a>(&'a self, _: &'a mut Invocation) -> BoxFuture<'a, Reply> {
        Box::pin(ready(Fault::internal("the operation was not started").into()))
    }
}
