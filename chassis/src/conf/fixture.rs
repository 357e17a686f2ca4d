//! Parts for unit tests: built from their configuration alone, without files.

use serde_json::Value;

use super::source::InMemory;
use super::{BuildContext, BuildError, Configure, Process, typed};
use crate::clock::Clock;
use crate::random::Random;

/// Builds a part from what YAML would say about it. Its random numbers are the same in every run.
pub(crate) fn built<T: Configure>(conf: Value) -> Result<T, BuildError> {
    let (random, files) = (Random::seeded(1), InMemory::default());
    let context = BuildContext {
        clock: Clock::system(),
        random: &random,
        scope: None,
        files: &files,
        warnings: &crate::conf::Warnings::default(),
        process: &Process::default(),
    };
    T::build(typed(conf)?, &context)
}
