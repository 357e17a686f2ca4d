//! What stands for the client in a program that does not speak to Redis: it cannot be built, and says what to do.

use std::convert::Infallible;
use std::time::Duration;

use super::Away;
use crate::background::Background;
use crate::conf::{BuildContext, BuildError, Secret, root};

/// Asks Redis, in a program with the feature `redis`; there is none in this one.
#[derive(Clone)]
pub struct Client(Infallible);

/// A question, in a program that asks none.
pub struct Script;

impl Script {
    /// Nobody runs it.
    pub fn new(_: &str) -> Self {
        Self
    }
}

impl Client {
    /// Says what to do.
    ///
    /// # Errors
    /// Always.
    pub fn build(_: &root::Redis, _: &Secret, _: &str, _: &BuildContext<'_>) -> Result<Self, BuildError> {
        Err(Self::missing("url"))
    }

    /// Says what to do.
    pub fn missing(key: &str) -> BuildError {
        let help = "chassis speaks to Redis with a feature: write `features = [\"redis\"]` for `chassis` into the \
                    `Cargo.toml` of the service";
        BuildError::new(key, "this program does not speak to Redis").with_help(help)
    }

    /// Never called.
    pub fn begin(&self, _: &Background) {
        match self.0 {}
    }

    /// Never called.
    pub fn is_away(&self) -> bool {
        match self.0 {}
    }

    /// Never called.
    pub fn away(&self) -> Away {
        match self.0 {}
    }

    /// Never called.
    pub fn retry(&self) -> Duration {
        match self.0 {}
    }

    /// Never called.
    pub fn key(&self, _: &str) -> String {
        match self.0 {}
    }

    /// Never called.
    pub fn digest(&self, _: &[&[u8]]) -> String {
        match self.0 {}
    }

    /// Never called.
    ///
    /// # Errors
    /// There are none.
    pub async fn ask(&self, _: &Script, _: &[String], _: &[Vec<u8>]) -> Result<Vec<Vec<u8>>, Away> {
        match self.0 {}
    }
}
