//! The methods of a table as numbers, and what is told to a caller who used another one.

use std::fmt;

use http::Method;

/// The number of a method: those of RFC 9110 §9 and PATCH have the same in every table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct MethodId(u16);

/// The methods that have a number of their own, in its order.
static STANDARD: [Method; 9] = [
    Method::GET,
    Method::HEAD,
    Method::POST,
    Method::PUT,
    Method::PATCH,
    Method::DELETE,
    Method::OPTIONS,
    Method::TRACE,
    Method::CONNECT,
];

impl MethodId {
    /// A route for every method.
    pub(super) const ANY: Self = Self(u16::MAX);
    // A method that no route has.
    const NONE: Self = Self(u16::MAX - 1);
    const GET: Self = Self(0);

    /// The number of a method, if that depends on no table.
    #[inline]
    fn standard(method: &Method) -> Option<Self> {
        let number = match *method {
            Method::GET => 0,
            Method::HEAD => 1,
            Method::POST => 2,
            Method::PUT => 3,
            Method::PATCH => 4,
            Method::DELETE => 5,
            Method::OPTIONS => 6,
            Method::TRACE => 7,
            Method::CONNECT => 8,
            _ => return None,
        };
        Some(Self(number))
    }
}

/// Every method that a route of the table has.
#[derive(Debug, Default)]
pub(super) struct Methods {
    // In declared order.
    all: Vec<MethodId>,
    // Those that are not standard; the first is numbered after the last that is.
    others: Vec<Method>,
}

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
        let mut id = self.id(&method);
        if id == MethodId::NONE {
            let new = u16::try_from(STANDARD.len() + self.others.len()).ok().map(MethodId);
            id = new.filter(|id| *id != MethodId::NONE)?;
            self.others.push(method);
        }
        if !self.all.contains(&id) {
            self.all.push(id);
        }
        Some(id)
    }

    #[inline]
    pub(super) fn wanted(&self, method: &Method) -> Wanted {
        let instead = if *method == Method::HEAD { MethodId::GET } else { MethodId::NONE };
        Wanted { exact: self.id(method), instead }
    }

    #[inline]
    fn id(&self, method: &Method) -> MethodId {
        MethodId::standard(method).unwrap_or_else(|| self.other(method))
    }

    #[cold]
    fn other(&self, method: &Method) -> MethodId {
        let position = self.others.iter().position(|known| known == method);
        position.map_or(MethodId::NONE, |at| MethodId((STANDARD.len() + at) as u16))
    }

    fn name(&self, id: MethodId) -> Option<&Method> {
        let number = usize::from(id.0);
        STANDARD.get(number).or_else(|| self.others.get(number - STANDARD.len()))
    }
}

impl Wanted {
    /// The route that answers, among those that end here: the method itself, GET for HEAD, any.
    #[inline]
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
        Self(methods.all.iter().filter_map(|id| methods.name(*id)).collect())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_has_the_method_it_was_given_for() {
        let mut methods = Methods::default();
        let purge = Method::from_bytes(b"PURGE").unwrap();
        let names = STANDARD.iter().rev().chain([&purge, &Method::GET]);
        for name in names {
            let id = methods.add(name.clone()).unwrap();
            assert_eq!((methods.name(id), methods.id(name)), (Some(name), id));
        }
        assert_eq!(methods.id(&Method::from_bytes(b"OTHER").unwrap()), MethodId::NONE);
        let all = "CONNECT, TRACE, OPTIONS, DELETE, PATCH, PUT, POST, HEAD, GET, PURGE";
        assert_eq!(Allow::all(&methods).to_string(), all);
    }
}
