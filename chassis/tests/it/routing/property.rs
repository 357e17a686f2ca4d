//! Whatever the templates and the path, a table answers what trying every template does.

use chassis::route::{Conf, Found, Route, Table, TrailingSlash};
use http::Method;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::naive::{Answer, Naive};

const TEXTS: [&str; 14] = [
    "a",
    "b",
    "ab",
    "abc",
    "7",
    "users",
    "users-and",
    "users-and-more",
    "a:run",
    "x.json",
    "é",
    "%20x",
    "a%2Fb",
    "text-of-more-than-sixteen-bytes",
];
const PREFIXES: [&str; 7] = ["", "", "", "a", "v", "users-and-", "%2F"];
const SUFFIXES: [&str; 8] = ["", "", "", ".json", ":run", "b", "F", "-of-more-than-sixteen-bytes"];
const EXPRESSIONS: [&str; 7] = ["", "", "", "[0-9]+", "[a-z]+", r"\w{1,3}", "[^.]+"];
const VALUES: [&str; 17] = [
    "7",
    "42",
    "a",
    "b",
    "abc",
    "x.json",
    "7:run",
    "a:run",
    "users",
    "%2F",
    "%2Fb",
    "a%2fb",
    "é",
    "%ff",
    "..",
    "",
    "text-of-more-than-sixteen-bytes",
];

