//! The attributes of chassis: a schema, its operations, handlers, components, operators and their configuration.
//!
//! Use them through `chassis`, which exports them all. Each attribute is a pure function from tokens to tokens that
//! parses into a model, collects everything that is wrong, and emits; `golden.rs` shows what it writes. Every attribute
//! takes `crate = name` for a package that renamed chassis in its `Cargo.toml`; one `extern crate name as chassis;` at
//! its root does the same for all of them.

use proc_macro::TokenStream;

mod conf;
mod docs;
mod entry;
mod errors;
#[cfg(test)]
mod golden;
mod handler;
mod krate;
mod named;
mod names;
mod notes;
mod operations;
mod plain;
mod schema;
mod stray;

/// Makes a struct a schema: something whose methods can be called from outside.
///
/// ```text
/// /// Greets visitors by name.
/// #[schema("/greetings")]
/// struct Greeting {
///     /// How many names may be remembered.
///     #[conf(default = 1000, range(1..=100_000))]
///     capacity: usize,
///     book: Component<GuestBook>,
///     #[new(Instant::now)]
///     since: Instant,
///     count: AtomicU64,
/// }
/// ```
///
/// The text is the prefix that all its operations stand below. The schema's name, in operation ids and in YAML, is that
/// of the struct in small letters with hyphens (`UserAccounts` is `user-accounts`), or what `name = "…"` says.
///
/// One instance is made at start-up, and its fields are filled
/// * from `schemas.NAME` in YAML where they are marked `#[conf]`, as in [`macro@conf`]; the doc comment goes into the
///   generated configuration;
/// * with the running component where the type is called `Component<T>`;
/// * by a function without arguments where they are marked `#[new(path)]`;
/// * by `Default` otherwise.
///
/// A prefix may have path parameters. `#[operations(prefix("user"))]` then names them.
#[proc_macro_attribute]
pub fn schema(attribute: TokenStream, item: TokenStream) -> TokenStream {
    schema::expand(attribute.into(), &item.into()).into()
}

/// Makes the marked methods of a schema's `impl` block operations.
///
/// ```text
/// #[operations]
/// impl Greeting {
///     /// Says hello.
///     #[get("/{name}", public)]
///     async fn hello(&self, Path(name): Path<Name>) -> Json<Hello> { … }
///
///     /// Remembers a visitor.
///     #[post("/", scopes("greetings:write"), timeout = "2s")]
///     async fn remember(&self, caller: Principal, Json(visitor): Json<Visitor>) -> Result<Created<Hello>, GreetingFault> { … }
/// }
/// ```
///
/// A method is marked `#[get]`, `#[post]`, `#[put]`, `#[patch]`, `#[delete]`, `#[head]`, `#[options]`, or `#[route]`
/// for any other HTTP method: `#[route("PURGE", "/path", …)]`. Methods without a mark are left alone.
///
/// The mark says, in this order or any other,
/// * the path below the schema's prefix: `/a/{id}`, `/{id:[0-9]+}`, `/{id}.json`, `/v{major}`, `/{id}:cancel`,
///   `/{rest:*}`;
/// * who may call it, which must be said: `public` (anyone), `auth` (whoever proved who it is), `scopes("a", "b")`
///   (whoever was granted all of these) or `roles("a", "b")` (whoever has one of these);
/// * `name = "…"`: the last part of its id, otherwise that of the method, `say_hello` as `say-hello`;
/// * `timeout = "2s"`: how long a call may take, `250ms` to `1h` and beyond;
/// * `chain = "…"`: the chain it asks for, otherwise `default`;
/// * `tags("a", "b")`, `summary = "…"` and `deprecated`: for documents. The summary is otherwise the first sentence of
///   the doc comment. Rust's own `#[deprecated]` means the same here and is taken off, so that generated code may call.
///
/// A method takes `&self` and arguments, each of which says where its value comes from: anything that is an
/// `Argument`. Only the last one may read the body. A method may be `async` or not.
///
/// `Path` takes the path parameters: one by itself (`Path(name): Path<Name>`), several in order
/// (`Path((user, post)): Path<(u64, u64)>`), or by name (`Path(Place { user, post }): Path<Place>`). The bindings are
/// called like the parameters, `user_id` for `{user-id}`, or like them after `_` where they are not used. A parameter
/// that nothing takes has a name that begins with `_`. The fields of a struct are compared when the service starts.
///
/// A method returns anything that axum can answer with, a `Reply`, nothing (204), or a `Result` of these whose error
/// becomes a `Fault`.
#[proc_macro_attribute]
pub fn operations(attribute: TokenStream, item: TokenStream) -> TokenStream {
    operations::expand(attribute.into(), &item.into()).into()
}

