//! Operators that a service brings along: how texts are compared where chassis has no word for it.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::operator::Check;
use crate::catalog::CHASSIS_OPERATORS_V1;
use crate::conf::BuildError;

/// An operator on texts that every condition can use: a type marked `#[operator("name")]`.
///
/// YAML names it under `custom`, with what it is made from: `when: { header: { x-client: { custom: { since: '1.4' } } } }`.
/// A field or parameter that is not there fits none. A path is handed over as operations are found by it: decoded and, where a
/// slash at its end does not count, with it and without.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an operator",
    label = "`Operator` is not implemented for it",
    note = "mark the type `#[operator(\"name\")]` and write `impl Operator for {Self}`"
)]
pub trait Operator: Sized + Send + Sync + 'static {
    /// What YAML says beside its name: a `String`, a number, a `bool`, a list, or a struct marked `#[conf]`; neither `()` nor an
    /// `Option`, because a key without a value is refused.
    type Conf: DeserializeOwned + JsonSchema;

    /// Whether it says what a text is not. Of several values of a field, and spellings of a path, it must then hold of all,
    /// as `not` must: otherwise whoever sends another value would pass it by. Others must hold of one.
    const DENIES: bool = false;

    /// Makes it, when the service starts, for each place that names it; under `path` twice.
    ///
    /// # Errors
    /// What is wrong with what YAML says, and what to write instead; the service does not start.
    fn build(conf: Self::Conf) -> Result<Self, BuildError>;

    /// Whether this text passes.
    fn holds(&self, text: &str) -> bool;
}

/// Compares a text with what YAML says.
pub type Comparison = Box<dyn Fn(&str) -> bool + Send + Sync>;

/// Makes the operator of this name from what YAML says beside it.
pub(super) fn build(name: &str, conf: &Value) -> Result<Check, BuildError> {
    let key = format!("custom.{name}");
    let Some(entry) = CHASSIS_OPERATORS_V1.iter().find(|entry| entry.head.name == name) else {
        let help = format!("link in the crate with the type that is marked `#[operator(\"{name}\")]`");
        return Err(BuildError::new(key, format!("there is no operator `{name}`")).with_help(help));
    };
    let comparison = (entry.build)(conf.clone()).map_err(|error| error.below(&key))?;
    Ok(if entry.denies { Check::Denying(comparison) } else { Check::Custom(comparison) })
}

/// The schema of the map that names them: those that are linked in.
pub(super) fn schema(generator: &mut SchemaGenerator) -> Schema {
    let conf =
        CHASSIS_OPERATORS_V1.iter().map(|entry| (entry.head.name.to_owned(), (entry.head.conf)(generator).into()));
    let properties: Map<String, Value> = conf.collect();
    json_schema!({
        "type": "object",
        "properties": properties,
        "additionalProperties": false,
        "x-names": "operator",
        "x-narrows": true,
    })
}
