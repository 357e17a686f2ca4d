//! A parameter is taken, or its name says that it is not.
#![allow(unused)]

use chassis::prelude::*;

#[schema("/greetings")]
struct Greeting;

#[operations]
impl Greeting {
    #[get("/{name}", public)]
    async fn one(&self) {}

    #[get("/{user}/{post}", public)]
    async fn two(&self) {}
}

fn main() {}
