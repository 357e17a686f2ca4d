//! An operation is not generic.
#![allow(unused)]

use chassis::prelude::*;

#[schema("/greetings")]
struct Greeting;

#[operations]
impl Greeting {
    #[post("/a", public)]
    async fn types<T: Send>(&self, body: Json<T>) {}

    #[post("/b", public)]
    async fn hidden(&self, body: impl Send) {}
}

fn main() {}
