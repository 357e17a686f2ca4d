//! Looks at the files of a listener from time to time, so that certificates are exchanged without a new start.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arc_swap::ArcSwap;
use rustls::ServerConfig;

use super::Acceptor;
use super::material::Material;
use super::metric::Reloads;
use crate::conf::{BuildError, Files};
use crate::wire::tls::Credentials;

/// What is looked at, and what it was when it was looked at last.
pub(super) struct Rotation {
    credentials: Credentials,
    files: Arc<dyn Files + Send + Sync>,
    current: Arc<ArcSwap<ServerConfig>>,
    until: Arc<AtomicU64>,
    seen: Result<[u8; 32], BuildError>,
    /// What is in use.
    used: [u8; 32],
    reloads: Reloads,
}

impl Rotation {
    /// That of a listener; `None` where its files cannot change.
    pub(super) fn of(acceptor: Acceptor) -> Option<Self> {
        let Acceptor { credentials, current, until, seen, files, metrics, .. } = acceptor;
        let (files, reloads) = (files?, Reloads::of(&metrics));
        Some(Self { credentials, files, current, until, seen: Ok(seen), used: seen, reloads })
    }

    /// Looks again and again.
    pub(super) async fn run(mut self) {
        loop {
            tokio::time::sleep(self.credentials.reload).await;
            // Reading may take its time where the files are on another machine.
            let Ok(looked) = tokio::task::spawn_blocking(move || self.look()).await else { break };
            self = looked;
        }
        // The runtime is being shut down, or reading panicked: what is in use stays in use.
        std::future::pending::<()>().await;
    }

    /// Takes what the files hold if that has changed and is good. Two of them may have been exchanged one after the other,
    /// and not fit each other yet: what is refused now is looked at again next time.
    pub(super) fn look(mut self) -> Self {
        let read = Material::read(&self.credentials, &*self.files);
        let seen = read.as_ref().map(Material::digest).map_err(Clone::clone);
        if seen == self.seen {
            return self;
        }
        self.seen = seen;
        // They may be again what they were before they were not good.
        if self.seen == Ok(self.used) {
            return self;
        }
        match read.and_then(|material| Ok((material.config(&self.credentials)?, material.until()))) {
            Ok((config, until)) => self.take(config, until.unwrap_or(0)),
            Err(error) => self.refuse(&error),
        }
        self
    }

    fn take(&mut self, config: ServerConfig, until: u64) {
        self.current.store(Arc::new(config));
        self.until.store(until, Ordering::Relaxed);
        self.used = self.seen.clone().unwrap_or(self.used);
        self.reloads.taken.increment();
        tracing::info!(certificate = %self.credentials.certificate, "new connections get another certificate from now on");
    }

    fn refuse(&self, error: &BuildError) {
        self.reloads.refused.increment();
        let help = error.help.as_deref();
        tracing::warn!(%error, help, "certificate files changed and are not good: the former are used on");
    }
}