/// A segment of a template, and what it asks of a path.
#[derive(Clone, Debug)]
enum Part {
    Text(&'static str),
    Parameter { prefix: &'static str, suffix: &'static str, expression: &'static str, is_kept: bool },
    Tail { is_kept: bool },
}

fn part() -> impl Strategy<Value = Part> {
    let parameter = (select(&PREFIXES[..]), select(&SUFFIXES[..]), select(&EXPRESSIONS[..]), any::<bool>());
    let parameter = parameter.prop_map(|(prefix, suffix, expression, is_kept)| Part::Parameter {
        prefix,
        suffix,
        expression,
        is_kept: is_kept || expression.is_empty(),
    });
    prop_oneof![
        5 => select(&TEXTS[..]).prop_map(Part::Text),
        4 => parameter,
        1 => any::<bool>().prop_map(|is_kept| Part::Tail { is_kept }),
    ]
}

impl Part {
    fn template(&self, at: usize) -> String {
        match self {
            Self::Text(text) => (*text).to_owned(),
            Self::Parameter { prefix, suffix, expression: "", .. } => format!("{prefix}{{p{at}}}{suffix}"),
            Self::Parameter { prefix, suffix, expression, is_kept } => {
                let name = if *is_kept { format!("p{at}") } else { String::new() };
                format!("{prefix}{{{name}:{expression}}}{suffix}")
            }
            Self::Tail { is_kept: true } => "{tail:*}".to_owned(),
            Self::Tail { is_kept: false } => "{:*}".to_owned(),
        }
    }

    /// Something that fits, more often than not.
    fn sent(&self) -> BoxedStrategy<String> {
        let value = select(&VALUES[..]);
        match *self {
            Self::Text(text) => prop_oneof![12 => Just(text.to_owned()), 1 => value.prop_map(str::to_owned)].boxed(),
            Self::Parameter { prefix, suffix, .. } => {
                value.prop_map(move |value| format!("{prefix}{value}{suffix}")).boxed()
            }
            Self::Tail { .. } => vec(value, 0..4).prop_map(|values| values.join("/")).boxed(),
        }
    }
}

/// A template that has one tail at most.
fn parts() -> impl Strategy<Value = Vec<Part>> {
    vec(part(), 0..5).prop_map(|mut parts| {
        let mut tails = 0;
        parts.retain(|part| {
            tails += usize::from(matches!(part, Part::Tail { .. }));
            !matches!(part, Part::Tail { .. }) || tails == 1
        });
        parts
    })
}

fn route() -> impl Strategy<Value = (&'static str, Vec<Part>, bool)> {
    (select(&["GET", "GET", "POST", "HEAD", "OPTIONS", "REPORT", "*"][..]), parts(), prop::bool::weighted(0.2))
}

/// A path that one of the templates may fit, with some of it escaped.
fn path(templates: Vec<Vec<Part>>) -> impl Strategy<Value = String> {
    let fitting = select(templates).prop_flat_map(|parts| parts.iter().map(Part::sent).collect::<Vec<_>>());
    let end = prop_oneof![6 => Just(""), 2 => Just("/"), 1 => Just("//"), 1 => Just("/a")];
    let escaped = vec(prop::bool::weighted(0.1), 64);
    (fitting, end, prop::bool::weighted(0.3), escaped).prop_map(|(segments, end, is_escaped, escaped)| {
        let path = format!("/{}{end}", segments.join("/"));
        let escape = |(c, at): (char, bool)| if at && is_escaped && c.is_ascii_lowercase() { hex(c) } else { c.into() };
        // What is an escape already stays one: its digits are no letters to be escaped.
        if path.contains('%') { path } else { path.chars().zip(escaped.into_iter().cycle()).map(escape).collect() }
    })
}

fn hex(c: char) -> String {
    format!("%{:02x}", u32::from(c))
}

fn case() -> impl Strategy<Value = (Vec<Route>, Vec<String>, TrailingSlash)> {
    let slash = prop_oneof![3 => Just(TrailingSlash::Ignore), 1 => Just(TrailingSlash::Strict)];
    (vec(route(), 0..12), slash).prop_flat_map(|(routes, slash)| {
        // Without routes there is nothing to fit: what fits `/` and what fits a parameter are asked for then.
        let mut templates: Vec<_> = routes.iter().map(|(_, parts, _)| parts.clone()).collect();
        if templates.is_empty() {
            templates.extend([Vec::new(), vec![Part::Text("a")], vec![Part::Tail { is_kept: true }]]);
        }
        let routes: Vec<_> = routes.into_iter().enumerate().map(declared).collect();
        (Just(routes), vec(path(templates), 8), Just(slash))
    })
}

fn declared((at, (method, parts, has_slash)): (usize, (&'static str, Vec<Part>, bool))) -> Route {
    let segments = parts.iter().enumerate().map(|(at, part)| format!("/{}", part.template(at)));
    let mut template: String = segments.collect();
    if has_slash || template.is_empty() {
        template.push('/');
    }
    Route { method: method.into(), template, target: at as u32, place: format!("route {at}") }
}

fn answer(table: &Table, method: &Method, path: &str) -> Answer {
    let names = |allow: chassis::route::Allow<'_>| allow.iter().map(ToString::to_string).collect();
    match table.find(method, path) {
        Found::Route { target, params } => {
            let value = |at| params.at(path, at).expect("a value lies in the path").to_owned();
            Answer::Route { target, values: (0..params.len()).map(value).collect() }
        }
        Found::Options { allow } => Answer::Options(names(allow)),
        Found::MethodNotAllowed { allow } => Answer::MethodNotAllowed(names(allow)),
        Found::NotFound => Answer::NotFound,
        Found::Malformed => Answer::Malformed,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_table_answers_what_trying_every_template_does((routes, paths, trailing_slash) in case()) {
        let conf = Conf { trailing_slash };
        let (naive, kept) = Naive::new(&routes, conf);
        let templates = kept.iter().map(|route| format!("{} {}", route.method, route.template)).collect::<Vec<_>>();
        let table = Table::build(kept, conf).expect("routes that go together");
        for path in &paths {
            for method in [Method::GET, Method::HEAD, Method::POST, Method::OPTIONS, Method::PUT] {
                let expected = naive.find(&method, path);
                prop_assert_eq!(answer(&table, &method, path), expected, "{} {} of {:#?}", method, path, templates);
            }
        }
    }
}
