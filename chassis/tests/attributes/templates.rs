//! The attributes read path templates as the matcher does, so that what compiles also starts.

use chassis::route::template;
use proptest::prelude::*;
use syn::LitStr;

#[path = "../../../macros/src/operations/template.rs"]
mod macros;

/// The names of the parameters, as the attributes and as the matcher see them.
fn both(path: &str) -> (Option<Vec<String>>, Option<Vec<String>>) {
    let owned = |name: &str| name.to_owned();
    let at_compile_time = macros::Template::parse(&LitStr::new(path, proc_macro2::Span::call_site()));
    let at_start = template::parse(path);
    (
        at_compile_time.ok().map(|template| template.names().into_iter().map(owned).collect()),
        at_start.ok().map(|template| template.parameters().map(owned).collect()),
    )
}

#[test]
fn every_form_is_read_alike() {
    for path in [
        "/",
        "//",
        "/a/b/",
        "/hello world",
        "/%20",
        "/{id}",
        "/{id:[0-9]{3}}/x",
        "/{id:[^/]+}",
        "/{id:[}]}",
        "/{id:\\}}",
        "/{id}.json",
        "/v{major}/{user-id}:cancel",
        "/{rest:*}",
        "/{rest:*}/end",
        "/{:*}",
        "/{:[a-z]+}",
        "/{a.b}/{1}",
        "",
        "a",
        "/{",
        "/}",
        "/{}",
        "/{a}{b}",
        "/{a}/{a}",
        "/{a:*}/{b:*}",
        "/v{a:*}",
        "/{a:}",
        "/{a:int}",
        "/{a?}",
        "/{*a}",
        "/:a",
        "/*",
        "/.",
        "/a/..",
        "/a?b",
        "/a#b",
        "/100%",
        "/%00",
        "/%C3%a9",
        "/%C3{a}%A9",
        "/a\tb",
    ] {
        let (at_compile_time, at_start) = both(path);
        assert_eq!(at_compile_time, at_start, "{path}");
    }
}

proptest! {
    #[test]
    fn what_one_accepts_the_other_does_too(path in "(/|[ab{}:*\\[\\]().%_?#/-]|\\{a\\}|\\{b:|20|C3|A9){0,12}") {
        let (at_compile_time, at_start) = both(&path);
        match at_start {
            Some(_) => prop_assert_eq!(at_compile_time, at_start),
            // Whether a regular expression is one is only known to the matcher.
            None => prop_assert!(at_compile_time.is_none() || path.contains(':'), "only the matcher refuses it"),
        }
    }
}
