//! A binding is called like the parameter it takes.
#![allow(unused)]

use chassis::prelude::*;

#[schema("/greetings")]
struct Greeting;

#[operations]
impl Greeting {
    #[get("/{name}", public)]
    async fn near(&self, Path(nam): Path<String>) {}

    #[get("/a/{name}", public)]
    async fn far(&self, Path(visitor): Path<String>) {}

    #[get("/b/{user}/{post}", public)]
    async fn tuple(&self, Path((user, pots)): Path<(u64, u64)>) {}
}

fn main() {}
