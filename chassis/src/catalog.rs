//! What was linked in: the slices that the attributes fill, sorted, without duplicates.

use std::any::TypeId;
use std::sync::Arc;

use linkme::distributed_slice;
use schemars::{Schema, SchemaGenerator};
use serde_json::Value;

use crate::chain::Form;
use crate::component::{Running, Starting};
use crate::conf::{BuildContext, BuildError};
use crate::operation::{Location, Operation};
use crate::protocol::Listener;
use crate::schema::{BoxFuture, Mounted};

/// The schemas that were linked in. The version in the name grows with the type of the entries.
#[distributed_slice]
pub static CHASSIS_SCHEMAS_V1: [SchemaEntry];

/// The handlers that were linked in.
#[distributed_slice]
pub static CHASSIS_HANDLERS_V1: [HandlerEntry];

/// The components that were linked in.
#[distributed_slice]
pub static CHASSIS_COMPONENTS_V1: [ComponentEntry];

/// The protocols that were linked in.
#[distributed_slice]
pub static CHASSIS_PROTOCOLS_V1: [ProtocolEntry];

/// What every entry says of itself.
#[derive(Clone, Copy, Debug)]
pub struct Head {
    /// The name in YAML.
    pub name: &'static str,
    /// What it is: the doc comment, Markdown.
    pub doc: &'static str,
    /// Where it is written.
    pub location: Location,
    /// The JSON Schema (2020-12) of its part of the configuration.
    pub conf: fn(&mut SchemaGenerator) -> Schema,
}

/// A struct marked `#[schema]`.
#[derive(Clone, Copy)]
pub struct SchemaEntry {
    /// What it says of itself.
    pub head: Head,
    /// Its operations, without an instance.
    pub operations: fn() -> Vec<Operation>,
    /// Makes an instance from `schemas.NAME` and binds the operations to it.
    pub build: for<'a> fn(Value, &'a mut Starting<'_>) -> BoxFuture<'a, Result<Vec<Mounted>, BuildError>>,
}

/// A type marked `#[handler]`.
#[derive(Clone, Copy)]
pub struct HandlerEntry {
    /// What it says of itself.
    pub head: Head,
    /// The facts that must be established before it.
    pub requires: &'static [&'static str],
    /// The facts it establishes.
    pub provides: &'static [&'static str],
    /// Where in a chain it may stand.
    pub place: Place,
    /// Whether a chain may list it more than once.
    pub repeatable: bool,
    /// Makes it from its part of the configuration.
    pub build: fn(Value, &BuildContext<'_>) -> Result<Form, BuildError>,
}

/// Where in a chain a handler may stand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Place {
    /// Anywhere.
    #[default]
    Any,
    /// Before each of these, where both are listed.
    Before(&'static [&'static str]),
    /// After each of these, where both are listed.
    After(&'static [&'static str]),
}

/// A type marked `#[component]`.
#[derive(Clone, Copy)]
pub struct ComponentEntry {
    /// What it says of itself.
    pub head: Head,
    /// Its type.
    pub id: fn() -> TypeId,
    /// Starts it.
    pub start: for<'a> fn(Value, &'a mut Starting<'_>) -> BoxFuture<'a, Result<Arc<dyn Running>, BuildError>>,
}

/// A protocol.
#[derive(Clone, Copy)]
pub struct ProtocolEntry {
    /// What it says of itself. Listeners are configured under `protocols.NAME` and `protocols.NAME-…`.
    pub head: Head,
    /// Makes a listener from its part of the configuration.
    pub build: fn(Value, &BuildContext<'_>) -> Result<Box<dyn Listener>, BuildError>,
}
