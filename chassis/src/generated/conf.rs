//! Makes the values of fields: from configuration, or from nothing.

use std::ops::RangeBounds;

use serde::de::{DeserializeOwned, Error};
use serde::{Deserialize, Deserializer};
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
