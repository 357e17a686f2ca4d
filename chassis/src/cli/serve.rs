//! Without a command: the service serves until it is told to stop.

use std::process::ExitCode;

use tokio::runtime::{Builder, Runtime};
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::{Common, Package, broken, fail};
use crate::app::{Prepared, StartError};
use crate::conf::Conf;
use crate::protocol::Phase;

pub(super) fn run(package: Package, common: &Common) -> ExitCode {
    match common.prepare(package).and_then(|prepared| Ok((runtime(&prepared.conf)?, prepared))) {
        Ok((runtime, prepared)) => runtime.block_on(serve(prepared, common)),
        Err(error) => fail(&error, common),
    }
}

fn runtime(_conf: &Conf) -> Result<Runtime, StartError> {
    Builder::new_multi_thread().enable_all().build().map_err(|error| broken("the runtime", &error))
}

async fn serve(prepared: Prepared, common: &Common) -> ExitCode {
    let listeners = prepared.listeners();
    let listeners = match listeners {
        Ok(listeners) => listeners,
        Err(error) => return fail(&error, common),
    };
    let mut bound = Vec::new();
    for (name, listener) in listeners {
        match listener.bind().await {
            Ok(listener) => bound.push((name, listener)),
            Err(error) => return fail(&StartError::Failed { what: format!("listener {name}"), error }, common),
        }
    }
    let running = match prepared.start().await {
        Ok(running) => running,
        Err(error) => return fail(&error, common),
    };
    let (sender, phase) = watch::channel(Phase::Serving);
    let mut set = JoinSet::new();
    for (name, listener) in bound {
        tracing::info!(listener = name, address = %listener.address(), "listening");
        if let Some(entry) = running.provider().entry(&name) {
            set.spawn(listener.serve(entry, phase.clone()));
        }
    }
    let _ = tokio::signal::ctrl_c().await;
    let _ = sender.send(Phase::Cutting);
    while set.join_next().await.is_some() {}
    running.stop().await;
    ExitCode::SUCCESS
}
