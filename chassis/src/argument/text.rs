//! Reads values from text: path parameters and header fields.

use std::borrow::Cow;
use std::fmt;

use http::header::{HeaderValue, ValueIter};
use serde::de::value::SeqDeserializer;
use serde::de::{Deserializer, EnumAccess, Error, IntoDeserializer, Unexpected, VariantAccess, Visitor};
use serde::forward_to_deserialize_any;

use crate::invocation::decode;

/// A text that is read into whatever type wants it. It is borrowed as long as nothing must be decoded.
pub(super) enum Text<'de> {
    /// Percent-encoded.
    Encoded(&'de str),
    /// One line of a header field.
    Line(&'de HeaderValue),
    /// All lines of a header field; at least one.
    Lines(ValueIter<'de, HeaderValue>),
}

/// Why a text does not fit.
#[derive(Debug)]
pub(super) enum Misfit {
    /// The caller sent something else.
    Sent(String),
    /// The operation asks for what its path template does not hold.
    Asked(String),
}

impl<'de> Text<'de> {
    fn read(self) -> Result<Cow<'de, str>, Misfit> {
        match self {
            Self::Encoded(raw) => decode(raw).map_err(Misfit::sent),
            Self::Line(line) => match str::from_utf8(line.as_bytes()) {
                Ok(text) => Ok(Cow::Borrowed(text)),
                Err(_) => Err(Misfit::sent("it is not UTF-8")),
            },
            Self::Lines(mut lines) => match (lines.next(), lines.next()) {
                (Some(line), None) => Text::Line(line).read(),
                _ => Err(Misfit::sent("it is there more than once")),
            },
        }
    }
}

macro_rules! numbers {
    (|$min:pat_param, $max:pat_param| $expected:expr; $($method:ident $visit:ident $number:ty,)*) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
            match self.read()?.parse::<$number>() {
                Ok(number) => visitor.$visit(number),
                Err(_) => {
                    let ($min, $max) = (<$number>::MIN, <$number>::MAX);
                    Err(Misfit::sent($expected))
                }
            }
        })*
    };
}

impl<'de> Deserializer<'de> for Text<'de> {
    type Error = Misfit;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        match self.read()? {
            Cow::Borrowed(text) => visitor.visit_borrowed_str(text),
            Cow::Owned(text) => visitor.visit_string(text),
        }
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        match &*self.read()? {
            "true" => visitor.visit_bool(true),
            "false" => visitor.visit_bool(false),
            other => Err(Misfit::invalid_value(Unexpected::Str(other), &"`true` or `false`")),
        }
    }

    numbers! {
        |min, max| format_args!("a whole number from {min} to {max} is expected");
        deserialize_i8 visit_i8 i8,
        deserialize_i16 visit_i16 i16,
        deserialize_i32 visit_i32 i32,
        deserialize_i64 visit_i64 i64,
        deserialize_i128 visit_i128 i128,
        deserialize_u8 visit_u8 u8,
        deserialize_u16 visit_u16 u16,
        deserialize_u32 visit_u32 u32,
        deserialize_u64 visit_u64 u64,
        deserialize_u128 visit_u128 u128,
    }

    numbers! {
        |_, _| "a number is expected";
        deserialize_f32 visit_f32 f32,
        deserialize_f64 visit_f64 f64,
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Misfit> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        match self {
            Self::Lines(lines) => visitor.visit_seq(SeqDeserializer::new(lines.map(Text::Line))),
            other => other.deserialize_any(visitor),
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        visitor.visit_enum(self)
    }

    forward_to_deserialize_any! {
        char str string bytes byte_buf unit unit_struct tuple tuple_struct map struct identifier ignored_any
    }
}

impl<'de> IntoDeserializer<'de, Misfit> for Text<'de> {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

/// A text names a variant and holds nothing else.
impl<'de> EnumAccess<'de> for Text<'de> {
    type Error = Misfit;
    type Variant = NameOnly;

    fn variant_seed<V: serde::de::DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, NameOnly), Misfit> {
        Ok((seed.deserialize(self)?, NameOnly))
    }
}

pub(super) struct NameOnly;

impl NameOnly {
    fn holds_nothing<T>() -> Result<T, Misfit> {
        Err(Misfit::Asked("a text can name a variant, and cannot hold the fields of one".to_owned()))
    }
}

impl<'de> VariantAccess<'de> for NameOnly {
    type Error = Misfit;

    fn unit_variant(self) -> Result<(), Misfit> {
        Ok(())
    }

    fn newtype_variant_seed<T: serde::de::DeserializeSeed<'de>>(self, _: T) -> Result<T::Value, Misfit> {
        Self::holds_nothing()
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, _: V) -> Result<V::Value, Misfit> {
        Self::holds_nothing()
    }

    fn struct_variant<V: Visitor<'de>>(self, _: &'static [&'static str], _: V) -> Result<V::Value, Misfit> {
        Self::holds_nothing()
    }
}

impl Misfit {
    fn sent(what: impl fmt::Display) -> Self {
        Self::Sent(what.to_string())
    }
}

impl Error for Misfit {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::sent(message)
    }
}

impl fmt::Display for Misfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sent(message) | Self::Asked(message) => f.write_str(message),
        }
    }
}

impl std::error::Error for Misfit {}
