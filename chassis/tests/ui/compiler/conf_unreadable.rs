//! A field can be read and described.
#![allow(unused)]

use chassis::prelude::*;

#[conf]
struct Limits {
    book: Book,
}

struct Book;

fn main() {}
