//! A tuple takes parameters in the order of the path.
#![allow(unused)]

use chassis::prelude::*;

#[schema("/greetings")]
struct Greeting;

#[operations]
impl Greeting {
    #[get("/{user}/{post}", public)]
    async fn show(&self, Path((post, user)): Path<(u64, u64)>) {}
}

fn main() {}
