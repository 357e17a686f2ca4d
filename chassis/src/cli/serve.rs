//! Without a command: the service serves until it is told to stop.

use std::process::ExitCode;
use std::time::Duration;

use tokio::runtime::Builder;

use super::{Flags, Package, broken, fail};
use crate::app::{App, Prepared, StartError};
use crate::telemetry;

/// How long tasks that nobody stopped may take to let go of their threads.
const LEFT_OVER: Duration = Duration::from_millis(500);

pub(super) fn run(app: App, flags: &Flags) -> ExitCode {
    let package = app.package();
    match flags.prepare(app).and_then(|prepared| serve(package, prepared)) {
        Ok(code) => code,
        Err(error) => fail(&error, flags),
    }
}

fn serve(package: Package, prepared: Prepared) -> Result<ExitCode, StartError> {
    let workers = prepared.conf.root.runtime.workers.count();
    let runtime = Builder::new_multi_thread().worker_threads(workers).enable_all().build();
    let runtime = runtime.map_err(|error| broken("the runtime", &error))?;
    let _levels = telemetry::install(&prepared.conf.root.log);
    let read: Vec<String> = prepared.read().iter().map(ToString::to_string).collect();
    let (service, version) = (package.name, package.version);
    tracing::info!(service, version, workers, read = read.join(", "), "starting");
    for warning in prepared.warnings() {
        tracing::warn!("{warning}");
    }
    let exit = runtime.block_on(prepared.serve());
    // Whatever still runs has been given all the time it may take; to wait for it here could be to wait for ever.
    runtime.shutdown_timeout(LEFT_OVER);
    exit.map(ExitCode::from)
}
