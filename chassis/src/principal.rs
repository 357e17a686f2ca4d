//! Who calls: what a handler established about the caller.

use std::sync::Arc;

use serde::Serialize;
use serde_json::{Map, Value};

/// A caller that proved who it is. Cheap to clone.
#[derive(Clone, Debug, PartialEq)]
pub struct Principal(Arc<Identity>);

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
    /// Everything else its proof says.
    pub claims: Map<String, Value>,
}

impl Principal {
    /// A caller with this identity.
    pub fn new(identity: Identity) -> Self {
        Self(Arc::new(identity))
    }

    /// Who it is, unique within its scheme.
    pub fn subject(&self) -> &str {
        &self.0.subject
    }

    /// Whether it was granted `scope`.
    pub fn has_scope(&self, scope: &str) -> bool {
        self.0.scopes.iter().any(|granted| granted == scope)
    }

    /// Whether it has `role`.
    pub fn has_role(&self, role: &str) -> bool {
        self.0.roles.iter().any(|had| had == role)
    }

    /// Everything known about it.
    pub fn identity(&self) -> &Identity {
        &self.0
    }
}
