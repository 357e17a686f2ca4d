//! Which route answers: cases measured on another router, and rules of our own.

use std::collections::BTreeMap;

use chassis::invocation::decode;
use chassis::route::{self, Conf, Found, Route, RouteError, Table, TrailingSlash};
use http::Method;
use serde::Deserialize;

mod naive;
mod property;

#[derive(Deserialize)]
struct Cases {
    cases: Vec<Case>,
}

/// One case; the `about` of the file explains the fields.
#[derive(Deserialize)]
struct Case {
    id: String,
    #[serde(default)]
    trailing_slash: TrailingSlash,
    routes: Vec<Declared>,
    #[serde(default)]
    before: Vec<Change>,
    request: Request,
    expect: Expected,
}

#[derive(Clone, Deserialize)]
struct Declared {
    id: String,
    service: String,
    method: String,
    path: String,
}

#[derive(Deserialize)]
#[serde(tag = "op", rename_all = "snake_case")]
enum Change {
    SetDynamicRoutes {},
    RemoveService { service: String },
    RemoveRoute { service: String, method: String, path: String },
    AddRoute { route: Declared },
}

#[derive(Deserialize)]
struct Request {
    method: String,
    path: String,
}

#[derive(Deserialize)]
struct Expected {
    #[serde(default)]
    registration_error: bool,
    #[serde(default)]
    status: Vec<u16>,
    route: Option<String>,
    params: Option<BTreeMap<String, String>>,
    allow: Option<Vec<String>>,
}

impl Declared {
    fn template(&self) -> String {
        let is_joined = self.service.ends_with('/') || self.path.starts_with('/') || self.path.is_empty();
        format!("{}{}{}", self.service, if is_joined { "" } else { "/" }, self.path)
    }
}

impl Change {
    fn apply(&self, routes: &mut Vec<Declared>, is_dynamic: &mut bool) {
        match self {
            Self::SetDynamicRoutes {} => *is_dynamic = true,
            Self::RemoveService { service } => routes.retain(|route| route.service != *service),
            Self::RemoveRoute { service, method, path } if *is_dynamic => {
                let is_meant =
                    |route: &Declared| (&route.service, &route.method, &route.path) == (service, method, path);
                routes.retain(|route| !is_meant(route));
            }
            Self::AddRoute { route } if *is_dynamic => routes.push(route.clone()),
            Self::RemoveRoute { .. } | Self::AddRoute { .. } => {}
        }
    }
}

/// What a case comes to, in the words of its expectation.
struct Answer {
    status: u16,
    route: Option<String>,
    params: BTreeMap<String, String>,
    allow: Option<Vec<String>>,
}

fn answer(table: &Table, routes: &[Declared], request: &Request) -> Answer {
    let method = Method::from_bytes(request.method.as_bytes()).unwrap();
    let nothing = |status| Answer { status, route: None, params: BTreeMap::new(), allow: None };
    let listed = |status, allow: route::Allow<'_>| Answer {
        allow: Some(allow.iter().map(ToString::to_string).collect()),
        ..nothing(status)
    };
    match table.find(&method, &request.path) {
        Found::Route { target, params } => {
            let route = &routes[target as usize];
            let names = route::parameters(&route.template()).unwrap();
            assert_eq!(names.len(), params.len(), "{} captures what it names", route.id);
            let value = |index| decode(params.at(&request.path, index).unwrap()).unwrap().into_owned();
            let params = names.into_iter().enumerate().map(|(index, name)| (name, value(index))).collect();
            Answer { route: Some(route.id.clone()), params, ..nothing(200) }
        }
        Found::Options { allow } => listed(200, allow),
        Found::MethodNotAllowed { allow } => listed(405, allow),
        Found::NotFound => nothing(404),
        Found::Malformed => nothing(400),
    }
}

fn build(routes: &[Declared], trailing_slash: TrailingSlash) -> Result<Table, Vec<RouteError>> {
    let routes = routes.iter().enumerate().map(|(target, route)| Route {
        method: route.method.clone().into(),
        template: route.template(),
        target: target as u32,
        place: route.id.clone(),
    });
    Table::build(routes, Conf { trailing_slash })
}

