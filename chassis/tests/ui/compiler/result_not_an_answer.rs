//! What is returned can be sent.
#![allow(unused)]

use chassis::prelude::*;

#[schema("/greetings")]
struct Greeting;

#[operations]
impl Greeting {
    #[get("/a", public)]
    async fn hello(&self) -> Hello {
        Hello
    }

    #[get("/b", public)]
    async fn perhaps(&self) -> Result<Hello, Fault> {
        Ok(Hello)
    }
}

struct Hello;

fn main() {}
