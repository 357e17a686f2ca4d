//! Starts components in the order they need each other and stops them in the reverse of it.

use std::any::TypeId;
use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures_util::FutureExt;
use serde_json::Value;

use crate::catalog::ComponentEntry;
use crate::component::{Running, Starting, Supply};
use crate::conf::BuildError;
use crate::schema::BoxFuture;

/// The components that run, in the order they were started.
#[derive(Default)]
pub(crate) struct Components {
    running: Vec<(&'static str, TypeId, Arc<dyn Running>)>,
}

impl Components {
    /// Stops all of them, the last started first.
    pub(crate) async fn stop(self) {
        for (name, _, component) in self.running.into_iter().rev() {
            component.stop().await;
            tracing::debug!(component = name, "component stopped");
        }
    }

    /// What calls can ask for by type.
    pub(crate) fn by_type(&self) -> HashMap<TypeId, Arc<dyn Running>> {
        self.running.iter().map(|(_, id, component)| (*id, Arc::clone(component))).collect()
    }

    fn find(&self, id: TypeId) -> Option<&Arc<dyn Running>> {
        self.running.iter().find(|(_, known, _)| *known == id).map(|(_, _, component)| component)
    }
}

/// Starts what it is asked for, and what that needs first.
pub(crate) struct Starter<'a> {
    entries: &'a [&'static ComponentEntry],
    conf: &'a (dyn Fn(&str) -> Value + Sync),
    started: Components,
    // The components that are starting, outermost first: one that is asked for again needs itself.
    under_way: Vec<(&'static str, TypeId)>,
    // The one that failed, which those that need it only pass on.
    failed: Option<&'static str>,
}

impl<'a> Starter<'a> {
    /// Nothing started yet; `conf` hands out the configuration of a component.
    pub(crate) fn new(entries: &'a [&'static ComponentEntry], conf: &'a (dyn Fn(&str) -> Value + Sync)) -> Self {
        Self { entries, conf, started: Components::default(), under_way: Vec::new(), failed: None }
    }

    /// Starts every linked component. On failure the caller stops those that were started: [`Starter::finish`].
    pub(crate) async fn start_all(&mut self) -> Result<(), (&'static str, BuildError)> {
        for entry in self.entries {
            if let Err(error) = self.ensure(entry).await {
                return Err((self.failed.unwrap_or(entry.head.name), error));
            }
        }
        Ok(())
    }

    /// The component that is starting, the innermost of those that need each other.
    pub(crate) fn under_way(&self) -> Option<&'static str> {
        self.under_way.last().map(|(name, _)| *name)
    }

    /// The components that were started.
    pub(crate) fn finish(self) -> Components {
        self.started
    }

    async fn ensure(&mut self, entry: &'static ComponentEntry) -> Result<Arc<dyn Running>, BuildError> {
        let id = (entry.id)();
        if let Some(running) = self.started.find(id) {
            return Ok(Arc::clone(running));
        }
        self.refuse_cycle(entry.head.name, id)?;
        self.under_way.push((entry.head.name, id));
        let conf = (self.conf)(entry.head.name);
        let outcome = whole((entry.start)(conf, &mut Starting::new(self))).await;
        self.under_way.pop();
        let running = outcome.inspect_err(|_| {
            self.failed.get_or_insert(entry.head.name);
        })?;
        self.started.running.push((entry.head.name, id, Arc::clone(&running)));
        tracing::debug!(component = entry.head.name, "component started");
        Ok(running)
    }

    fn refuse_cycle(&self, name: &str, id: TypeId) -> Result<(), BuildError> {
        let Some(first) = self.under_way.iter().position(|(_, known)| *known == id) else { return Ok(()) };
        let path: Vec<&str> = self.under_way[first..].iter().map(|(name, _)| *name).chain([name]).collect();
        let message = format!("components need each other in a circle: {}", path.join(" → "));
        Err(BuildError::new("", message)
            .with_help("let one of them take the other later, or split what they share into a third"))
    }
}

/// Runs what makes a part of the service; its panic is a failure like any other, and what was started is stopped again.
pub(super) async fn whole<T>(making: BoxFuture<'_, Result<T, BuildError>>) -> Result<T, BuildError> {
    AssertUnwindSafe(making).catch_unwind().await.unwrap_or_else(|panic| {
        let message = panic.downcast_ref::<&str>().copied();
        let message = message.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("no message");
        let error = BuildError::new("", format!("it panicked: {message}"));
        Err(error.with_help("the log says where; return a `BuildError` for what can be wrong at a start"))
    })
}

impl Supply for Starter<'_> {
    fn supply(&mut self, id: TypeId, name: &'static str) -> BoxFuture<'_, Result<Arc<dyn Running>, BuildError>> {
        Box::pin(async move {
            let entry = self.entries.iter().copied().find(|entry| (entry.id)() == id);
            let entry = entry.ok_or_else(|| {
                BuildError::new("", format!("component `{name}` is not linked in")).with_help(
                    "mark it `#[component(\"name\")]`, and name its crate in `main.rs` (`use the_crate as _;`)",
                )
            })?;
            self.ensure(entry).await
        })
    }
}