/// What is wrong with the outcome of a case; nothing, if it passes.
fn failure(case: &Case) -> Option<String> {
    let mut routes = case.routes.clone();
    let mut is_dynamic = false;
    case.before.iter().for_each(|change| change.apply(&mut routes, &mut is_dynamic));
    let table = match build(&routes, case.trailing_slash) {
        Err(_) if case.expect.registration_error => return None,
        Err(errors) => return Some(errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")),
        Ok(_) if case.expect.registration_error => return Some("the routes are accepted".to_owned()),
        Ok(table) => table,
    };
    let answer = answer(&table, &routes, &case.request);
    let is_met = case.expect.status.contains(&answer.status)
        && (case.expect.route.is_none() || case.expect.route == answer.route)
        && case.expect.params.as_ref().is_none_or(|params| *params == answer.params)
        && (case.expect.allow.is_none() || case.expect.allow == answer.allow);
    let Answer { status, route, params, allow } = answer;
    (!is_met).then(|| format!("{status}, route {route:?}, parameters {params:?}, Allow {allow:?}"))
}

#[test]
fn the_measured_cases_are_answered_as_expected() {
    let Cases { cases } = serde_json::from_str(include_str!("../data/routing-cases.json")).unwrap();
    let failures: Vec<_> = cases.iter().filter_map(|case| Some(format!("{}: {}", case.id, failure(case)?))).collect();
    assert!(failures.is_empty(), "{} of {} fail:\n{}", failures.len(), cases.len(), failures.join("\n"));
    assert_eq!(cases.len(), 120, "a case was added or lost: say so here");
}

/// The values that the only template captures; `None` if it does not fit.
fn values(template: &str, path: &str) -> Option<Vec<String>> {
    let route = Route { method: "GET".into(), template: template.to_owned(), target: 0, place: String::new() };
    let Found::Route { params, .. } = Table::build([route], Conf::default()).unwrap().find(&Method::GET, path) else {
        return None;
    };
    Some((0..params.len()).map(|at| params.at(path, at).unwrap().to_owned()).collect())
}

fn value(template: &str, path: &str) -> Option<String> {
    values(template, path)?.pop()
}

#[test]
fn affixes_are_found_in_any_spelling_and_leave_a_value() {
    assert_eq!(value("/{id}.json", "/12.json").as_deref(), Some("12"));
    assert_eq!(value("/{id}.json", "/12%2ejson").as_deref(), Some("12"));
    assert_eq!(value("/v{id}%20", "/%76%31%20").as_deref(), Some("%31"));
    assert_eq!(
        (value("/v{id}1", "/%76%31"), value("/{id}.json", "/.json"), value("/ab{id}ba", "/aba")),
        (None, None, None)
    );
}

#[test]
fn an_escaped_delimiter_is_part_of_the_value() {
    assert_eq!((value("/{id}:cancel", "/7%3Acancel"), value("/{id}Fb", "/%2Fb")), (None, None));
    assert_eq!(value("/{id}:cancel", "/7%3A:cancel").as_deref(), Some("7%3A"));
    assert_eq!(value("/a{id}b", "/a%2Fb").as_deref(), Some("%2F"));
}

#[test]
fn a_dot_segment_is_no_value_however_it_is_spelt() {
    for path in ["/.", "/..", "/%2e", "/.%2E"] {
        assert_eq!((value("/{id}", path), value("/.{id}", path)), (None, None), "{path}");
    }
    assert_eq!(value("/{id}", "/...").as_deref(), Some("..."));
    assert_eq!(value("/{rest:*}", "/a/../b").as_deref(), Some("a/../b"));
}

#[test]
fn escapes_of_a_template_spell_utf8() {
    let route = Route { method: "GET".into(), template: "/%C3{id}".to_owned(), target: 0, place: String::new() };
    let errors = Table::build([route], Conf::default()).unwrap_err();
    assert!(errors[0].message.contains("UTF-8"), "{}", errors[0]);
    assert_eq!(value("/%C3%A9{id}", "/é1").as_deref(), Some("1"));
}

#[test]
fn of_many_texts_at_one_place_each_is_known_and_none_between() {
    for step in [1, 2, 5] {
        let known: Vec<_> = (b'-'..=b'z').step_by(step).filter(u8::is_ascii_alphanumeric).map(char::from).collect();
        let routes = known.iter().zip(0..).map(|(text, target)| Route {
            method: "GET".into(),
            template: format!("/v/{text}/{{id}}"),
            target,
            place: String::new(),
        });
        let table = Table::build(routes, Conf::default()).unwrap();
        for text in (b'!'..=b'~').map(char::from).filter(|text| !"%?#./".contains(*text)) {
            let found = table.find(&Method::GET, &format!("/v/{text}/7"));
            let target = if let Found::Route { target, .. } = found { Some(target as usize) } else { None };
            assert_eq!(target, known.iter().position(|known| *known == text), "{text}");
        }
    }
}
