//! How a condition is written: derived, an untagged enum would not say what is wrong within it, nor where.

use std::fmt;

use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use super::{Test, When};

impl<'de> Deserialize<'de> for When {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(OneOrMany)
    }
}

/// Reads one entry or a list of them.
struct OneOrMany;

impl<'de> Visitor<'de> for OneOrMany {
    type Value = When;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("what holds of the calls, such as `method: [POST]`, or a list of that")
    }

    fn visit_map<A: MapAccess<'de>>(self, keys: A) -> Result<When, A::Error> {
        Deserialize::deserialize(MapAccessDeserializer::new(keys)).map(When::All)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, entries: A) -> Result<When, A::Error> {
        Deserialize::deserialize(SeqAccessDeserializer::new(entries)).map(When::Any)
    }
}

impl<'de> Deserialize<'de> for Test {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TextOrOperators)
    }
}

/// Reads a text or operators.
struct TextOrOperators;

impl<'de> Visitor<'de> for TextOrOperators {
    type Value = Test;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text or operators such as `prefix: /api/`")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Test, E> {
        Ok(Test::Exact(text.to_owned()))
    }

    fn visit_map<A: MapAccess<'de>>(self, operators: A) -> Result<Test, A::Error> {
        Deserialize::deserialize(MapAccessDeserializer::new(operators)).map(Test::Operators)
    }
}
