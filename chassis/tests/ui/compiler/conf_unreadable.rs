//! A field can be read and described.
#![allow(unused)]

use chassis::prelude::*;

#[conf]
struct Limits {
    book: Book,
}

struct Book;

fn main() {}

//~ `Book` cannot be a value of a conf
//~ YAML cannot fill this
//~ mark `Book` with `#[conf]` too if it is yours; otherwise use a type that is `Clone`, `Debug`, `Serialize`, `Deserialize` and `JsonSchema`
