//! The operations: greet, list, remember, forget.

use chassis::prelude::*;
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};

use crate::book::{GuestBook, Unwritten};

/// Greets visitors by name.
#[schema("/greetings")]
struct Greeting {
    /// The word a greeting begins with.
    #[conf(default = "Hello".to_owned())]
    salutation: String,
    /// How many visitors a page lists when the caller does not say.
    #[conf(default = 20, range(1..=100))]
    page: usize,
    book: Component<GuestBook>,
}

/// A greeting.
#[derive(Debug, Serialize)]
struct Hello {
    message: String,
}

/// A visitor to remember.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Visitor {
    #[serde(deserialize_with = "name")]
    name: String,
}

/// Which part of the list is wanted.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Page {
    /// The name after which the page begins.
    #[serde(default)]
    after: String,
    /// How many names, from 1 to 100.
    #[serde(default, deserialize_with = "limit")]
    limit: Option<usize>,
}

/// A page of the list.
#[derive(Debug, Serialize)]
struct Visitors {
    names: Vec<String>,
    /// What to pass as `after` for the next page; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

/// How a greeting fails.
#[derive(Debug)]
enum GreetingFault {
    Known(String),
    Full,
    Unknown(String),
}

impl From<GreetingFault> for Fault {
    fn from(fault: GreetingFault) -> Self {
        match fault {
            GreetingFault::Known(name) => Self::new(Code::Conflict, format!("`{name}` is remembered already.")),
            GreetingFault::Full => Self::new(Code::Unavailable, "The guest book is full. Forget someone first."),
            GreetingFault::Unknown(name) => Self::new(Code::NotFound, format!("Nobody remembers `{name}`.")),
        }
    }
}

/// The longest name, in bytes: it stands in paths, and in the memory of the book.
const LONGEST_NAME: usize = 200;

/// Reads a name that someone can be called by, and forgotten under: it is the last segment of a path.
fn name<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let name = String::deserialize(deserializer)?;
    match name.as_str() {
        "" => Err(Error::custom("a name is not empty")),
        "." | ".." => Err(Error::custom("a name is not `.` or `..`, which mean something else in a path")),
        text if text.len() > LONGEST_NAME => {
            Err(Error::custom(format_args!("a name has at most {LONGEST_NAME} bytes")))
        }
        text if text.contains(char::is_control) => Err(Error::custom("a name has no control characters")),
        _ => Ok(name),
    }
}

/// Reads how many names a page has, if that is said.
fn limit<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<usize>, D::Error> {
    match Option::deserialize(deserializer)? {
        Some(limit) if !(1..=100).contains(&limit) => Err(Error::custom("it must be from 1 to 100")),
        limit => Ok(limit),
    }
}

#[operations]
impl Greeting {
    /// Says hello.
    #[get("/{name}", public)]
    async fn hello(&self, Path(name): Path<String>) -> Json<Hello> {
        Json(self.greet(&name))
    }

    /// Lists the visitors that are remembered, a page at a time.
    #[get("/", auth)]
    async fn list(&self, Query(page): Query<Page>) -> Json<Visitors> {
        let limit = page.limit.unwrap_or(self.page);
        let mut names = self.book.names(&page.after, limit + 1);
        let more = names.len() > limit;
        names.truncate(limit);
        let next = if more { names.last().cloned() } else { None };
        Json(Visitors { names, next })
    }

    /// Remembers a visitor.
    #[post("/", scopes("greetings:write"), timeout = "2s")]
    async fn remember(&self, caller: Principal, Json(visitor): Json<Visitor>) -> Result<Created<Hello>, GreetingFault> {
        self.book.write(&visitor.name, caller.subject()).map_err(|reason| match reason {
            Unwritten::Known => GreetingFault::Known(visitor.name.clone()),
            Unwritten::Full => GreetingFault::Full,
        })?;
        let location = format!("/greetings/{}", Segment(&visitor.name));
        Ok(Created::at(location, self.greet(&visitor.name)))
    }

    /// Forgets a visitor.
    #[delete("/{name}", roles("admin"))]
    async fn forget(&self, Path(name): Path<String>) -> Result<NoContent, GreetingFault> {
        if self.book.strike(&name) { Ok(NoContent) } else { Err(GreetingFault::Unknown(name)) }
    }

    fn greet(&self, name: &str) -> Hello {
        Hello { message: format!("{}, {name}!", self.salutation) }
    }
}
