//! A type that is not read from a call is no argument.
#![allow(unused)]

use chassis::prelude::*;

#[schema("/greetings")]
struct Greeting;

#[operations]
impl Greeting {
    #[get("/", public)]
    async fn hello(&self, count: Count) {}

    #[post("/", public)]
    async fn remember(&self, count: Count, Json(name): Json<String>) {}
}

struct Count;

fn main() {}

//~ `Count` cannot be an argument of an operation
//~ chassis does not know how to take this out of a call
//~ arguments are `Path<T>`, `Query<T>`, `Header<T>`, `Json<T>`, `Form<T>`, `Principal`, `Component<T>`, and whatever axum can extract
//~ the `T` of `Component<T>` is marked `#[component("name")]`; that of the others is read from the call and needs `#[derive(Deserialize)]`
