//! A conf has named values.
#![allow(unused)]

use chassis::prelude::*;

#[conf]
struct Tuple(u8);

#[conf]
struct Nothing;

#[conf]
struct Generic<T> {
    value: T,
}

#[conf]
fn function() {}

#[conf("name")]
struct Named {
    value: u8,
}

fn main() {}
