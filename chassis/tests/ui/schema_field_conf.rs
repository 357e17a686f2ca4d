//! What is wrong with a conf field is told at the field.
#![allow(unused)]

use chassis::prelude::*;

#[schema("/greetings")]
struct Greeting {
    #[conf(defalt = 7)]
    misspelt: u8,
    #[conf(default = 300, range(1..=100))]
    outside: u16,
    #[conf]
    unreadable: Book,
}

struct Book;

#[operations]
impl Greeting {
    #[get("/", public)]
    async fn hello(&self) {}
}

fn main() {}
