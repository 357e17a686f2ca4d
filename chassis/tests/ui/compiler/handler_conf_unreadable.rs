//! What configures a handler can be read and described.
#![allow(unused)]

use chassis::prelude::*;

#[handler("rules")]
struct Rules;

struct RulesConf;

impl Configure for Rules {
    type Conf = RulesConf;

    fn build(_: RulesConf, _: &BuildContext<'_>) -> Result<Self, BuildError> {
        Ok(Self)
    }
}

impl Handler for Rules {}

fn main() {}
