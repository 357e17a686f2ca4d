//! An error becomes a Fault.
#![allow(unused)]

use chassis::prelude::*;

#[schema("/greetings")]
struct Greeting;

#[operations]
impl Greeting {
    #[get("/", public)]
    async fn hello(&self) -> Result<Json<String>, Oops> {
        Err(Oops)
    }
}

struct Oops;

fn main() {}
