//! Path parameters as arguments.

use axum::extract::FromRequestParts;
use http::request::Parts;
use serde::de::value::{MapDeserializer, SeqDeserializer};
use serde::de::{DeserializeOwned, Deserializer, Visitor};
use serde::forward_to_deserialize_any;
use serde_path_to_error::Segment;

use super::refusal::{Flaw, Place, locate, named};
use super::text::{Misfit, Text};
use crate::fault::{Code, Fault};
use crate::invocation::Call;
use crate::operation::Text as Name;

/// The parameters of the path, percent-decoded.
///
/// What `T` is decides how they are read:
/// * a single value (`String`, `u64`, an enum of names, a newtype of these): the only parameter there is;
/// * a tuple: all of them, in the order of the template;
/// * a struct or a map: by name;
/// * a `Vec`: all of them, in the order of the template.
///
/// # Rejections
/// 400 naming the parameter, where its value does not fit the type, is not UTF-8 (RFC 3986 §2.5), or has a `%`
/// without two hexadecimal digits behind it. A type that asks for what the template does not hold is a mistake of the
/// service: 500, and the log says which.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Path<T>(pub T);

impl<T: DeserializeOwned + Send> FromRequestParts<Call> for Path<T> {
    type Rejection = Fault;

    async fn from_request_parts(parts: &mut Parts, call: &Call) -> Result<Self, Fault> {
        let captured = Captured { path: parts.uri.path(), call };
        T::deserialize(captured).map(Self).map_err(|misfit| captured.refusal::<T>(misfit))
    }
}

/// The values that the template captured.
#[derive(Clone, Copy)]
struct Captured<'a> {
    path: &'a str,
    call: &'a Call,
}

impl<'a> Captured<'a> {
    fn names(self) -> &'a [Name] {
        self.call.operation().map_or(&[], |operation| &operation.parameters)
    }

    fn values(self) -> impl Iterator<Item = Text<'a>> {
        (0..self.call.params.len()).filter_map(move |index| self.call.params.at(self.path, index).map(Text::Encoded))
    }

    fn entries(self) -> impl Iterator<Item = (&'a str, Text<'a>)> {
        self.names().iter().map(AsRef::as_ref).zip(self.values())
    }

    /// The only value.
    fn only(self) -> Result<Text<'a>, Misfit> {
        let mut values = self.values();
        match (values.next(), values.next()) {
            (Some(value), None) => Ok(value),
            _ => Err(self.mismatch("one value")),
        }
    }

    fn mismatch(self, asked: &str) -> Misfit {
        let names = self.names().join(", ");
        Misfit::Asked(format!("`Path` asks for {asked}, and the template has {} [{names}]", self.call.params.len()))
    }

    #[cold]
    fn refusal<T: DeserializeOwned>(self, misfit: Misfit) -> Fault {
        let message = match misfit {
            Misfit::Sent(message) if !is_about_the_type(&message) => message,
            asked => return Fault::internal(asked.to_string()),
        };
        let flaw = match locate::<T, _>(self) {
            Some((path, _)) => match path.iter().next() {
                Some(Segment::Seq { index }) => Flaw::new(self.name(*index), named(&path, &message).detail),
                Some(_) => named(&path, &message),
                None => Flaw::new(self.name(0), named(&path, &message).detail),
            },
            None => Flaw::new(self.name(0), message),
        };
        flaw.refuse(Code::InvalidArgument, Place::Path)
    }

    fn name(self, index: usize) -> &'a str {
        self.names().get(index).map_or("", AsRef::as_ref)
    }
}

/// Whether what serde says is about the fields of the type, which no caller can help.
fn is_about_the_type(message: &str) -> bool {
    message.starts_with("missing field") || message.starts_with("unknown field")
}

macro_rules! single {
    ($($method:ident)*) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
            self.only()?.$method(visitor)
        })*
    };
}

