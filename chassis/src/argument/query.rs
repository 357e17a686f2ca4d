//! The query of the target as an argument.

use axum::extract::FromRequestParts;
use http::request::Parts;
use serde::de::DeserializeOwned;

use super::pairs::{Unread, read};
use super::refusal::{Place, named};
use crate::fault::{Code, Fault};
use crate::invocation::Call;

/// The query, `?a=1&b=2`, read into a struct or a map by name.
///
/// * A name that is there more than once fills a `Vec`; a single value that is there more than once is refused.
/// * Names the type does not know are ignored, unless it says `#[serde(deny_unknown_fields)]`.
/// * `Option` members may be missing. A number that may be missing may also be empty, as HTML forms send it.
/// * `true` and `on` are true, `false` is false.
///
/// # Rejections
/// 400 naming the parameter, where it is missing, does not fit the type, is not UTF-8, or has a `%` without two
/// hexadecimal digits behind it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Query<T>(pub T);

impl<T: DeserializeOwned + Send> FromRequestParts<Call> for Query<T> {
    type Rejection = Fault;

    async fn from_request_parts(parts: &mut Parts, _: &Call) -> Result<Self, Fault> {
        let value = read(parts.uri.query().unwrap_or_default(), named);
        value.map(Self).map_err(|(Unread::Malformed(flaw) | Unread::Misfit(flaw))| {
            flaw.refuse(Code::InvalidArgument, Place::Query)
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use futures_util::FutureExt;
    use proptest::prelude::*;
    use serde::Deserialize;

    use super::*;
    use crate::invocation::fixture::{call, request};

    fn take<T: DeserializeOwned + Send>(query: &str) -> Result<T, Fault> {
        let mut call = call(request("GET", &format!("/g{query}")));
        let query = Query::from_request_parts(&mut call.parts, &call.call).now_or_never().unwrap();
        query.map(|Query(value)| value)
    }

    #[derive(Debug, PartialEq, Deserialize)]
    struct Search {
        text: String,
        #[serde(default)]
        on: bool,
        limit: Option<u16>,
        #[serde(default)]
        tag: Vec<String>,
    }

    fn refused(query: &str) -> (String, String) {
        let fault = take::<Search>(query).unwrap_err();
        let violation = &fault.violations()[0];
        assert_eq!((fault.code(), violation.place), (Code::InvalidArgument, "query"));
        (violation.pointer.clone(), violation.detail.clone())
    }

    #[test]
    fn parameters_are_read_by_name() {
        let search = take::<Search>("?text=a+b%26c&tag=x&unknown=1&tag=y&on=true&limit=").unwrap();
        let tag = vec!["x".to_owned(), "y".to_owned()];
        assert_eq!(search, Search { text: "a b&c".to_owned(), on: true, limit: None, tag });
        assert_eq!(take::<BTreeMap<String, u8>>("?a=1&b=2").unwrap().len(), 2);
        assert_eq!(take::<BTreeMap<String, u8>>("").unwrap().len(), 0);
    }

    #[test]
    fn a_parameter_that_does_not_fit_is_named() {
        assert_eq!(refused(""), ("/text".to_owned(), "it is missing".to_owned()));
        assert_eq!(refused("?text=a&limit=x"), ("/limit".to_owned(), "a whole number is expected".to_owned()));
        assert_eq!(refused("?text=a&limit=70000"), ("/limit".to_owned(), "a smaller number is expected".to_owned()));
        assert_eq!(refused("?text=a&text=b"), ("/text".to_owned(), "it is there more than once".to_owned()));
        assert_eq!(refused("?text=a&limit=1&limit=2"), ("/limit".to_owned(), "it is there more than once".to_owned()));
        let (name, detail) = refused("?text=a&on=maybe");
        assert_eq!(name, "/on");
        assert!(detail.contains("maybe") && detail.contains("\"false\""), "{detail}");
    }

    #[test]
    fn a_parameter_that_cannot_be_decoded_is_named() {
        assert_eq!(refused("?text=a&tag=%ff").0, "/tag");
        assert_eq!(refused("?text=100%").0, "/text");
        assert_eq!(refused("?%zz=1&text=a").0, "/%zz");
        assert_eq!(refused("?text=a&a/b~=%ff").0, "/a~1b~0", "a name is escaped as RFC 6901 §3 says");
        assert_eq!(refused("?text=%C3&tag=%A4").0, "/text");
    }

    #[test]
    fn unknown_names_are_refused_where_the_type_says_so() {
        #[derive(Debug, Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Strict {
            #[expect(dead_code, reason = "only its reading fails")]
            a: Option<u8>,
        }
        let fault = take::<Strict>("?a=1&b=2").unwrap_err();
        assert_eq!(fault.violations()[0].pointer, "/b");
    }

    proptest! {
        #[test]
        fn no_query_panics(query in "[!-~&&[^#]]{0,30}") {
            if format!("/g?{query}").parse::<http::Uri>().is_ok() {
                let _ = take::<Search>(&format!("?{query}"));
            }
        }
    }
}
