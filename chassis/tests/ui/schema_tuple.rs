//! The fields of a schema have names.
#![allow(unused)]

use chassis::prelude::*;

#[schema("/greetings")]
struct Greeting(usize);

#[operations]
impl Greeting {
    #[get("/", public)]
    async fn hello(&self) {}
}

fn main() {}
