//! One argument takes all parameters.
#![allow(unused)]

use chassis::prelude::*;

#[schema("/greetings")]
struct Greeting;

#[operations]
impl Greeting {
    #[get("/{user}/{post}", public)]
    async fn show(&self, Path(user): Path<u64>, Path(post): Path<u64>) {}
}

fn main() {}
