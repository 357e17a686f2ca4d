//! Serves until it is told to stop: binds before it starts, so that nothing is half started when an address is taken.

use std::future::Future;
use std::sync::Arc;

use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

use super::error::StartError;
use super::pages;
use super::prepared::Prepared;
use super::running::{Running, unless};
use crate::admin::{Admin, BoundAdmin};
use crate::conf::BuildError;
use crate::lifecycle::{Arrival, Departure, Exit, Lifecycle, Signals, Stage};
use crate::memory::Rounded;
use crate::protocol::{Bound, Phase, Served};

/// The listeners, with their addresses, under their names.
type Listeners = Vec<(String, Box<dyn Bound>)>;

/// The listener for operators, and where the provider goes that it shows.
type Operators = (pages::Shown, BoundAdmin);

impl Prepared {
    /// Serves until a signal, and drains. A signal that comes before everything is started ends the start: what was
    /// started is stopped again. Must be called within a runtime.
    ///
    /// # Errors
    /// An address is in use, or a component or schema does not start; whatever was started is stopped again.
    pub async fn serve(self) -> Result<Exit, StartError> {
        let signals = Signals::listen().map_err(|error| failed("signals", error.to_string()))?;
        self.serve_until(signals).await
    }

    /// The same, for who listens to signals already.
    pub(crate) async fn serve_until(self, mut signals: Signals) -> Result<Exit, StartError> {
        let lifecycle = Lifecycle::new();
        let (drain, clock) = (self.conf.root.drain.clone(), self.tools.clock);
        let arrival = Arrival { lifecycle: &lifecycle, drain: &drain };
        let launched = arrival.run(&mut signals, self.launch(lifecycle.clone()), undo).await;
        let Some(launched) = launched else { return Ok(Exit::Clean) };
        let Launched { running, listeners, operators, watched } = launched?;
        let phase = watch::Sender::new(Phase::Serving);
        running.provider().follow(phase.subscribe());
        let serving = serve_all(&running, listeners, &phase);
        let departure = Departure { lifecycle: &lifecycle, phase: &phase, drain: &drain, clock };
        let handle = running.handle().clone();
        handle.settle();
        let exit = departure.run(signals, serving, running.stop(), async move { handle.end_works().await }).await;
        // Operators see the process leave until there is nothing left to see.
        watched.send_replace(Phase::Cutting);
        let _ = operators.await;
        Ok(exit)
    }

    /// Takes the addresses, then starts everything behind them.
    async fn launch(mut self, lifecycle: Lifecycle) -> Result<Launched, StartError> {
        let (listeners, (answering, admin)) =
            unless(lifecycle.left(Stage::Starting), self.addresses(&lifecycle)).await?;
        let memory = self.tools.process.memory.bound();
        let total = Rounded(memory.total.0).to_string();
        tracing::info!(total, parts = memory.listed(), "memory: worst case");
        let watched = watch::Sender::new(Phase::Serving);
        let operators = tokio::spawn(admin.serve(watched.subscribe()));
        let started = self.started.take();
        let running = Running::start(self, lifecycle.left(Stage::Starting)).await?;
        if let Some(started) = started {
            started(running.handle().clone());
        }
        // Set once, here.
        let _ = answering.set(running.provider().clone());
        Ok(Launched { running, listeners, operators, watched })
    }

    /// Takes all addresses, and says every one that cannot be had.
    async fn addresses(&self, lifecycle: &Lifecycle) -> Result<(Listeners, Operators), StartError> {
        let (mut bound, mut failures) = (Vec::new(), Vec::new());
        for (name, listener) in self.listeners()? {
            match listener.bind().await {
                Ok(listener) => bound.push((name, listener)),
                Err(error) => failures.push(self.failed("protocol", &name, error)),
            }
        }
        let operators = match self.operators(lifecycle).await {
            Ok(operators) => Some(operators),
            Err(error) => {
                failures.push(error);
                None
            }
        };
        let operators = StartError::gather(operators, failures)?;
        operators.map(|operators| (bound, operators)).ok_or(StartError::Abandoned)
    }

    /// Takes the address for operators, so that they see the process start. What they see of its routes is empty until
    /// the provider is there.
    async fn operators(&self, lifecycle: &Lifecycle) -> Result<Operators, StartError> {
        let shown = pages::Shown::default();
        let process = &self.tools.process;
        let admin = Admin::new(lifecycle.clone())
            .with_page(pages::of_routes(&shown))
            .with_page(pages::of_conf(&shown, self.conf.listing()))
            .with_page(pages::of_metrics(process.metrics.clone(), self.resource.clone()))
            .with_page(pages::of_refusals(Arc::clone(&self.tools.receipts)));
        let admin = admin.bind(&self.conf.root.admin.listen).await;
        let admin = admin.map_err(|error| self.failed_at("listener `admin`", "admin", error))?;
        let address = admin.address();
        tracing::info!(listener = "admin", %address, url = address.url(), "listening");
        Ok((shown, admin))
    }
}

/// A service that was started, and does not answer yet.
struct Launched {
    running: Running,
    listeners: Listeners,
    /// The listener for operators, and what tells it to end.
    operators: JoinHandle<Served>,
    watched: watch::Sender<Phase>,
}

/// Stops what was started by the time that the process was told to end.
async fn undo(launched: Result<Launched, StartError>) {
    match launched {
        Ok(launched) => launched.running.stop().await,
        Err(StartError::Abandoned) => {}
        Err(error) => tracing::warn!(%error, "the start failed as well"),
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
        let address = listener.address();
        tracing::info!(listener = name, %address, url = listener.url(), "listening");
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

fn failed(what: &str, message: String) -> StartError {
    StartError::Failed { what: what.to_owned(), error: BuildError::new("", message) }
}
