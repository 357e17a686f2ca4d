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

//~ `Rules` does not wrap the rest of a chain
//~ `wrap` is not implemented for it
//~ write `impl Wrap for Rules`, or drop `wrap` from `#[handler(…)]` if hooks are enough
