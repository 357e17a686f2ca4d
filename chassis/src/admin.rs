//! The listener for operators: probes, and pages that show what the process is and does.
//!
//! It has its own address and takes as many connections as come: whoever operates the service gets in also when its
//! callers have used up everything else. A probe answers by its status; Kubernetes reads no more than that.
//!
//! | path | 200 while | otherwise |
//! |---|---|---|
//! | `/livez` | the process runs; nothing it depends on counts | |
//! | `/readyz` | calls should be sent here: it is ready, and every check passes | 503 |
//! | `/startupz` | it has started, also when it drains | 503 |
//!
//! `?verbose` lists the checks, `?exclude=NAME` leaves one out, and `/readyz/NAME` asks one alone, as Kubernetes' own
//! servers do. `?format=json`, or an `Accept` that names JSON, gives any page as a document.

use std::future::{Future, Ready, ready};
use std::sync::Arc;

use axum::body::Body;
use http::{Request, Response};
use tokio::sync::watch;

use crate::conf::BuildError;
use crate::invocation::Peer;
use crate::lifecycle::Lifecycle;
use crate::protocol::{Address, Listen, Phase, Refusals, Served};
use crate::wire::{Connection, Flaw, Limits, Serve, Sockets, serve};

mod page;
mod probe;
mod site;

pub use page::{Asked, Page, document, text};
pub use probe::Check;

use site::Site;

/// The listener for operators, not yet listening.
pub struct Admin {
    lifecycle: Lifecycle,
    checks: Vec<Check>,
    pages: Vec<Page>,
}

impl Admin {
    /// Shows the probes of this process.
    pub fn new(lifecycle: Lifecycle) -> Self {
        Self { lifecycle, checks: Vec::new(), pages: Vec::new() }
    }

    /// Makes readiness depend on a check.
    #[must_use]
    pub fn with_check(mut self, check: Check) -> Self {
        self.checks.push(check);
        self
    }

    /// Shows a page.
    #[must_use]
    pub fn with_page(mut self, page: Page) -> Self {
        self.pages.push(page);
        self
    }

    /// Takes the address.
    ///
    /// # Errors
    /// It is in use, is not of this machine, or may not be used.
    pub async fn bind(self, listen: &Listen) -> Result<BoundAdmin, BuildError> {
        let sockets = Sockets::bind(listen).await?;
        let pages = probe::pages(&self.lifecycle, self.checks).into_iter().chain(self.pages).collect();
        Ok(BoundAdmin { sockets, site: Arc::new(Site::new(pages)) })
    }
}

/// The listener for operators, with its address.
pub struct BoundAdmin {
    sockets: Sockets,
    site: Arc<Site>,
}

impl BoundAdmin {
    /// The address, with the port the system chose where the configuration said 0.
    pub fn address(&self) -> Address {
        self.sockets.address()
    }

    /// Serves operators until the phase says to stop: after all others, so that they see how the process leaves.
    pub fn serve(self, phase: watch::Receiver<Phase>) -> impl Future<Output = Served> + Send + use<> {
        let limits = Limits { connections: usize::MAX, ..Limits::default() };
        async move { serve(self.sockets, self.site, &limits, phase).await }
    }
}

impl Serve for Arc<Site> {
    type Connection = Self;

    fn connect(&self, _: Peer) -> Self {
        Self::clone(self)
    }

    /// What operators send wrong is nobody's business.
    fn refusals(&self) -> Arc<Refusals> {
        Arc::default()
    }
}

impl Connection for Arc<Site> {
    type Answer = Ready<Response<Body>>;

    fn call(&mut self, request: Request<Body>) -> Self::Answer {
        ready(self.answer(&request.into_parts().0))
    }

    fn refuse(&mut self, _: Request<Body>, flaw: Flaw) -> Self::Answer {
        ready(flaw.into_response())
    }
}

#[cfg(test)]
mod tests;
