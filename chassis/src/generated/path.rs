//! Checks the names of path parameters that only types, or two attributes together, can tell.

use std::fmt;

use serde::de::{DeserializeOwned, Deserializer, Error, Visitor};
use serde::forward_to_deserialize_any;

/// The fields that `T` is read from, if it is read by name.
pub fn fields<T: DeserializeOwned>() -> Option<&'static [&'static str]> {
    T::deserialize(Ask).err().and_then(|Told(fields)| fields)
}

/// Asks a type how it wants to be read, and gives it nothing.
struct Ask;

/// What the type told.
#[derive(Debug)]
struct Told(Option<&'static [&'static str]>);

impl<'de> Deserializer<'de> for Ask {
    type Error = Told;

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Told> {
        Err(Told(None))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        _: V,
    ) -> Result<V::Value, Told> {
        Err(Told(Some(fields)))
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Told> {
        visitor.visit_newtype_struct(self)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        seq tuple tuple_struct map enum identifier ignored_any
    }
}

impl fmt::Display for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("nothing was read")
    }
}

impl std::error::Error for Told {}

impl Error for Told {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self(None)
    }
}

/// Whether the path parameters of a schema's prefix are those that `#[operations]` names.
pub const fn has_parameters(prefix: &str, names: &[&str]) -> bool {
    let (prefix, mut at, mut found) = (prefix.as_bytes(), 0, 0);
    while at < prefix.len() {
        if prefix[at] == b'{' {
            if found == names.len() || !stands_at(prefix, at + 1, names[found].as_bytes()) {
                return false;
            }
            found += 1;
            at = end(prefix, at);
        }
        at += 1;
    }
    found == names.len()
}

/// Whether a parameter that begins here has this name.
const fn stands_at(text: &[u8], start: usize, name: &[u8]) -> bool {
    let mut at = 0;
    while at < name.len() {
        if start + at >= text.len() || text[start + at] != name[at] {
            return false;
        }
        at += 1;
    }
    start + at < text.len() && matches!(text[start + at], b'}' | b':')
}

/// Where the brace that opens here is closed.
const fn end(text: &[u8], start: usize) -> usize {
    let (mut at, mut depth) = (start, 0);
    while at < text.len() {
        match text[at] {
            b'{' => depth += 1,
            b'}' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return at;
        }
        at += 1;
    }
    at
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Deserialize)]
    struct Point {
        #[serde(rename = "x")]
        _x: u8,
        #[serde(rename = "y")]
        _y: u8,
    }

    #[derive(Deserialize)]
    struct Wrapper(#[expect(dead_code, reason = "only its type is asked")] Point);

    #[test]
    fn a_struct_tells_its_fields_and_a_single_value_none() {
        assert_eq!(fields::<Point>(), Some(&["x", "y"][..]));
        assert_eq!(fields::<Wrapper>(), Some(&["x", "y"][..]));
        assert_eq!(fields::<String>(), None);
        assert_eq!(fields::<(u8, u8)>(), None);
    }

    #[test]
    fn the_prefix_agrees_when_names_and_order_do() {
        assert!(has_parameters("/users/{user}/posts/{post:[0-9]{3}}", &["user", "post"]));
        assert!(has_parameters("/users", &[]));
        for (prefix, names) in [
            ("/users/{username}", &["user"][..]),
            ("/users/{user}", &["username"]),
            ("/users/{user}", &[]),
            ("/users", &["user"]),
            ("/{a}/{b}", &["b", "a"]),
        ] {
            assert!(!has_parameters(prefix, names), "{prefix} {names:?}");
        }
    }
}
