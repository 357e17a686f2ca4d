//! A field of a pattern is called like the parameter it takes.
#![allow(unused)]

use chassis::prelude::*;

#[schema("/greetings")]
struct Greeting;

#[operations]
impl Greeting {
    #[get("/{user}/{post}", public)]
    async fn show(&self, Path(Place { user, pots }): Path<Place>) {}
}

#[derive(serde::Deserialize)]
struct Place {
    user: u64,
    pots: u64,
}

fn main() {}
