//! Which pairs are worth a word, each with the path that shows it.

use http::Method;
use proptest::prelude::*;

use crate::route::{Conf, Found, Route, RouteError, Table};

fn built(routes: &[(&'static str, &str)]) -> Result<Table, Vec<RouteError>> {
    let routes = routes.iter().zip(0..).map(|((method, template), target)| Route {
        method: (*method).into(),
        template: (*template).to_owned(),
        target,
        place: format!("route {target}"),
    });
    Table::build(routes, Conf::default())
}

fn table(routes: &[(&'static str, &str)]) -> Table {
    built(routes).unwrap()
}

/// The path that both of two GET templates match, if only their order decides.
fn shared(first: &str, second: &str) -> Option<String> {
    let table = table(&[("GET", first), ("GET", second)]);
    let found = table.ambiguous();
    assert!(found.len() <= 1, "{found:?}");
    let found = found.first()?;
    assert_eq!((&*found.first, &*found.template), (first, second));
    Some(found.path.clone())
}

#[test]
fn expressions_that_share_a_value_are_named_with_both_places_and_a_path() {
    let table = table(&[("GET", "/a/{x:[0-9]+}"), ("GET", r"/a/{y:\d+}")]);
    let words: Vec<_> = table.warnings().collect();
    insta::assert_snapshot!(words.join("\n"), @r"route 1: `GET /a/{y:\d+}` is not called for `/a/0`: `/a/{x:[0-9]+}` (route 0) matches that too, neither is more specific, and that one comes first; write an expression that matches less for one of them");
    assert_eq!(shared("/{x:[a-z]+}", "/{y:[a-f]+}").as_deref(), Some("/a"));
    assert_eq!(shared("/v{x:[a-m]+}", "/v{y:[k-z]+}").as_deref(), Some("/vk"));
}

#[test]
fn the_one_that_matches_less_may_come_first() {
    assert_eq!(shared("/{x:[0-9]+}", "/{y:[a-z0-9-]+}"), None);
    assert_eq!(shared("/{x:[a-f]+}", "/{y:[a-z]+}"), None);
}

#[test]
fn what_is_settled_by_the_precedence_is_not_odd() {
    for (first, second) in [
        ("/{x:[a-z]+}", "/abc"),
        ("/{x:[a-z]+}", "/{y}"),
        ("/v{x}", "/{y}v"),
        ("/v{x:[a-z]+}", "/{y:[a-z]+}v"),
        ("/{x:[a-z]+}", "/{rest:*}"),
        ("/{x:[a-z]+}/a", "/{x:[a-z]+}/b"),
    ] {
        assert_eq!((shared(first, second), shared(second, first)), (None, None), "{first} {second}");
    }
}

#[test]
fn what_shares_no_path_is_not_odd() {
    for (first, second) in [
        ("/{x:[a-z]+}", "/{y:[0-9]+}"),
        ("/{x:[a-z]+}/a", "/{y:[a-f]+}/b"),
        ("/{x:[a-z]+}", "/{y:[a-f]+}/b"),
        ("/{x:[a-z]+}/{n:[0-9]+}", "/{y:[a-f]+}/b"),
        ("/{x:[a-z]+}/{n}.json", "/{y:[a-f]+}/{n}.yaml"),
        ("/{x:[a-z]+}/{rest:*}/end", "/{y:[a-f]+}/{n}/stop"),
    ] {
        assert_eq!((shared(first, second), shared(second, first)), (None, None), "{first} {second}");
    }
}

#[test]
fn what_follows_must_be_shared_too() {
    assert_eq!(shared("/{x:[a-z]+}/a", "/{y:[a-f]+}/{z}").as_deref(), Some("/a/a"));
    assert_eq!(shared("/{x:[a-z]+}/{n:[0-9]+}", "/{y:[a-f]+}/7").as_deref(), Some("/a/7"));
    assert_eq!(shared("/{x:[a-z]+}/{rest:*}", "/{y:[a-f]+}/b/c").as_deref(), Some("/a/b/c"));
    assert_eq!(shared("/{x:[a-z]+}/{rest:*}/c", "/{y:[a-f]+}/{rest:*}/{z}").as_deref(), Some("/a/x/c"));
    assert_eq!(shared("/n{n}/{:[a-z]+}/{y}", "/n{n}/{x:[a-z]+}/b").as_deref(), Some("/nx/a/b"));
}

#[test]
fn only_routes_that_a_call_could_reach_both_are_compared() {
    let found = |first, second| table(&[(first, "/{x:[a-z]+}"), (second, "/{y:[a-f]+}")]).ambiguous().len();
    assert_eq!((found("GET", "POST"), found("GET", "GET"), found("*", "GET")), (0, 1, 1));
}

#[test]
fn a_path_is_spelt_as_it_would_be_sent() {
    assert_eq!(shared("/{x: +}", "/{y: ?}").as_deref(), Some("/%20"));
    assert_eq!(shared("/{x:é+}", "/{y:é?}").as_deref(), Some("/%C3%A9"));
}

fn template() -> impl Strategy<Value = String> {
    static EXPRESSIONS: &[&str] = &["[a-c]+", "[b-d]{1,2}", "a|bb", ".", "[ab]c?", "b.*", "[0-9]+"];
    let segment = prop_oneof![
        3 => prop::sample::select(EXPRESSIONS).prop_map(|text| format!("{{:{text}}}")),
        1 => prop::sample::select(&["a", "b", "b{:[a-c]+}", "{:[0-9]+}c"][..]).prop_map(str::to_owned),
    ];
    prop::collection::vec(segment, 1..3).prop_map(|segments| format!("/{}", segments.join("/")))
}

proptest! {
    #[test]
    fn a_path_that_is_named_leads_to_each_of_the_two_alone_and_to_the_first_of_both(one in template(), other in template()) {
        let routes = [("GET", &*one), ("GET", &*other)];
        // Two that are the same are an error.
        let Ok(both) = built(&routes) else { return Ok(()) };
        let leads = |table: &Table, path: &str| match table.find(&Method::GET, path) {
            Found::Route { target, .. } => Some(target),
            _ => None,
        };
        for found in both.ambiguous() {
            prop_assert_eq!(leads(&both, &found.path), Some(0), "{}", found);
            for route in routes {
                prop_assert_eq!(leads(&table(&[route]), &found.path), Some(0), "{}", found);
            }
        }
    }
}