impl<'de> Deserializer<'de> for Captured<'de> {
    type Error = Misfit;

    single! {
        deserialize_bool deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64 deserialize_i128
        deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64 deserialize_u128
        deserialize_f32 deserialize_f64 deserialize_char deserialize_str deserialize_string
        deserialize_bytes deserialize_byte_buf deserialize_identifier
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        self.deserialize_map(visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        visitor.visit_map(MapDeserializer::new(self.entries()))
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        visitor.visit_seq(SeqDeserializer::new(self.values()))
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value, Misfit> {
        if len != self.call.params.len() {
            return Err(self.mismatch(&format!("{len} values")));
        }
        self.deserialize_seq(visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        len: usize,
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        self.deserialize_tuple(len, visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        self.only()?.deserialize_enum(name, variants, visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Misfit> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        visitor.visit_unit()
    }

    forward_to_deserialize_any! { struct unit_struct ignored_any }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use futures_util::FutureExt;
    use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
    use proptest::prelude::*;
    use serde::Deserialize;

    use super::*;
    use crate::invocation::fixture::{matched, request};

    fn take<T: DeserializeOwned + Send>(template: &str, path: &str) -> Result<T, Fault> {
        let mut call = matched(template, request("GET", path));
        let path = Path::from_request_parts(&mut call.parts, &call.call).now_or_never().unwrap();
        path.map(|Path(value)| value)
    }

    #[derive(Debug, PartialEq, Deserialize)]
    struct Seat {
        row: u8,
        #[serde(rename = "seat-number")]
        seat: u16,
    }

    #[derive(Debug, PartialEq, Deserialize)]
    struct Id(u32);

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(rename_all = "lowercase")]
    enum Colour {
        Red,
        Green,
    }

    const SEAT: &str = "/seats/{row}/{seat-number}";

    #[test]
    fn every_shape_reads_the_parameters_in_its_own_way() {
        assert_eq!(take::<String>("/g/{name}", "/g/Ada%20L%2FB").unwrap(), "Ada L/B");
        assert_eq!(take::<Id>("/g/{id}", "/g/7").unwrap(), Id(7));
        assert_eq!(take::<Option<i128>>("/g/{id}", "/g/-7").unwrap(), Some(-7));
        assert_eq!(take::<Colour>("/g/{colour}", "/g/green").unwrap(), Colour::Green);
        assert_eq!(take::<char>("/g/{letter}", "/g/%C3%A4").unwrap(), 'ä');
        assert_eq!(take::<(u8, String)>(SEAT, "/seats/3/x").unwrap(), (3, "x".to_owned()));
        assert_eq!(take::<Seat>(SEAT, "/seats/3/40").unwrap(), Seat { row: 3, seat: 40 });
        assert_eq!(take::<Vec<u8>>(SEAT, "/seats/3/40").unwrap(), [3, 40]);
        let map = BTreeMap::from([("row".to_owned(), 3), ("seat-number".to_owned(), 40)]);
        assert_eq!(take::<BTreeMap<String, u8>>(SEAT, "/seats/3/40").unwrap(), map);
        assert_eq!(take::<(u8,)>("/g/{id}", "/g/7").unwrap(), (7,));
        take::<()>("/g", "/g").unwrap();
    }

    #[test]
    fn a_value_that_does_not_fit_is_named() {
        fn refused<T: DeserializeOwned + Send>(template: &str, path: &str) -> (Code, String, String) {
            let fault = take::<T>(template, path).err().unwrap();
            let violation = &fault.violations()[0];
            assert_eq!((violation.place, fault.violations().len()), ("path", 1));
            (fault.code(), violation.pointer.clone(), violation.detail.clone())
        }
        let whole = "a whole number from 0 to 255 is expected".to_owned();
        assert_eq!(refused::<u8>("/g/{id}", "/g/300"), (Code::InvalidArgument, "/id".to_owned(), whole.clone()));
        assert_eq!(refused::<Seat>(SEAT, "/seats/x/1"), (Code::InvalidArgument, "/row".to_owned(), whole));
        assert_eq!(refused::<Seat>(SEAT, "/seats/1/x").1, "/seat-number");
        assert_eq!(refused::<(u8, u8)>(SEAT, "/seats/1/x").1, "/seat-number");
        assert_eq!(refused::<Vec<u8>>(SEAT, "/seats/1/x").1, "/seat-number");
        assert_eq!(refused::<BTreeMap<String, u8>>(SEAT, "/seats/1/x").1, "/seat-number");
        assert!(refused::<Colour>("/g/{colour}", "/g/blue").2.contains("expected `red` or `green`"));
    }

    #[test]
    fn a_value_that_cannot_be_decoded_is_named() {
        for (path, expected) in [("/g/%ff", "UTF-8"), ("/g/%zz", "hexadecimal"), ("/g/100%", "`%25`")] {
            let fault = take::<String>("/g/{name}", path).unwrap_err();
            assert_eq!((fault.code(), fault.violations()[0].pointer.as_str()), (Code::InvalidArgument, "/name"));
            assert!(fault.detail().contains(expected), "{}", fault.detail());
        }
    }

    #[test]
    fn asking_for_what_the_template_does_not_hold_is_the_fault_of_the_service() {
        let faults = [
            take::<String>("/g", "/g").err(),
            take::<String>(SEAT, "/seats/1/2").err(),
            take::<(u8, u8, u8)>(SEAT, "/seats/1/2").err(),
            take::<Seat>("/seats/{row}", "/seats/1").err(),
        ];
        for fault in faults {
            let fault = fault.unwrap();
            assert_eq!(fault.code(), Code::Internal);
            assert!(!fault.detail().contains("asks for"));
        }
    }

    proptest! {
        #[test]
        fn any_text_comes_through_percent_encoding_unchanged(text in "\\PC*") {
            let path = format!("/g/{}", utf8_percent_encode(&text, NON_ALPHANUMERIC));
            prop_assert_eq!(take::<String>("/g/{name}", &path).unwrap(), text);
        }

        #[test]
        fn no_path_panics(path in "/g/[!-~]{0,20}") {
            prop_assume!(path.parse::<http::Uri>().is_ok());
            let _ = (take::<String>("/g/{name:*}", &path), take::<u64>("/g/{name:*}", &path));
        }
    }
}
