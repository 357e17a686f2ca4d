//! An operation has one access.
#![allow(unused)]

use chassis::prelude::*;

#[schema("/greetings")]
struct Greeting;

#[operations]
impl Greeting {
    #[get("/", public, auth)]
    async fn hello(&self) {}

    #[post("/", scopes("a"), roles("b"))]
    async fn remember(&self) {}
}

fn main() {}
