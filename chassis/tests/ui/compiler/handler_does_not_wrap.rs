//! A handler that says `wrap` implements `Wrap`.
#![allow(unused)]

use chassis::prelude::*;

#[handler("rules", wrap)]
struct Rules;

impl Handler for Rules {}

impl Configure for Rules {
    type Conf = ();

    fn build((): (), _: &BuildContext<'_>) -> Result<Self, BuildError> {
        Ok(Self)
    }
}

fn main() {}
