//! An argument is owned.
#![allow(unused)]

use chassis::prelude::*;

#[schema("/greetings")]
struct Greeting;

#[operations]
impl Greeting {
    #[get("/", public)]
    async fn hello(&self, caller: &Principal) {}
}

fn main() {}
