//! There is something for `Path` to take.
#![allow(unused)]

use chassis::prelude::*;

#[schema("/greetings")]
struct Greeting;

#[operations]
impl Greeting {
    #[get("/", public)]
    async fn hello(&self, Path(name): Path<String>) {}
}

fn main() {}
