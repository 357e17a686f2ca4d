//! An operation says who may call it.
#![allow(unused)]

use chassis::prelude::*;

#[schema("/greetings")]
struct Greeting;

#[operations]
impl Greeting {
    #[get("/")]
    async fn hello(&self) {}
}

fn main() {}
