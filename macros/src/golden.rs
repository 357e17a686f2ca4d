//! Shows what each attribute writes, for the main shapes. A change of the generated code is reviewed here.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};

use crate::{conf, handler, named, operations, schema};

/// The code as a person would have written it.
fn pretty(code: TokenStream) -> String {
    let text = code.to_string();
    let file = syn::parse2(code).unwrap_or_else(|error| panic!("{error} in {text}"));
    prettyplease::unparse(&file)
}

fn item(source: &str) -> TokenStream {
    let item: syn::Item = syn::parse_str(source).unwrap();
    item.to_token_stream()
}

#[test]
fn a_schema_is_filled_from_yaml_components_functions_and_defaults() {
    let item = item(
        r#"
        /// Greets visitors by name.
        pub struct Greeting {
            /// How many names may be remembered.
            #[conf(default = 1000, range(1..=5000))]
            capacity: usize,
            book: Component<GuestBook>,
            #[new(Instant::now)]
            since: Instant,
            count: AtomicU64,
        }
        "#,
    );
    insta::assert_snapshot!(pretty(schema::expand(quote!("/greetings"), &item)));
}

#[test]
fn operations_take_arguments_and_answer() {
    let item = item(
        r#"
        impl Greeting {
            /// Says hello. In many languages.
            #[get("/{name}", public)]
            async fn hello(&self, Path(name): Path<Name>) -> Json<Hello> {
                self.greet(name)
            }

            #[post("/", scopes("greetings:write", "admin"), name = "write-down", timeout = "1m30s", chain = "slow", tags("guests"))]
            async fn remember(&self, caller: Principal, Json(visitor): Json<Visitor>) -> Result<Created<Hello>, GreetingFault> {
                self.book.write(caller, visitor)
            }

            #[cfg(feature = "forget")]
            #[deprecated]
            #[delete("/{name}", roles("admin"))]
            fn forget(&self, Path(_name): Path<String>) {}

            fn greet(&self, name: Name) -> Json<Hello> {
                Json(Hello)
            }
        }
        "#,
    );
    insta::assert_snapshot!(pretty(operations::expand(TokenStream::new(), &item)));
}

#[test]
fn an_alias_of_result_and_an_unnamed_type_are_left_to_inference() {
    let item = item(
        r#"
        impl Posts {
            #[get("/{post}", auth)]
            fn show<'a>(&'a self, Path((user, post)): Path<(u64, u64)>) -> Result<impl IntoResponse + use<'a>> {
                self.find(user, post)
            }
        }
        "#,
    );
    insta::assert_snapshot!(pretty(operations::expand(quote!(prefix("user"), crate = renamed), &item)));
}

#[test]
fn a_handler_says_where_it_may_stand() {
    let item = item(
        r#"
        /// Refuses visitors that are not welcome.
        pub struct HouseRules {
            unwelcome: Vec<String>,
        }
        "#,
    );
    let attribute = quote!("house-rules", requires("principal"), after("auth", "tracing"), repeatable, preflight);
    insta::assert_snapshot!(pretty(handler::expand(attribute, &item)));
}

#[test]
fn an_operator_is_one_entry() {
    insta::assert_snapshot!(pretty(named::OPERATOR.expand(quote!("since"), &item("struct Since(u32);"))));
}

#[test]
fn a_component_is_one_entry() {
    insta::assert_snapshot!(pretty(named::COMPONENT.expand(quote!("guest-book"), &item("struct GuestBook;"))));
}

#[test]
fn a_conf_is_strict_and_documented() {
    let item = item(
        r#"
        /// How the guest book is kept.
        #[derive(Clone, PartialEq)]
        pub struct GuestBookConf {
            /// How many visitors are remembered.
            #[conf(default = 1000, range(1..=1_000_000))]
            capacity: usize,
            #[conf(default = "guests")]
            folder: String,
            #[conf(range(..0.5))]
            share: Option<f64>,
        }
        "#,
    );
    insta::assert_snapshot!(pretty(conf::expand(TokenStream::new(), &item)));
}

#[test]
fn a_choice_is_a_conf_too() {
    let item = item(
        r#"
        enum Key {
            Peer,
            Header { name: String, #[conf(default)] required: bool },
        }
        "#,
    );
    insta::assert_snapshot!(pretty(conf::expand(TokenStream::new(), &item)));
}

#[test]
fn what_is_wrong_is_said_beside_the_item_and_stubs_keep_it_from_spreading() {
    let block = item(
        r#"
        impl Greeting {
            #[get("/{name", pubilc)]
            async fn hello(&mut self) -> Json<Hello> {
                Json(Hello)
            }
        }
        "#,
    );
    let all = [
        schema::expand(quote!("greetings", nam = "x"), &item("struct Greeting;")),
        operations::expand(TokenStream::new(), &block),
    ];
    insta::assert_snapshot!(pretty(all.into_iter().collect()));
}
