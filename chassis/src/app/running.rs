//! A service that answers calls.

use std::collections::HashMap;
use std::future::Future;
use std::sync::{Arc, Mutex};

use serde::de::DeserializeOwned;
use tokio::time::timeout;

use super::components::{Components, Starter, whole};
use super::error::{Rejected, StartError};
use super::instances::Instances;
use super::plan::Planned;
use super::prepared::Prepared;
use super::process;
use crate::background::{First, Works};
use crate::component::Starting;
use crate::conf::BuildError;
use crate::generated::read;
use crate::lock::locked;
use crate::memory;
use crate::operation::Operation;
use crate::provider::{Components as ByType, Provider, Target};
use crate::schema::{Endpoint, Mounted};

/// A service that answers calls, with its components.
pub struct Running {
    handle: Handle,
    components: Components,
}

/// Changes what a running service answers. Cheap to clone.
#[derive(Clone)]
pub struct Handle(Arc<State>);

struct State {
    provider: Provider,
    prepared: Prepared,
    // Held while a new snapshot is made, so that two changes at once do not undo each other.
    mounted: Mutex<(Vec<Mounted>, Instances)>,
    components: Arc<ByType>,
    works: Mutex<Works>,
}

impl Running {
    /// Starts components, then schemas, until `told` ends. What was started is stopped again if something fails.
    pub(super) async fn start(prepared: Prepared, told: impl Future<Output = ()>) -> Result<Self, StartError> {
        let conf = |name: &str| prepared.conf.component(name).value();
        let mut starter = Starter::new(&prepared.catalog.components, &conf);
        let outcome = unless(told, in_time(&prepared, &mut starter)).await;
        let components = starter.finish();
        match outcome {
            Ok(linked) => Ok(Self::assemble(prepared, linked, components)),
            Err(error) => {
                if timeout(prepared.conf.root.drain.grace.0, components.stop()).await.is_err() {
                    tracing::warn!("what was started did not stop in time");
                }
                Err(error)
            }
        }
    }

    fn assemble(prepared: Prepared, linked: Vec<Mounted>, components: Components) -> Self {
        let by_type = Arc::new(components.by_type());
        let mounted: Vec<Mounted> = linked.into_iter().chain(prepared.mounted.iter().cloned()).collect();
        let snapshot = prepared.proven.snapshot(&mounted, Arc::clone(&by_type));
        let tools = &prepared.tools;
        let provider = Provider::watched(snapshot, tools.clock, tools.watch());
        process::observe(&tools.process.metrics, tools.clock);
        let mut works = Works::default();
        works.begin(tools.process.background.take_works());
        let instances = prepared.proven.plan.instances.clone();
        let state = State {
            provider,
            prepared,
            mounted: Mutex::new((mounted, instances)),
            components: by_type,
            works: Mutex::new(works),
        };
        Self { handle: Handle(Arc::new(state)), components }
    }

    /// The way in for protocols.
    pub fn provider(&self) -> &Provider {
        &self.handle.0.provider
    }

    /// Changes what the service answers.
    pub fn handle(&self) -> &Handle {
        &self.handle
    }

    /// Stops the components, the last started first. What goes on beside the calls ends with the last [`Handle`].
    pub async fn stop(self) {
        self.components.stop().await;
    }
}

/// Takes a step, unless the process is told to end before it is done.
pub(super) async fn unless<T>(
    told: impl Future<Output = ()>,
    step: impl Future<Output = Result<T, StartError>>,
) -> Result<T, StartError> {
    tokio::select! {
        biased;
        () = told => Err(StartError::Abandoned),
        outcome = step => outcome,
    }
}

/// Starts everything, unless `start.deadline` comes first.
async fn in_time(prepared: &Prepared, starter: &mut Starter<'_>) -> Result<Vec<Mounted>, StartError> {
    let deadline = prepared.conf.root.start.deadline;
    let outcome = timeout(deadline.0, everything(prepared, starter)).await;
    outcome.unwrap_or_else(|_| {
        let error = BuildError::new("", format!("`start.deadline` ({deadline}) is over, and it has not started"));
        let error = error.with_help("find out what it waits for, or raise `start.deadline`");
        Err(match starter.under_way() {
            Some(name) => prepared.failed("component", name, error),
            None => StartError::Failed { what: "a schema".to_owned(), error },
        })
    })
}

