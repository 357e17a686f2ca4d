//! What the attributes place in the catalogs, for every shape that they take.
#![expect(clippy::unwrap_used, reason = "an entry that is not there has failed the test")]

use chassis::catalog::{
    CHASSIS_COMPONENTS_V1, CHASSIS_HANDLERS_V1, CHASSIS_SCHEMAS_V1, HandlerEntry, Head, Place, SchemaEntry,
};
use chassis::operation::{Access, Operation};
use chassis::prelude::*;
use serde::Deserialize;
use serde_json::{Value, json};

const SCHEMA_STANDS_AT: u32 = line!() + 6;

/// Holds *accounts*.
///
/// And more.
#[schema("/users/{user}/accounts", name = "accounts-of-users")]
struct UserAccounts;

#[derive(Deserialize)]
struct Place_ {
    user: u64,
    account: u64,
}

enum Trouble {
    None,
}

impl From<Trouble> for Fault {
    fn from(_: Trouble) -> Self {
        Self::new(Code::Conflict, "trouble")
    }
}

mod hidden {
    pub(crate) type Result<T> = std::result::Result<T, super::Trouble>;
}

#[operations(prefix("user"))]
impl UserAccounts {
    const SHOW_STANDS_AT: u32 = line!() + 5;

    /// Shows an account. It is
    /// the whole account.
    #[get("/{account}", roles("clerk"))]
    async fn show_one(&self, Path(Place_ { user, account }): Path<Place_>) -> Json<u64> {
        std::future::ready(()).await;
        Json(user + account)
    }

    #[deprecated = "it was never needed"]
    #[route("PURGE", "/", auth, summary = "Removes all.")]
    fn r#purge(&self, Path(user): Path<u64>) -> hidden::Result<impl axum::response::IntoResponse + use<>> {
        if user == 0 { Err(Trouble::None) } else { Ok("purged") }
    }

    #[cfg(any())]
    #[put("/", public)]
    fn never(&self) -> ThereIsNoSuchType {}

    #[options("/{_rest:*}", public, deprecated, name = "say")]
    fn options(&self) -> Reply {
        Reply::new(StatusCode::NO_CONTENT)
    }
}

fn schema(name: &str) -> &'static SchemaEntry {
    CHASSIS_SCHEMAS_V1.iter().find(|entry| entry.head.name == name).unwrap()
}

fn handler(name: &str) -> &'static HandlerEntry {
    CHASSIS_HANDLERS_V1.iter().find(|entry| entry.head.name == name).unwrap()
}

fn conf(head: &Head) -> Value {
    (head.conf)(&mut schemars::SchemaGenerator::default()).to_value()
}

fn operation(name: &str) -> Operation {
    let operations = (schema("accounts-of-users").operations)();
    operations.into_iter().find(|operation| operation.id.ends_with(name)).unwrap()
}

#[test]
fn a_schema_says_its_name_its_text_and_its_place() {
    let head = schema("accounts-of-users").head;
    assert_eq!(head.doc, "Holds *accounts*.\n\nAnd more.");
    assert!(head.location.file.ends_with("tests/attributes/shapes.rs"));
    assert_eq!(head.location.line, SCHEMA_STANDS_AT);
}

#[test]
fn an_operation_says_what_its_method_says() {
    let show = operation("show-one");
    assert_eq!(show.id, "accounts-of-users.show-one");
    assert_eq!((&*show.method, &*show.template), ("GET", "/users/{user}/accounts/{account}"));
    assert_eq!(show.access, Access::Roles(vec!["clerk".into()].into()));
    assert_eq!(show.summary, "Shows an account.");
    assert_eq!(show.by_name, ["user", "account"]);
    assert_eq!((&*show.arguments[0].name, &*show.arguments[0].ty), ("_", "Path<Place_>"));
    assert_eq!(show.location.line, UserAccounts::SHOW_STANDS_AT);
}

#[test]
fn the_mark_says_what_the_method_does_not() {
    let purge = operation("purge");
    assert_eq!((&*purge.method, &*purge.summary, purge.deprecated), ("PURGE", "Removes all.", true));
    assert_eq!(purge.arguments[0].name, "user");
    assert_eq!(operation("say").template, "/users/{user}/accounts/{_rest:*}");
    assert_eq!((schema("accounts-of-users").operations)().len(), 3);
}

