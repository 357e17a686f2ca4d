//! A range is one, and its default is in it.
#![allow(unused)]

use chassis::prelude::*;

#[conf]
struct Limits {
    #[conf(range(10))]
    number: u8,
    #[conf(range())]
    empty: u8,
    #[conf(range(..))]
    any: u8,
    #[conf(range(100..=1))]
    backwards: u8,
    #[conf(default = 0, range(1..))]
    outside: u8,
    #[conf(range = 1)]
    form: u8,
}

fn main() {}
