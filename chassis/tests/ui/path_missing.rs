//! An operation has a path.
#![allow(unused)]

use chassis::prelude::*;

#[schema("/greetings")]
struct Greeting;

#[operations]
impl Greeting {
    #[get(public)]
    async fn hello(&self) {}

    #[post]
    async fn remember(&self) {}
}

fn main() {}
