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

//~ `Hello` cannot be the answer of an operation
//~ chassis does not know how to send this
//~ return `Json<T>`, `Created<T>`, `NoContent`, text, `()`, a `Reply`, or whatever axum can answer with
//~ or a `Result` of these: an alias of it is recognised by being called `Result` too
