//! An operation is an ordinary method.
#![allow(unused)]

use chassis::prelude::*;

#[schema("/greetings")]
struct Greeting;

#[operations]
impl Greeting {
    #[get("/a", public)]
    unsafe fn promise(&self) {}

    #[get("/b", public)]
    extern "C" fn foreign(&self) {}
}

fn main() {}
