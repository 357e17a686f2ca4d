//! A name can be written in YAML.
#![allow(unused)]

use chassis::prelude::*;

#[schema("/greetings")]
struct Greeting;

#[operations]
impl Greeting {
    #[get("/", public, name = "Say Hello")]
    async fn hello(&self) {}

    #[post("/", public, chain = "a.b")]
    async fn remember(&self) {}
}

fn main() {}
