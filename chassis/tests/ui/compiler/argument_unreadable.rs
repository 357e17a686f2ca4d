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
