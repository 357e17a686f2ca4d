//! Serves until it is told to stop: binds before it starts, so that nothing is half started when an address is taken.

use std::future::Future;
use std::sync::{Arc, OnceLock};

use tokio::sync::watch;
use tokio::task::JoinSet;

use super::error::StartError;
use super::prepared::Prepared;
use super::routes;
use super::running::Running;
use crate::admin::{Admin, BoundAdmin, Page};
use crate::conf::BuildError;
use crate::lifecycle::{Departure, Exit, Lifecycle, Signals};
use crate::protocol::{Bound, Phase, Served};
use crate::provider::Provider;

/// The listeners, with their addresses, under their names.
type Listeners = Vec<(String, Box<dyn Bound>)>;

impl Prepared {
    /// Serves until a signal, and drains. Must be called within a runtime.
    ///
    /// # Errors
    /// An address is in use, or a component or schema does not start; whatever was started is stopped again.
    pub async fn serve(self) -> Result<Exit, StartError> {
        let signals = Signals::listen().map_err(|error| failed("signals", error.to_string()))?;
        let lifecycle = Lifecycle::new();
        let listeners = self.bind().await?;
        let (drain, clock) = (self.conf.root.drain.clone(), self.tools.clock);
        let (answering, admin) = self.operators(&lifecycle).await?;
        let (phase, admin_phase) = (watch::Sender::new(Phase::Serving), watch::Sender::new(Phase::Serving));
        let operators = tokio::spawn(admin.serve(admin_phase.subscribe()));
        let running = self.start().await?;
        // Set once, here.
        let _ = answering.set(running.provider().clone());
        let serving = serve_all(&running, listeners, &phase);
        let departure = Departure { lifecycle: &lifecycle, phase: &phase, drain: &drain, clock };
        let exit = departure.run(signals, serving, running.stop(), std::future::ready(())).await;
        // Operators see the process leave until there is nothing left to see.
        admin_phase.send_replace(Phase::Cutting);
        let _ = operators.await;
        Ok(exit)
    }

    /// Takes the address for operators, so that they see the process start. What they see of its routes is empty until
    /// the provider is there.
    async fn operators(&self, lifecycle: &Lifecycle) -> Result<(Arc<OnceLock<Provider>>, BoundAdmin), StartError> {
        let answering = Arc::new(OnceLock::<Provider>::new());
        let (text, json) = (Arc::clone(&answering), Arc::clone(&answering));
        let routes = Page::of(
            "/routes",
            "the operations, and the chain before each",
            move || text.get().map(|provider| routes::text(&provider.snapshot().targets)).unwrap_or_default(),
            move || json.get().map(|provider| routes::document(&provider.snapshot().targets)).unwrap_or_default(),
        );
        let admin = Admin::new(lifecycle.clone()).with_page(routes).with_page(conf_page(self.conf.listing()));
        let admin = admin.bind(&self.conf.root.admin.listen).await;
        let admin = admin.map_err(|error| StartError::Failed { what: "listener admin".to_owned(), error })?;
        tracing::info!(listener = "admin", address = %admin.address(), "listening");
        Ok((answering, admin))
    }

    /// Takes the addresses of all listeners.
    async fn bind(&self) -> Result<Listeners, StartError> {
        let mut bound = Vec::new();
        for (name, listener) in self.listeners()? {
            let listener = listener.bind().await.map_err(|error| self.failed("protocol", &name, error))?;
            bound.push((name, listener));
        }
        Ok(bound)
    }
}

/// Serves every listener. The future ends when all of them have.
fn serve_all(
    running: &Running,
    listeners: Listeners,
    phase: &watch::Sender<Phase>,
) -> impl Future<Output = Served> + Send + use<> {
    let mut tasks = JoinSet::new();
    for (name, listener) in listeners {
        // The snapshot was made from the same list of listeners.
        let Some(entry) = running.provider().entry(&name) else { continue };
        tracing::info!(listener = name, address = %listener.address(), "listening");
        tasks.spawn(listener.serve(entry, phase.subscribe()));
    }
    async move {
        let mut all = Served::default();
        while let Some(served) = tasks.join_next().await {
            all.cut += served.unwrap_or_default().cut;
        }
        all
    }
}

fn conf_page(listing: crate::conf::listing::Listing) -> Page {
    let shown = listing.clone();
    Page::of(
        "/conf",
        "the effective configuration, and where each value comes from",
        move || listing.to_string(),
        move || serde_json::to_value(&shown).unwrap_or_default(),
    )
}

fn failed(what: &str, message: String) -> StartError {
    StartError::Failed { what: what.to_owned(), error: BuildError::new("", message) }
}
