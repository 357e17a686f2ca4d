//! What was linked in: the slices that the attributes fill, sorted, without duplicates.

use std::any::TypeId;
use std::sync::Arc;

use linkme::distributed_slice;
use schemars::{Schema, SchemaGenerator};
use serde_json::Value;

use crate::chain::Form;
use crate::component::{Running, Starting};
use crate::condition::{Comparison, When};
use crate::conf::{BuildContext, BuildError, Requirement};
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

/// The operators of conditions that were linked in, beside those of chassis.
#[distributed_slice]
pub static CHASSIS_OPERATORS_V1: [OperatorEntry];

/// What was linked in, sorted by name: the order in which the linker placed the entries changes between profiles.
#[derive(Clone, Default)]
pub struct Catalog {
    /// The schemas.
    pub schemas: Vec<&'static SchemaEntry>,
    /// The handlers.
    pub handlers: Vec<&'static HandlerEntry>,
    /// The components.
    pub components: Vec<&'static ComponentEntry>,
    /// The protocols.
    pub protocols: Vec<&'static ProtocolEntry>,
    /// The operators of conditions.
    pub operators: Vec<&'static OperatorEntry>,
}

impl Catalog {
    /// Everything that was linked into this program.
    ///
    /// # Errors
    /// Every name that two entries of a kind share, with the places of both.
    pub fn linked() -> Result<Self, Vec<Duplicate>> {
        let mut duplicates = Vec::new();
        let catalog = Self {
            schemas: sorted("schema", &CHASSIS_SCHEMAS_V1, |entry| &entry.head, &mut duplicates),
            handlers: sorted("handler", &CHASSIS_HANDLERS_V1, |entry| &entry.head, &mut duplicates),
            components: sorted("component", &CHASSIS_COMPONENTS_V1, |entry| &entry.head, &mut duplicates),
            protocols: sorted("protocol", &CHASSIS_PROTOCOLS_V1, |entry| &entry.head, &mut duplicates),
            operators: sorted("operator", &CHASSIS_OPERATORS_V1, |entry| &entry.head, &mut duplicates),
        };
        if duplicates.is_empty() { Ok(catalog) } else { Err(duplicates) }
    }

    /// The protocol of this name.
    pub fn protocol(&self, name: &str) -> Option<&'static ProtocolEntry> {
        self.protocols.iter().copied().find(|entry| entry.head.name == name)
    }

    /// The handler of this name.
    pub fn handler(&self, name: &str) -> Option<&'static HandlerEntry> {
        self.handlers.iter().copied().find(|entry| entry.head.name == name)
    }
}

fn sorted<T>(
    kind: &'static str,
    entries: &'static [T],
    head: fn(&T) -> &Head,
    duplicates: &mut Vec<Duplicate>,
) -> Vec<&'static T> {
    let mut entries: Vec<&T> = entries.iter().collect();
    entries.sort_by_key(|entry| (head(entry).name, head(entry).location));
    let pairs = entries.windows(2).filter(|pair| head(pair[0]).name == head(pair[1]).name);
    duplicates.extend(pairs.map(|pair| {
        let (first, second) = (head(pair[0]), head(pair[1]));
        Duplicate { kind, name: first.name, first: first.location, second: second.location }
    }));
    entries
}

/// A name that two entries of a kind share.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the {kind} `{name}` is declared twice: at {first} and at {second}; rename one of them")]
pub struct Duplicate {
    /// Schema, handler, component, protocol or operator.
    pub kind: &'static str,
    /// The name.
    pub name: &'static str,
    /// Where one is written.
    pub first: Location,
    /// Where the other is.
    pub second: Location,
}

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
    /// Tries whether it could be made from its part of the configuration, as far as the type of that can say.
    pub accepts: fn(Value) -> Result<(), BuildError>,
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
    /// Whether it wraps those behind it, and may answer without them.
    pub wraps: bool,
    /// Whether it answers preflights (Fetch §3.2.2): those pass the chain of the operation that they ask about as far as
    /// this handler.
    pub preflight: bool,
    /// Tries whether it could be made from its part of the configuration, as far as the type of that can say.
    pub accepts: fn(Value) -> Result<(), BuildError>,
    /// Makes it from its part of the configuration.
    pub build: fn(Value, &BuildContext<'_>) -> Result<Built, BuildError>,
    /// Proves that what is made of this part of the configuration can stand before these operations.
    pub suits: fn(Value, &[&Operation]) -> Result<(), BuildError>,
}

/// A handler that was made from its part of the configuration.
#[derive(Clone)]
pub struct Built {
    /// What runs.
    pub form: Form,
    /// What that configuration requires of those before it, beside what [`HandlerEntry::requires`] says.
    pub requires: Vec<Requirement>,
    /// The conditions in that configuration, with their keys.
    pub conditions: Vec<(String, When)>,
    /// The marks it may give to calls, if it is known to give no others.
    pub marks: Option<Vec<String>>,
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
    /// Tries whether it could be made from its part of the configuration, as far as the type of that can say.
    pub accepts: fn(Value) -> Result<(), BuildError>,
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
    /// Whether a listener that is configured so asks its callers for certificates, and verifies them.
    pub asks_for_certificates: fn(&Value) -> bool,
}

/// A type marked `#[operator]`.
#[derive(Clone, Copy)]
pub struct OperatorEntry {
    /// What it says of itself. Conditions name it under `custom`.
    pub head: Head,
    /// Whether it must hold of all values and spellings.
    pub denies: bool,
    /// Makes it from what YAML says beside its name.
    pub build: fn(Value) -> Result<Comparison, BuildError>,
}

#[cfg(test)]
mod tests {
    use super::*;

    static ENTRIES: [Head; 3] = [head("b", 1), head("a", 3), head("a", 2)];

    const fn head(name: &'static str, line: u32) -> Head {
        Head { name, doc: "", location: Location { file: "here.rs", line, column: 1 }, conf: |_| true.into() }
    }

    #[test]
    fn entries_are_sorted_and_a_shared_name_is_reported_with_both_places() {
        let mut duplicates = Vec::new();
        let names: Vec<_> =
            sorted("handler", &ENTRIES, |entry| entry, &mut duplicates).iter().map(|e| e.name).collect();
        assert_eq!(names, ["a", "a", "b"]);
        assert_eq!(
            duplicates[0].to_string(),
            "the handler `a` is declared twice: at here.rs:2:1 and at here.rs:3:1; rename one of them"
        );
    }
}
