//! Header fields as arguments.

use std::borrow::Cow;

use axum::extract::FromRequestParts;
use http::HeaderMap;
use http::request::Parts;
use serde::de::value::MapDeserializer;
use serde::de::{DeserializeOwned, Deserializer, Visitor};
use serde::forward_to_deserialize_any;

use super::refusal::{Place, locate, named};
use super::text::{Misfit, Text};
use crate::fault::{Code, Fault};
use crate::invocation::Call;

/// Header fields, read into a struct by name: `x_request_id` is `x-request-id`, and `#[serde(rename = "…")]` names
/// any other. Case does not matter.
///
/// * An `Option` is `None` where the field is missing; so is a member with `#[serde(default)]` its default.
/// * A `Vec` has one element for each line of the field, in order. Lines are not split at commas, because only the
///   definition of a field says whether it is a list (RFC 9110 §5.5).
/// * Any other member stands for one line: a field that is there more than once is refused, as a proxy may have read
///   the other one.
///
/// A map is read from all fields. [`HeaderMap`] itself is an argument too, and is cheaper than a map.
///
/// # Rejections
/// 400 naming the field, where it is missing, does not fit the type or is not UTF-8.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Header<T>(pub T);

impl<T: DeserializeOwned + Send> FromRequestParts<Call> for Header<T> {
    type Rejection = Fault;

    async fn from_request_parts(parts: &mut Parts, _: &Call) -> Result<Self, Fault> {
        let fields = Fields(&parts.headers);
        T::deserialize(fields).map(Self).map_err(|misfit| fields.refusal::<T>(misfit))
    }
}

#[derive(Clone, Copy)]
struct Fields<'a>(&'a HeaderMap);

impl<'a> Fields<'a> {
    fn lines(self, name: &str) -> Option<Text<'a>> {
        let all = self.0.get_all(name);
        all.iter().next().map(|_| Text::Lines(all.iter()))
    }

    #[cold]
    fn refusal<T: DeserializeOwned>(self, misfit: Misfit) -> Fault {
        let message = match misfit {
            Misfit::Sent(message) => message,
            Misfit::Asked(message) => return Fault::internal(message),
        };
        let path = locate::<T, _>(self).map(|(path, _)| path);
        let mut flaw =
            path.map_or_else(|| super::refusal::Flaw::new("", message.as_str()), |path| named(&path, &message));
        flaw.pointer = field_name(&flaw.pointer).into_owned();
        flaw.refuse(Code::InvalidArgument, Place::Header)
    }
}

/// The name of the header field that a member stands for.
fn field_name(member: &str) -> Cow<'_, str> {
    if member.contains('_') { Cow::Owned(member.replace('_', "-")) } else { Cow::Borrowed(member) }
}

impl<'de> Deserializer<'de> for Fields<'de> {
    type Error = Misfit;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        let all = self.0.keys().filter_map(|name| Some((name.as_str(), self.lines(name.as_str())?)));
        visitor.visit_map(MapDeserializer::new(all))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        members: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        let asked = members.iter().filter_map(|member| Some((*member, self.lines(&field_name(member))?)));
        visitor.visit_map(MapDeserializer::new(asked))
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Misfit> {
        visitor.visit_newtype_struct(self)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        seq tuple tuple_struct map enum identifier ignored_any
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use axum::body::Body;
    use futures_util::FutureExt;
    use http::Request;
    use serde::Deserialize;

    use super::*;
    use crate::invocation::fixture::call;

    fn take<T: DeserializeOwned + Send>(lines: &[(&str, &[u8])]) -> Result<T, Fault> {
        let request = lines.iter().fold(Request::builder(), |request, (name, value)| request.header(*name, *value));
        let mut call = call(request.body(Body::empty()).unwrap());
        let header = Header::from_request_parts(&mut call.parts, &call.call).now_or_never().unwrap();
        header.map(|Header(value)| value)
    }

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Asked {
        x_request_id: String,
        #[serde(rename = "If-Match")]
        tag: Option<String>,
        x_tag: Option<Vec<u8>>,
        #[serde(default)]
        x_depth: u8,
    }

    #[test]
    fn members_are_read_by_the_name_of_the_field() {
        let lines: &[(&str, &[u8])] = &[
            ("X-Request-Id", b"7"),
            ("if-match", b"\"a\""),
            ("x-tag", b"1"),
            ("accept", b"*/*"),
            ("x-tag", b"2"),
            ("x-depth", b"3"),
        ];
        let expected =
            Asked { x_request_id: "7".to_owned(), tag: Some("\"a\"".to_owned()), x_tag: Some(vec![1, 2]), x_depth: 3 };
        assert_eq!(take::<Asked>(lines).unwrap(), expected);
    }

    #[test]
    fn what_may_be_missing_is_left_out() {
        let expected = Asked { x_request_id: "7".to_owned(), tag: None, x_tag: None, x_depth: 0 };
        assert_eq!(take::<Asked>(&[("x-request-id", b"7")]).unwrap(), expected);
    }

    #[test]
    fn a_field_that_does_not_fit_is_named() {
        let refused = |lines: &[(&str, &[u8])]| {
            let fault = take::<Asked>(lines).unwrap_err();
            let violation = &fault.violations()[0];
            assert_eq!((fault.code(), violation.place), (Code::InvalidArgument, "header"));
            (violation.pointer.clone(), violation.detail.clone())
        };
        let named = |name: &str, detail: &str| (name.to_owned(), detail.to_owned());
        let id: (&str, &[u8]) = ("x-request-id", b"7");
        assert_eq!(refused(&[]), named("/x-request-id", "it is missing"));
        assert_eq!(refused(&[id, id]), named("/x-request-id", "it is there more than once"));
        assert_eq!(refused(&[("x-request-id", b"\xff")]), named("/x-request-id", "it is not UTF-8"));
        assert_eq!(
            refused(&[id, ("x-tag", b"1"), ("x-tag", b"x")]),
            named("/x-tag", "a whole number from 0 to 255 is expected")
        );
        assert_eq!(refused(&[id, ("if-match", b"a"), ("if-match", b"a")]).0, "/If-Match");
    }

    #[test]
    fn a_map_is_read_from_all_fields() {
        let lines: &[(&str, &[u8])] = &[("a", b"1"), ("B-c", b"2"), ("a", b"3")];
        let all = take::<BTreeMap<String, Vec<String>>>(lines).unwrap();
        assert_eq!(all["a"], ["1", "3"]);
        assert_eq!(all["b-c"], ["2"]);
    }
}
