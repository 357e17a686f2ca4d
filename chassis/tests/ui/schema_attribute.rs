//! What is wrong with `#[schema]` is reported at once.
#![allow(unused)]

use chassis::prelude::*;

#[schema("greetings", "/more", nam = "x", name = "Greet Ings")]
struct Greeting;

#[operations]
impl Greeting {
    #[get("/", public)]
    async fn hello(&self) {}
}

fn main() {}