async fn everything(prepared: &Prepared, starter: &mut Starter<'_>) -> Result<Vec<Mounted>, StartError> {
    starter.start_all().await.map_err(|(name, error)| prepared.failed("component", name, error))?;
    for First { name, work } in prepared.tools.process.background.take_first() {
        work.await.map_err(|error| prepared.failed("handler", &name, error))?;
    }
    schemas(prepared, starter).await
}

async fn schemas(prepared: &Prepared, starter: &mut Starter<'_>) -> Result<Vec<Mounted>, StartError> {
    let mut mounted = Vec::new();
    for entry in prepared.linked_schemas() {
        let conf = prepared.conf.schema(entry.head.name).value();
        let built = whole((entry.build)(conf, &mut Starting::new(starter))).await;
        mounted.extend(built.map_err(|error| prepared.failed("schema", entry.head.name, error))?);
    }
    Ok(mounted)
}

impl Handle {
    /// Gives back what only the start took.
    pub(super) fn settle(&self) {
        self.0.prepared.conf.put_away();
        memory::give_back();
    }

    /// Ends what goes on beside the calls: what is not sent yet is sent.
    pub(super) async fn end_works(&self) {
        let works = std::mem::take(&mut *locked(&self.0.works));
        works.end().await;
    }

    /// Adds operations to those that are answered, or replaces those of the same id, and swaps the snapshot. Calls in
    /// flight end on the old one.
    ///
    /// # Errors
    /// What is wrong with the new operations; nothing is changed then.
    pub fn mount(&self, operations: impl IntoIterator<Item = Mounted>) -> Result<(), StartError> {
        let added: Vec<Mounted> = operations.into_iter().collect();
        self.change(|mounted| {
            mounted.retain(|old| added.iter().all(|new| new.operation.id != old.operation.id));
            mounted.extend(added.iter().cloned());
        })
    }

    /// Takes away the operations for which `keep` is false.
    ///
    /// # Errors
    /// What would be wrong with what is left; nothing is changed then.
    pub fn retain(&self, keep: impl Fn(&Operation) -> bool) -> Result<(), StartError> {
        self.change(|mounted| mounted.retain(|old| keep(&old.operation)))
    }

    /// What `schemas.NAME` says to a schema that was announced with
    /// [`App::expect_mounted_with`](super::App::expect_mounted_with).
    ///
    /// # Errors
    /// The schema was announced with another type, and the value does not fit this one.
    pub fn conf<C: DeserializeOwned>(&self, schema: &str) -> Result<C, StartError> {
        let section = self.0.prepared.conf.schema(schema);
        read(section.value()).map_err(|error| Rejected::conf([section.problem(&error)]).into())
    }

    fn change(&self, change: impl FnOnce(&mut Vec<Mounted>)) -> Result<(), StartError> {
        let state = &*self.0;
        let mut held = locked(&state.mounted);
        let mut mounted = held.0.clone();
        change(&mut mounted);
        let warnings = &state.prepared.tools.warnings;
        let told = warnings.all().len();
        let proven = state.prepared.prove(&mounted, held.1.next())?;
        warnings.all().iter().skip(told).for_each(|warning| tracing::warn!("{}", warning.message));
        state.provider.swap(proven.snapshot(&mounted, Arc::clone(&state.components)));
        *held = (mounted, proven.plan.instances);
        state.prepared.conf.put_away();
        let works = state.prepared.tools.process.background.take_works();
        locked(&state.works).begin(works);
        Ok(())
    }
}

/// Joins planned operations with what answers them.
pub(super) fn targets<'a>(
    planned: impl Iterator<Item = &'a Planned>,
    mounted: &[Mounted],
    absent: &Arc<dyn Endpoint>,
) -> Vec<Target> {
    let endpoints: HashMap<&str, &Arc<dyn Endpoint>> =
        mounted.iter().map(|mounted| (mounted.operation.id.as_str(), &mounted.endpoint)).collect();
    let target = |planned: &Planned| Target {
        operation: planned.operation.clone(),
        chain: planned.chain.clone(),
        preflight: planned.preflight.clone(),
        endpoint: Arc::clone(endpoints.get(planned.operation.id.as_str()).unwrap_or(&absent)),
        timeout: planned.operation.timeout,
    };
    planned.map(target).collect()
}
