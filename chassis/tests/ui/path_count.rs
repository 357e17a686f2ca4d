//! As many values are taken as the path has parameters.
#![allow(unused)]

use chassis::prelude::*;

#[schema("/greetings")]
struct Greeting;

#[operations]
impl Greeting {
    #[get("/{user}/{post}", public)]
    async fn one(&self, Path(user): Path<u64>) {}

    #[get("/{user}", public)]
    async fn three(&self, Path((user, b, c)): Path<(u64, u64, u64)>) {}
}

fn main() {}
