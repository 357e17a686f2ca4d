//! The methods of a table as numbers, and what is told to a caller who used another one.

use std::fmt;

use http::Method;

/// The number of a method within one table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct MethodId(u16);

impl MethodId {
    /// A route for every method.
    pub(super) const ANY: Self = Self(u16::MAX);
    // A method that no route has.
    const NONE: Self = Self(u16::MAX - 1);
}

/// Every method that a route of the table has, in declared order.
#[derive(Debug, Default)]
pub(super) struct Methods(Vec<Method>);

/// What a call can be answered by.
#[derive(Clone, Copy)]
pub(super) struct Wanted {
    exact: MethodId,
    // GET, for a HEAD (RFC 9110 §9.3.2).
    instead: MethodId,
}

/// What a method leads to at the end of a template.
#[derive(Clone, Copy, Debug)]
pub(super) struct Arrival {
    /// How many there are from here on.
    pub(super) count: u16,
    pub(super) method: MethodId,
    pub(super) target: u32,
}

impl Methods {
    /// The number of this method, a new one if need be; `None` if there are no more.
    pub(super) fn add(&mut self, method: Method) -> Option<MethodId> {
        let known = self.id(&method);
        if known != MethodId::NONE {
            return Some(known);
        }
        let new = u16::try_from(self.0.len()).ok().map(MethodId).filter(|id| *id != MethodId::NONE)?;
        self.0.push(method);
        Some(new)
    }

    pub(super) fn wanted(&self, method: &Method) -> Wanted {
        let instead = if *method == Method::HEAD { self.id(&Method::GET) } else { MethodId::NONE };
        Wanted { exact: self.id(method), instead }
    }

    fn id(&self, method: &Method) -> MethodId {
        let position = self.0.iter().position(|known| known == method);
        position.map_or(MethodId::NONE, |at| MethodId(at as u16))
    }

    fn name(&self, id: MethodId) -> Option<&Method> {
        self.0.get(id.0 as usize)
    }
}

impl Wanted {
    /// The route that answers, among those that end here: the method itself, GET for HEAD, any.
    pub(super) fn choose(self, arrivals: &[Arrival]) -> Option<u32> {
        let with = |method: MethodId| arrivals.iter().find(|arrival| arrival.method == method);
        with(self.exact).or_else(|| with(self.instead)).or_else(|| with(MethodId::ANY)).map(|arrival| arrival.target)
    }
}

/// The methods that routes declare for a path (RFC 9110 §10.2.1), most specific template first, printed as the value
/// of an `Allow` field.
///
/// HEAD and OPTIONS are answered without being declared and are not listed then.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Allow<'t>(Vec<&'t Method>);

impl<'t> Allow<'t> {
    pub(super) fn all(methods: &'t Methods) -> Self {
        Self(methods.0.iter().collect())
    }

    pub(super) fn extend(&mut self, methods: &'t Methods, arrivals: &[Arrival]) {
        for method in arrivals.iter().filter_map(|arrival| methods.name(arrival.method)) {
            if !self.0.contains(&method) {
                self.0.push(method);
            }
        }
    }

    /// The methods, most specific template first.
    pub fn iter(&self) -> impl Iterator<Item = &'t Method> {
        self.0.iter().copied()
    }
}

impl fmt::Display for Allow<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, method) in self.0.iter().enumerate() {
            let comma = if at == 0 { "" } else { ", " };
            write!(f, "{comma}{method}")?;
        }
        Ok(())
    }
}
