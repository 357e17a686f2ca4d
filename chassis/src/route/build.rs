//! From routes to a table, with everything that is wrong on the way.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use http::Method;

use super::ambiguity::{self, Declared};
use super::draft::Draft;
use super::error::{RouteError, Shadowed};
use super::expression::Expressions;
use super::layout;
use super::methods::{MethodId, Methods};
use super::template::{self, Segment, Template};
use super::{Conf, Route, Table, TrailingSlash};

pub(super) fn table(routes: &[Route], conf: Conf) -> Result<Table, Vec<RouteError>> {
    let mut building = Building::default();
    for route in routes {
        building.add(route, conf.trailing_slash);
    }
    if !building.errors.is_empty() {
        return Err(building.errors);
    }
    let Building { draft, methods, expressions, shadowed, declared, .. } = building;
    let ambiguous = ambiguity::ambiguous(&declared, &expressions);
    Ok(Table { conf, tree: layout::tree(&draft, expressions), methods, shadowed, ambiguous })
}

#[derive(Default)]
struct Building<'r> {
    draft: Draft,
    methods: Methods,
    expressions: Expressions,
    first: HashMap<(MethodId, Vec<Segment>), (&'r Route, Template)>,
    errors: Vec<RouteError>,
    shadowed: Vec<Shadowed>,
    declared: Vec<Declared<'r>>,
}

impl<'r> Building<'r> {
    fn add(&mut self, route: &'r Route, trailing_slash: TrailingSlash) {
        let method = self.method(route);
        let template = template::parse(&route.template);
        let template = template.map_err(|errors| {
            self.errors.extend(errors.into_iter().map(|error| RouteError::syntax(route, error)));
        });
        let (Some(method), Ok(template)) = (method, template) else { return };
        self.compile(route, &template);
        let mut segments = template.segments.clone();
        if trailing_slash == TrailingSlash::Strict && template.has_trailing_slash() {
            // The slash is followed by a segment that is empty.
            segments.push(Segment::Static(Vec::new()));
        }
        if self.is_new(route, template, method, &segments) {
            self.draft.add(&segments).push((method, route.target));
            self.declared.push(Declared { route, method, segments });
        }
    }

    fn method(&mut self, route: &Route) -> Option<MethodId> {
        let name = route.method.as_ref();
        if name == "*" {
            return Some(MethodId::ANY);
        }
        let upper = name.to_ascii_uppercase();
        let help = match Method::from_bytes(name.as_bytes()) {
            Ok(_) if upper != name && is_standard(&upper) => format!("methods are case-sensitive: write `{upper}`"),
            Ok(method) => match self.methods.add(method) {
                Some(id) => return Some(id),
                None => "a table knows 65,525 methods that are not standard".to_owned(),
            },
            Err(_) => "write a token such as `GET`, or `*` for any method".to_owned(),
        };
        self.errors.push(RouteError::of(route, format!("`{name}` is not a method"), help));
        None
    }

    fn compile(&mut self, route: &Route, template: &Template) {
        for segment in &template.segments {
            let Segment::Parameter(parameter) = segment else { continue };
            let Some(text) = &parameter.expression else { continue };
            if let Err(why) = self.expressions.add(text) {
                let message = format!("the regular expression `{text}` cannot be used: {why}");
                self.errors.push(RouteError::of(
                    route,
                    message,
                    "write a shorter one, and check more in the operation",
                ));
            }
        }
    }

    /// Whether no earlier route answers exactly the same calls.
    fn is_new(&mut self, route: &'r Route, template: Template, method: MethodId, segments: &[Segment]) -> bool {
        let shape = segments.iter().map(Segment::unnamed).collect();
        match self.first.entry((method, shape)) {
            Entry::Vacant(vacant) => {
                vacant.insert((route, template));
                true
            }
            Entry::Occupied(occupied) => {
                let (first, first_template) = occupied.get();
                if template.is_slashed_like(first_template) {
                    self.errors.push(RouteError::duplicate(route, first));
                } else {
                    self.shadowed.push(Shadowed::new(route, first));
                }
                false
            }
        }
    }
}

fn is_standard(method: &str) -> bool {
    matches!(method, "GET" | "HEAD" | "POST" | "PUT" | "PATCH" | "DELETE" | "OPTIONS" | "TRACE" | "CONNECT")
}
