//! Without a command: the service serves until it is told to stop.

use std::io::stderr;
use std::panic::resume_unwind;
use std::process::ExitCode;
use std::time::Duration;

use futures_util::StreamExt;
use tokio::runtime::Builder;
use tokio::task::{JoinError, spawn_blocking};

use super::color::Reader;
use super::{Flags, broken, fail};
use crate::app::{App, Prepared, StartError};
use crate::clock::Clock;
use crate::conf::root::Log;
use crate::descriptors;
use crate::lifecycle::{Exit, Signals};
use crate::outbox::Lines;
use crate::telemetry;

/// How long tasks that nobody stopped may take to let go of their threads.
const LEFT_OVER: Duration = Duration::from_millis(500);

pub(super) fn run(app: App, flags: &Flags) -> ExitCode {
    attempt(app, flags).unwrap_or_else(|error| fail(&error, flags))
}

/// Nothing says yet how lines are to look, so they look as they do by default.
fn unread(error: StartError, flags: &Flags) -> StartError {
    telemetry::report(&coloured(&Log::default(), flags), &error);
    error
}

fn attempt(app: App, flags: &Flags) -> Result<ExitCode, StartError> {
    descriptors::raise_limit();
    match prepare(app, flags).map_err(|error| unread(error, flags))? {
        Some((prepared, signals)) => serve(prepared, signals, flags),
        None => Ok(Exit::Clean.into()),
    }
}

/// Listens to signals, and only then reads and proves the configuration, which also says how many threads there will
/// be: hence a runtime of its own. `None` if a signal came first.
fn prepare(app: App, flags: &Flags) -> Result<Option<(Prepared, Signals)>, StartError> {
    let runtime = Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| broken("the runtime", &error))?;
    let sources = flags.sources(app.package());
    let outcome = runtime.block_on(async {
        let mut signals = Signals::listen().map_err(|error| broken("signals", &error))?;
        let preparing = spawn_blocking(move || app.prepare(&sources));
        tokio::select! {
            biased;
            prepared = preparing => Ok(Some((whole(prepared)?, signals))),
            Some(signal) = signals.next() => {
                let log = coloured(&Log::default(), flags);
                let _levels = telemetry::install(&log, &Lines::default(), Clock::system());
                tracing::info!(%signal, "told to end before the configuration was read");
                Ok(None)
            }
        }
    });
    if let Ok(None) = outcome {
        // What is being read may never come to an end. Else the thread that read has ended when this has.
        runtime.shutdown_background();
    }
    outcome
}

/// What a task came to. Its panic is ours; and nobody cancels it.
fn whole<T>(outcome: Result<Result<T, StartError>, JoinError>) -> Result<T, StartError> {
    match outcome.map_err(JoinError::try_into_panic) {
        Ok(outcome) => outcome,
        Err(Ok(panic)) => resume_unwind(panic),
        Err(Err(_)) => Err(StartError::Abandoned),
    }
}

fn serve(prepared: Prepared, signals: Signals, flags: &Flags) -> Result<ExitCode, StartError> {
    let workers = prepared.conf.root.runtime.workers.count();
    let runtime = Builder::new_multi_thread().worker_threads(workers).enable_all().build();
    let runtime = runtime.map_err(|error| broken("the runtime", &error))?;
    let log = coloured(&prepared.conf.root.log, flags);
    let _levels = telemetry::install(&log, prepared.lines(), prepared.clock());
    let read: Vec<String> = prepared.read().iter().map(ToString::to_string).collect();
    let (service, version) = (prepared.name(), prepared.version());
    let (schemas, operations) = (prepared.schemas().join(", "), prepared.operations().len());
    let (revision, read) = (prepared.revision(), read.join(", "));
    tracing::info!(service, version, revision, schemas, operations, workers, read, "starting");
    for warning in prepared.warnings() {
        tracing::warn!("{warning}");
    }
    let exit = runtime.block_on(prepared.serve_until(signals));
    // Whatever still runs has been given all the time it may take; to wait for it here could be to wait for ever.
    runtime.shutdown_timeout(LEFT_OVER);
    exit.map(ExitCode::from).inspect_err(|error| telemetry::report(&log, error))
}

/// The same log in the colours that the command line, the configuration and the environment agree on.
fn coloured(log: &Log, flags: &Flags) -> Log {
    Log { colour: flags.color.of_log(log.colour, Reader::of(&stderr())), ..log.clone() }
}
