//! Who calls: what a handler established about the caller.

use std::sync::Arc;

use serde::Serialize;
use serde_json::{Map, Value};

/// A caller that proved who it is. Cheap to clone.
#[derive(Clone, Debug, PartialEq)]
pub struct Principal(Arc<Handle>);

/// What a clone counts on, on a cache line of its own.
#[derive(Debug, PartialEq)]
#[repr(align(64))]
struct Handle(Arc<Identity>);

/// What is known about a caller.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Identity {
    /// Who it is, unique within its scheme.
    pub subject: String,
    /// How it proved that: `jwt`, `basic`, …
    pub scheme: String,
    /// What it was granted.
    pub scopes: Vec<String>,
    /// What it is.
    pub roles: Vec<String>,
    /// Everything its proof says.
    pub claims: Map<String, Value>,
}

impl Principal {
    /// A caller with this identity.
    pub fn new(identity: Identity) -> Self {
        Self(Arc::new(Handle(Arc::new(identity))))
    }

    /// The same caller with a count of its own: threads that clone one principal all the time wait for each other,
    /// threads that clone one each do not.
    pub(crate) fn detached(&self) -> Self {
        Self(Arc::new(Handle(Arc::clone(&self.0.0))))
    }

    /// Who it is, unique within its scheme.
    pub fn subject(&self) -> &str {
        &self.identity().subject
    }

    /// Whether it was granted `scope`.
    pub fn has_scope(&self, scope: &str) -> bool {
        self.identity().scopes.iter().any(|granted| granted == scope)
    }

    /// Whether it has `role`.
    pub fn has_role(&self, role: &str) -> bool {
        self.identity().roles.iter().any(|had| had == role)
    }

    /// Everything known about it.
    pub fn identity(&self) -> &Identity {
        &self.0.0
    }
}
