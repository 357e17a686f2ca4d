//! A word that is nearly an access is suggested, and counts as one.
#![allow(unused)]

use chassis::prelude::*;

#[schema("/greetings")]
struct Greeting;

#[operations]
impl Greeting {
    #[get("/", pubilc)]
    async fn hello(&self) {}
}

fn main() {}
