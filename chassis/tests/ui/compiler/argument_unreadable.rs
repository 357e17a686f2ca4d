//! What an argument holds can be read.
#![allow(unused)]

use chassis::prelude::*;

#[schema("/greetings")]
struct Greeting;

#[operations]
impl Greeting {
    #[post("/", public)]
    async fn remember(&self, Json(visitor): Json<Visitor>) {}

    #[get("/", public)]
    async fn list(&self, Query(visitor): Query<Visitor>) {}

    #[get("/{visitor}", public)]
    async fn hello(&self, Path(visitor): Path<Visitor>) {}
}

struct Visitor;

fn main() {}

//~ `chassis::prelude::Json<Visitor>` cannot be an argument of an operation
//~ chassis does not know how to take this out of a call
//~ arguments are `Path<T>`, `Query<T>`, `Header<T>`, `Json<T>`, `Form<T>`, `Principal`, `Component<T>`, and whatever axum can extract
//~ the `T` of `Component<T>` is marked `#[component("name")]`; that of the others is read from the call and needs `#[derive(Deserialize)]`
//~ `chassis::prelude::Query<Visitor>` cannot be an argument of an operation
//~ `chassis::prelude::Path<Visitor>` cannot be an argument of an operation
