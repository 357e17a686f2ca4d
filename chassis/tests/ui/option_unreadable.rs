//! What cannot be read is reported, and what follows is read on.
#![allow(unused)]

use chassis::prelude::*;

#[schema("/greetings")]
struct Greeting;

#[operations]
impl Greeting {
    #[get("/a", public, 7, timeot = "2s")]
    async fn number(&self) {}

    #[get("/b", public; auth)]
    async fn semicolon(&self) {}

    #[get = "/c"]
    async fn value(&self) {}
}

fn main() {}
