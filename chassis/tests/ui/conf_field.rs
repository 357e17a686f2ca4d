//! What is wrong with a field is told at the field.
#![allow(unused)]

use chassis::prelude::*;

#[conf]
struct Limits {
    #[conf(defalt = 7)]
    misspelt: u8,
    #[conf(default = 1, default = 2)]
    twice: u8,
    #[conf(default(1))]
    form: u8,
    #[conf("text")]
    text: u8,
}

fn main() {}
