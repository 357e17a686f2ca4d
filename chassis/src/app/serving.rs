//! Serves until it is told to stop: binds before it starts, so that nothing is half started when an address is taken.

use std::future::Future;

use tokio::sync::watch;
use tokio::task::JoinSet;

use super::error::StartError;
use super::prepared::Prepared;
use super::routes;
use super::running::Running;
use crate::admin::{Admin, Page};
use crate::conf::BuildError;
use crate::lifecycle::{Departure, Exit, Lifecycle, Signals, Stage};
use crate::protocol::{Bound, Phase, Served};

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
        let (listen, listing) = (self.conf.root.admin.listen.clone(), self.conf.listing());
        let running = self.start().await?;
        let provider = running.provider().clone();
        let shown = provider.clone();
        let pages = Admin::new(lifecycle.clone())
            .with_page(Page::of(
                "/routes",
                "the operations, and the chain before each",
                move || routes::text(&provider.snapshot().targets),
                move || routes::document(&shown.snapshot().targets),
            ))
            .with_page(conf_page(listing));
        let admin = match pages.bind(&listen).await {
            Ok(admin) => admin,
            Err(error) => {
                running.stop().await;
                return Err(StartError::Failed { what: "listener admin".to_owned(), error });
            }
        };
        tracing::info!(listener = "admin", address = %admin.address(), "listening");
        let (phase, admin_phase) = (watch::Sender::new(Phase::Serving), watch::Sender::new(Phase::Serving));
        let operators = tokio::spawn(admin.serve(admin_phase.subscribe()));
        let serving = serve_all(&running, listeners, &phase);
        let departure = Departure { lifecycle: &lifecycle, phase: &phase, drain: &drain, clock };
        let exit = departure.run(signals, serving, running.stop(), std::future::ready(())).await;
        // Operators see the process leave until there is nothing left to see.
        admin_phase.send_replace(Phase::Cutting);
        let _ = operators.await;
        debug_assert!(lifecycle.stage() == Stage::Stopping);
        Ok(exit)
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
