//! A component can be started.
#![allow(unused)]

use chassis::prelude::*;

#[component("book")]
struct Book;

fn main() {}

//~ `Book` is not a component
//~ `Start` is not implemented for it
//~ mark the struct `#[component("name")]` and write `impl Start for Book`
