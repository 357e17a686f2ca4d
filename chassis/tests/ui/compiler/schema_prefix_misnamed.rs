//! A prefix has the parameters that `#[operations]` names.
#![allow(unused)]

use chassis::prelude::*;

#[schema("/users")]
struct Greeting;

#[operations(prefix("user"))]
impl Greeting {
    #[get("/", public)]
    async fn hello(&self, Path(user): Path<u64>) {}
}

fn main() {}
