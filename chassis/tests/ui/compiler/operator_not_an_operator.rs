//! A type that is marked and compares nothing is told what to write.
#![allow(unused)]

use chassis::prelude::*;

#[operator("since")]
struct Since;

fn main() {}

//~ `Since` is not an operator
//~ `Operator` is not implemented for it
//~ write `impl Operator for Since {
