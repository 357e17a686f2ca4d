//! What a listener lets in, where there is no listener.

use std::collections::HashMap;
use std::sync::Arc;

use axum::body::Body;
use http::Request;

use crate::app::{Prepared, Rejected, StartError};
use crate::conf::{BuildError, Section, typed};
use crate::protocols::rest;
use crate::provider::Entry;
use crate::wire::Flaw;
use crate::wire::check::{self, Head};

/// The doors of a service: one for each listener.
#[derive(Clone)]
pub(super) struct Doors(Arc<HashMap<String, Door>>);

/// What one listener lets in.
#[derive(Clone, Copy)]
pub(super) struct Door {
    head: Head,
    max_body: u64,
}

impl Doors {
    /// What configuration says about each listener that speaks REST. Calls at one that speaks something else are HTTP
    /// here too, and nothing is known of its limits.
    ///
    /// # Errors
    /// What is wrong with that.
    pub(super) fn of(prepared: &Prepared) -> Result<Self, StartError> {
        let listeners = prepared.conf.listeners.iter().filter(|listener| listener.protocol == "rest");
        let (mut doors, mut problems) = (HashMap::new(), Vec::new());
        for listener in listeners {
            let section = prepared.conf.listener(&listener.name);
            match Door::of(&section) {
                Ok(door) => drop(doors.insert(listener.name.clone(), door)),
                Err(error) => problems.push(section.problem(&error)),
            }
        }
        if problems.is_empty() { Ok(Self(Arc::new(doors))) } else { Err(Rejected::conf(problems).into()) }
    }

    /// The door of the listener of this name; `None` if it speaks something else than REST.
    pub(super) fn at(&self, listener: &str) -> Option<Door> {
        self.0.get(listener).copied()
    }
}

impl Door {
    fn of(section: &Section<'_>) -> Result<Self, BuildError> {
        let conf: rest::Conf = typed(section.value())?;
        Ok(Self { head: conf.limits()?.head(), max_body: conf.max_body.0 })
    }

    /// Lets calls in by this way no larger than the listener would.
    pub(super) fn narrow(self, entry: Entry) -> Entry {
        entry.with_body_limit(self.max_body)
    }

    /// The request as the listener would hand it on, and why it is no call if it is none.
    pub(super) fn check(self, mut request: Request<Body>) -> (Request<Body>, Option<Flaw>) {
        let flaw = check::request(&mut request, self.head).err();
        (request, flaw)
    }
}
