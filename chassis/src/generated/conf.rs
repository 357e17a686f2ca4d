//! Makes the values of fields: from configuration, or from nothing.

use std::fmt::Debug;
use std::ops::RangeBounds;

use schemars::JsonSchema;
use serde::de::{DeserializeOwned, Error};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

use crate::conf::{BuildError, typed};

/// Reads a part's configuration into its type. Where YAML says nothing, a part that takes no configuration, `()`,
/// and one whose every value has a default are both content.
///
/// # Errors
/// The first value that does not fit, with its key.
pub fn read<C: DeserializeOwned>(value: Value) -> Result<C, BuildError> {
    let said_nothing = value.is_null() || value.as_object().is_some_and(Map::is_empty);
    match said_nothing {
        true => typed(Value::Object(Map::new())).or_else(|error| typed(Value::Null).map_err(|_| error)),
        false => typed(value),
    }
}

/// Whether a part's configuration can be read into its type.
///
/// # Errors
/// The first value that does not fit, with its key.
pub fn accepts<C: DeserializeOwned>(value: Value) -> Result<(), BuildError> {
    read::<C>(value).map(drop)
}

/// Reads a value that must be in a range; `words` say which.
///
/// # Errors
/// It is not.
pub fn within<'de, D, T>(deserializer: D, range: impl RangeBounds<T>, words: &str) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + PartialOrd,
{
    let value = T::deserialize(deserializer)?;
    if range.contains(&value) { Ok(value) } else { Err(D::Error::custom(format_args!("it must be {words}"))) }
}

/// Reads a value that may be absent and otherwise must be in a range.
///
/// # Errors
/// It is there and it is not in the range.
pub fn within_option<'de, D, T>(deserializer: D, range: impl RangeBounds<T>, words: &str) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + PartialOrd,
{
    match Option::<T>::deserialize(deserializer)? {
        Some(value) if !range.contains(&value) => Err(D::Error::custom(format_args!("it must be {words}"))),
        value => Ok(value),
    }
}

/// What a field of a conf can hold.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a value of a conf",
    label = "YAML cannot fill this",
    note = "mark `{Self}` with `#[conf]` too if it is yours; otherwise use a type that is `Clone`, `Debug`, `Serialize`, `Deserialize` and `JsonSchema`"
)]
pub trait ConfValue {}

#[diagnostic::do_not_recommend]
impl<T: Clone + Debug + Serialize + DeserializeOwned + JsonSchema> ConfValue for T {}

/// Compiles where `T` can be a value of a conf, and says what to do where it cannot: the derives only say what is missing.
pub const fn conf_value<T: ConfValue>() {}

/// What a field of a schema can be when nothing says what it is.
#[diagnostic::on_unimplemented(
    message = "this field of the schema cannot be filled: `{Self}` has no default",
    label = "neither `#[conf]`, nor a `Component<T>`, nor `Default`",
    note = "mark the field `#[conf]` to read it from YAML, `#[new(path)]` to call a function, or implement `Default` for `{Self}`"
)]
pub trait Fresh {
    /// Makes it.
    fn fresh() -> Self;
}

#[diagnostic::do_not_recommend]
impl<T: Default> Fresh for T {
    fn fresh() -> Self {
        T::default()
    }
}

/// Makes the value of a field that nothing says anything about.
pub fn fresh<T: Fresh>() -> T {
    T::fresh()
}
