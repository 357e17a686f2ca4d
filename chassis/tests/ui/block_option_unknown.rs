//! What `#[operations]` takes is little.
#![allow(unused)]

use chassis::prelude::*;

#[schema("/greetings")]
struct Greeting;


#[operations("/greetings", prefx("a"))]
impl Greeting {
    #[get("/", public)]
    async fn hello(&self) {}
}

fn main() {}