#[test]
fn an_argument_says_what_it_requires_of_the_chain() {
    let shelve = (schema("bare").operations)().remove(1);
    let required: Vec<_> = shelve.arguments.iter().map(|argument| argument.requires.to_vec()).collect();
    assert_eq!(required, [vec!["principal"], vec![]]);
    assert_eq!(shelve.timeout, Some(std::time::Duration::from_secs(1)));
    assert_eq!((shelve.chain.as_deref(), shelve.tags), (Some("slow"), vec!["t".into()]));
}

#[test]
fn a_schema_describes_the_fields_that_yaml_fills() {
    assert_eq!(
        conf(&schema("bare").head),
        json!({
            "type": "object",
            "additionalProperties": false,
            "properties": {
                "volume": {
                    "description": "How loud.", "type": "integer", "format": "uint8",
                    "default": 1, "minimum": 0, "maximum": 11,
                },
                "audience": { "description": "To whom.", "type": "string", "default": "all" },
            },
        })
    );
    assert_eq!(conf(&schema("accounts-of-users").head)["additionalProperties"], false);
}

#[test]
fn a_handler_says_where_it_may_stand() {
    let witness = handler("bare-witness");
    assert_eq!((witness.requires, witness.provides), (&["principal"][..], &["seen"][..]));
    assert_eq!((witness.place, witness.repeatable), (Place::Before(&["auth"]), true));
    assert_eq!(handler("twice").place, Place::Any);
}

#[test]
fn a_component_says_its_type() {
    let shelf = CHASSIS_COMPONENTS_V1.iter().find(|entry| entry.head.name == "bare-shelf").unwrap();
    assert_eq!((shelf.id)(), std::any::TypeId::of::<super::bare::Shelf>());
    assert_eq!(shelf.head.doc, "Keeps.");
    assert_eq!(conf(&shelf.head)["properties"]["room"]["default"], 8);
}

/// Runs the rest twice.
#[handler("twice", wrap)]
struct Twice;

impl Configure for Twice {
    type Conf = ();

    fn build((): (), _: &BuildContext<'_>) -> Result<Self, BuildError> {
        Ok(Self)
    }
}

impl Wrap for Twice {
    fn wrap<'a>(&'a self, invocation: &'a mut Invocation, next: Next<'a>) -> BoxFuture<'a, Reply> {
        Box::pin(async move {
            let _ = next.run(invocation).await;
            next.run(invocation).await
        })
    }
}

#[conf]
struct Limits {
    #[conf(range(2..5))]
    required: u8,
    #[conf(range(..=0.5))]
    share: Option<f64>,
    #[conf(default = -1)]
    least_of_all: i64,
}

/// How much.
#[conf]
#[derive(PartialEq)]
pub(crate) struct ShelfConf {
    /// How many letters.
    #[conf(default = 8)]
    pub(crate) room: usize,
    /// How they are sorted.
    #[conf(default)]
    order: Order,
    /// How many are shown.
    #[conf(range(1..))]
    shown: Option<u32>,
}

/// Sorted how.
#[conf]
#[derive(Default, PartialEq)]
pub(crate) enum Order {
    /// As they came.
    #[default]
    Arrival,
    /// By a key.
    By {
        /// Which.
        #[conf(default = "name")]
        key: String,
    },
}

#[test]
fn a_conf_whose_every_field_has_a_default_has_one_itself() {
    assert_eq!(ShelfConf::default(), ShelfConf { room: 8, order: Order::Arrival, shown: None });
}

#[test]
fn a_conf_is_strict() {
    let read = |value: Value| serde_json::from_value::<Limits>(value).map_err(|error| error.to_string());
    let limits = read(json!({ "required": 4 })).unwrap();
    assert_eq!((limits.required, limits.share, limits.least_of_all), (4, None, -1));
    assert_eq!(read(json!({ "required": 2, "share": 0.5, "least-of-all": 3 })).unwrap().least_of_all, 3);
    for (value, message) in [
        (json!({}), "missing field `required`"),
        (json!({ "required": 5 }), "it must be from 2 to below 5"),
        (json!({ "required": 2, "share": 0.6 }), "it must be at most 0.5"),
        (json!({ "required": 2, "least_of_all": 3 }), "unknown field `least_of_all`"),
    ] {
        let error = read(value).unwrap_err();
        assert!(error.starts_with(message), "{error}");
    }
}
