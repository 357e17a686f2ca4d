//! Who calls: what a handler established about the caller.

use std::fmt;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::sync::Arc;

use serde::Serialize;
use serde_json::{Map, Value};

/// A caller that proved who it is. Cheap to clone.
#[derive(Clone)]
pub struct Principal(Arc<Handle<dyn Kept>>);

/// What clones count on. Whatever remembers a caller keeps what it needs to know beside the count, which a call looks up
/// anyway: each place in memory more is one that is in no cache when many callers take turns. Whoever keeps a caller for
/// long keeps that too.
pub(crate) struct Handle<K: ?Sized> {
    identity: Arc<Identity>,
    pub(crate) kept: K,
}

/// Something that is kept beside the count.
pub(crate) trait Kept: Send + Sync + UnwindSafe + RefUnwindSafe {}

impl<K: Send + Sync + UnwindSafe + RefUnwindSafe> Kept for K {}

/// Nothing, and so much of it that no two counts are on one cache line.
struct Apart {
    _room: [u64; 4],
}

impl<K> Handle<K> {
    /// A count of its own for this caller, and what is kept beside it.
    pub(crate) fn new(principal: &Principal, kept: K) -> Self {
        Self { identity: Arc::clone(&principal.0.identity), kept }
    }

    /// The same caller with a count of its own: threads that clone one principal all the time wait for each other,
    /// threads that clone one each do not.
    pub(crate) fn apart(&self) -> Principal {
        Principal::counted(Arc::clone(&self.identity))
    }
}

impl<K: Kept + 'static> From<Arc<Handle<K>>> for Principal {
    fn from(handle: Arc<Handle<K>>) -> Self {
        Self(handle)
    }
}

impl PartialEq for Principal {
    fn eq(&self, other: &Self) -> bool {
        self.identity() == other.identity()
    }
}

impl fmt::Debug for Principal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Principal").field(self.identity()).finish()
    }
}

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
        Self::counted(Arc::new(identity))
    }

    fn counted(identity: Arc<Identity>) -> Self {
        Self(Arc::new(Handle { identity, kept: Apart { _room: [0; 4] } }))
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
        &self.0.identity
    }
}
