//! The chains of all operations and the tables that lead to them, proved before anything is started.

use std::future::ready;
use std::sync::Arc;

use super::addresses;
use super::error::Rejected;
use super::instances::Instances;
use super::linked;
use super::plan::{Plan, Planned, plan};
use super::running::targets;
use super::tables::{self, Tables};
use crate::catalog::Catalog;
use crate::conf::Conf;
use crate::conf::root::TrailingSlash;
use crate::fault::Fault;
use crate::invocation::Invocation;
use crate::operation::Operation;
use crate::provider::{Components, Snapshot};
use crate::reply::Reply;
use crate::route;
use crate::schema::{BoxFuture, Endpoint, Mounted};

/// The chains of all operations and the tables that lead to them.
pub(crate) struct Proven {
    pub(crate) plan: Plan,
    pub(crate) tables: Tables,
    /// Names configuration and operations together.
    pub(crate) revision: Arc<str>,
}

/// What operations are proved under.
#[derive(Clone, Copy)]
pub(super) struct Given<'a> {
    pub(super) catalog: &'a Catalog,
    pub(super) conf: &'a Conf,
    pub(super) listeners: &'a [String],
    /// Whether operations may come that are not known yet.
    pub(super) may_grow: bool,
}

impl Given<'_> {
    /// Proves these operations.
    ///
    /// # Errors
    /// Everything that is wrong with their ids, chains and routes, and with the addresses they are served at.
    pub(super) fn prove(self, mut operations: Vec<Operation>, instances: Instances) -> Result<Proven, Rejected> {
        let Self { catalog, conf, listeners, .. } = self;
        tables::assign(&mut operations, listeners, conf, catalog);
        tables::name_parameters(&mut operations);
        let mut rejected = linked::distinct(&operations);
        rejected.conf.extend(addresses::clashes(conf, listeners));
        let tables = tables::build(listeners, &operations, routing(conf));
        let plan = plan(&operations, self, instances);
        match (tables, plan) {
            (Ok(tables), Ok(plan)) if rejected.is_empty() => {
                let revision = revision(conf, &plan.operations);
                Ok(Proven { plan, tables, revision })
            }
            (tables, plan) => {
                rejected.routes.extend(tables.err().into_iter().flatten());
                rejected.conf.extend(plan.err().into_iter().flatten());
                Err(rejected)
            }
        }
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
            revision: Arc::clone(&self.revision),
            components,
        }
    }
}

/// Names the configuration, without its secrets and whoever says it, and the operations: the same on all instances
/// that answer alike.
fn revision(conf: &Conf, operations: &[Planned]) -> Arc<str> {
    let values = conf.listing().values.into_iter();
    let mut told: String = values.map(|listed| format!("{}: {}\n", listed.key, listed.value)).collect();
    operations.iter().for_each(|planned| told.push_str(&planned.operation.id));
    // FNV-1a: it tells revisions apart, and need not keep anybody from making two that are the same.
    let mix = |hash: u64, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    format!("{:016x}", told.bytes().fold(0xcbf2_9ce4_8422_2325, mix)).into()
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
