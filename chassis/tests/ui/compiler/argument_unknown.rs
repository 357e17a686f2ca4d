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
