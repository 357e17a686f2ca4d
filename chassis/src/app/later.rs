//! Schemas that are mounted while the service runs, so that configuration can speak of them before they are there.

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::conf::{BuildError, Conf, Kind, Part, Problem};
use crate::generated;
use crate::operation::Text;

/// A schema that is mounted while the service runs.
#[derive(Clone)]
pub(crate) struct Later {
    pub(crate) name: Text,
    part: Option<Typed>,
}

/// What YAML may say about it.
#[derive(Clone, Copy)]
struct Typed {
    schema: fn(&mut SchemaGenerator) -> Schema,
    accepts: fn(Value) -> Result<(), BuildError>,
}

impl Later {
    /// One of which YAML says nothing but its name.
    pub(super) fn named(name: impl Into<Text>) -> Self {
        Self { name: name.into(), part: None }
    }

    /// One of which YAML may say this.
    pub(super) fn configured<C: DeserializeOwned + JsonSchema>(name: impl Into<Text>) -> Self {
        let typed = Typed { schema: C::json_schema, accepts: generated::accepts::<C> };
        Self { name: name.into(), part: Some(typed) }
    }

    /// Its part of the configuration.
    pub(super) fn part(&self) -> Option<Part> {
        let conf = self.part?.schema;
        Some(Part { kind: Kind::Schema, name: self.name.to_string(), doc: String::new(), conf })
    }

    /// What it could not be made with.
    pub(super) fn refused(&self, conf: &Conf) -> Option<Problem> {
        let section = conf.schema(&self.name);
        let accepts = self.part.filter(|_| !section.is_broken())?.accepts;
        accepts(section.value()).err().map(|error| section.problem(&error))
    }
}
