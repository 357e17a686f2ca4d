//! A struct whose methods can be called from outside, and what binds a method to an instance of it.

use std::borrow::Cow;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use crate::invocation::Invocation;
use crate::operation::{Access, Argument, Location, Operation, Text};
use crate::reply::Reply;

/// A future on the heap, as dynamic calls need it.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A struct marked `#[schema]`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a schema",
    label = "not marked `#[schema(\"/prefix\")]`",
    note = "put `#[schema(\"/prefix\")]` on the struct"
)]
pub trait Schema: Operations {
    /// Its name in operation ids and YAML, such as `greeting`.
    const NAME: &'static str;
    /// The path all its operations stand below.
    const PREFIX: &'static str;
}

/// The operations of a schema, written by `#[operations]`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no operations",
    label = "no `impl` block of this type is marked `#[operations]`",
    note = "put `#[operations]` on the `impl {Self}` block that holds its methods"
)]
pub trait Operations: Sized + Send + Sync + 'static {
    /// The operations, in the order they are written.
    const OPERATIONS: &'static [Declared<Self>];
}

/// An operation as its method declares it.
pub struct Declared<S: 'static> {
    /// The last part of the id.
    pub name: &'static str,
    /// The HTTP method.
    pub method: &'static str,
    /// The path template below the schema's prefix.
    pub path: &'static str,
    /// Who may call it.
    pub access: Access,
    /// How long a call may take.
    pub timeout: Option<Duration>,
    /// The chain it asks for.
    pub chain: Option<&'static str>,
    /// The groups it belongs to in documents.
    pub tags: &'static [&'static str],
    /// Whether callers should stop using it.
    pub deprecated: bool,
    /// What it does, in one sentence.
    pub summary: &'static str,
    /// What it takes.
    pub arguments: &'static [Argument],
    /// The fields of the type that takes the path parameters by name.
    pub by_name: Option<fn() -> Option<&'static [&'static str]>>,
    /// Where it is written.
    pub location: Location,
    /// Takes the arguments out of the call and calls the method.
    pub call: for<'a> fn(&'a S, &'a mut Invocation) -> BoxFuture<'a, Reply>,
}

impl<S: Schema> Declared<S> {
    /// What is known about this operation.
    pub fn operation(&self) -> Operation {
        let mut operation = Operation::new(S::NAME, self.name, self.method, join(S::PREFIX, self.path));
        operation.access = self.access.clone();
        operation.timeout = self.timeout;
        operation.chain = self.chain.map(Cow::Borrowed);
        operation.tags = self.tags.iter().copied().map(Text::Borrowed).collect();
        operation.deprecated = self.deprecated;
        operation.summary = Text::Borrowed(self.summary);
        operation.arguments = self.arguments.to_vec();
        let by_name = self.by_name.and_then(|fields| fields()).unwrap_or_default();
        operation.by_name = by_name.iter().copied().map(Text::Borrowed).collect();
        operation.location = self.location;
        operation
    }
}

/// Puts a path below a prefix, with one slash between.
pub(crate) fn join(prefix: &str, path: &str) -> String {
    match (prefix.trim_end_matches('/'), path.trim_start_matches('/')) {
        ("", rest) => format!("/{rest}"),
        (prefix, "") if path.is_empty() || path == "/" => prefix.to_owned(),
        (prefix, rest) => format!("{prefix}/{rest}"),
    }
}

/// What answers a call at the end of a chain.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot answer at the end of a chain",
    label = "`Endpoint` is not implemented for it",
    note = "methods marked in `#[operations]` can; to mount something else write `impl Endpoint for {Self}`"
)]
pub trait Endpoint: Send + Sync {
    /// Answers the call.
    fn call<'a>(&'a self, invocation: &'a mut Invocation) -> BoxFuture<'a, Reply>;
}

/// An operation together with what answers it.
#[derive(Clone)]
pub struct Mounted {
    /// What is known about it.
    pub operation: Operation,
    /// What answers it.
    pub endpoint: Arc<dyn Endpoint>,
}

struct Method<S: 'static> {
    instance: Arc<S>,
    call: for<'a> fn(&'a S, &'a mut Invocation) -> BoxFuture<'a, Reply>,
}

impl<S: Send + Sync + 'static> Endpoint for Method<S> {
    fn call<'a>(&'a self, invocation: &'a mut Invocation) -> BoxFuture<'a, Reply> {
        (self.call)(&self.instance, invocation)
    }
}

/// Binds every operation of a schema to one instance of it.
#[expect(clippy::needless_pass_by_value, reason = "whoever mounts an instance gives it away")]
pub fn mount<S: Schema>(instance: Arc<S>) -> Vec<Mounted> {
    S::OPERATIONS
        .iter()
        .map(|declared| Mounted {
            operation: declared.operation(),
            endpoint: Arc::new(Method { instance: Arc::clone(&instance), call: declared.call }),
        })
        .collect()
}

/// What is known about every operation of a schema, without an instance.
pub fn describe<S: Schema>() -> Vec<Operation> {
    S::OPERATIONS.iter().map(Declared::operation).collect()
}