/// Makes a type a handler that YAML can put into a chain.
///
/// ```text
/// /// Refuses calls about visitors that are not welcome.
/// #[handler("house-rules", requires("principal"), after("auth"))]
/// struct HouseRules { unwelcome: Vec<String> }
/// ```
///
/// The type implements `Configure`, which makes it from `handlers.NAME`, and `Handler`; with the word `wrap`, `Wrap`
/// instead. Besides the name the attribute takes
/// * `requires("principal", …)`: the facts that handlers before it must establish;
/// * `provides("trace", …)`: the facts that it establishes;
/// * `before("auth", …)` or `after("tracing", …)`: where it stands, if those are in the chain too;
/// * `repeatable`: a chain may list it more than once;
/// * `preflight`: it answers the preflights of browsers, which pass the chain of the operation that they ask about as far
///   as this handler. It stands before what enforces access.
#[proc_macro_attribute]
pub fn handler(attribute: TokenStream, item: TokenStream) -> TokenStream {
    handler::expand(attribute.into(), &item.into()).into()
}

/// Makes a type a component: started once before calls, shared by all, stopped after them.
///
/// ```text
/// /// Remembers visitors.
/// #[component("guest-book")]
/// struct GuestBook { … }
/// ```
///
/// The type implements `Start`, which makes it from `components.NAME`.
#[proc_macro_attribute]
pub fn component(attribute: TokenStream, item: TokenStream) -> TokenStream {
    named::COMPONENT.expand(attribute.into(), &item.into()).into()
}

/// Makes a type an operator that conditions can compare texts with, beside those that chassis has.
///
/// ```text
/// /// Versions from this one on.
/// #[operator("since")]
/// struct Since(Version);
/// ```
///
/// The type implements `Operator`, which makes it from `custom.NAME`: `when: { header: { x-client: { custom: { since: '1.4' } } } }`.
#[proc_macro_attribute]
pub fn operator(attribute: TokenStream, item: TokenStream) -> TokenStream {
    named::OPERATOR.expand(attribute.into(), &item.into()).into()
}

/// Makes a struct or enum something that YAML fills.
///
/// ```text
/// /// How the guest book is kept.
/// #[conf]
/// struct GuestBookConf {
///     /// How many visitors are remembered.
///     #[conf(default = 1000, range(1..=1_000_000))]
///     capacity: usize,
///     /// Where they are kept.
///     folder: FileRef,
/// }
/// ```
///
/// Keys are the names of the fields with hyphens, and an unknown key is an error. A field without `default` is
/// required, unless it is an `Option`. `#[conf(default)]` is the default of its type; a text as default becomes what
/// the field keeps texts in. `range(…)` refuses numbers outside it. Doc comments become comments in the generated YAML.
///
/// `Clone`, `Debug`, `Serialize`, `Deserialize` and `JsonSchema` are derived, and `Default` is implemented where every
/// field of a struct has one; those that are derived already are left alone.
#[proc_macro_attribute]
pub fn conf(attribute: TokenStream, item: TokenStream) -> TokenStream {
    conf::expand(attribute.into(), &item.into()).into()
}

macro_rules! verbs {
    ($($verb:ident $method:literal;)*) => {
        $(
            #[doc = concat!("Makes a method an operation that answers ", $method, "; see [`macro@operations`].")]
            ///
            /// It means something only in an `impl` block marked `#[operations]`, which reads it. It is an attribute
            /// of its own so that editors find it.
            #[proc_macro_attribute]
            pub fn $verb(_: TokenStream, item: TokenStream) -> TokenStream {
                stray::expand(stringify!($verb), &item.into()).into()
            }
        )*
    };
}

verbs! {
    get "`GET`, and `HEAD` without a body";
    post "`POST`";
    put "`PUT`";
    patch "`PATCH`";
    delete "`DELETE`";
    head "`HEAD`";
    options "`OPTIONS`";
    route "the HTTP method that its first text names";
}
