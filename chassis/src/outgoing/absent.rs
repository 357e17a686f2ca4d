//! What stands for the client in a program that makes no calls: it cannot be built, and says what to do.

use std::convert::Infallible;

use bytes::Bytes;
use http::{Request, Response, Uri};
use http_body_util::Full;

use super::{Bounds, Dialect, OutgoingError, Trust};
use crate::conf::BuildError;

/// Makes calls, in a program with the feature `outgoing`; there is none in this one.
#[derive(Clone, Debug)]
pub struct Outgoing(Infallible);

impl Outgoing {
    /// Says what to do.
    ///
    /// # Errors
    /// Always.
    pub fn build() -> Result<Self, BuildError> {
        let help = "chassis makes calls with a feature: write `features = [\"outgoing\"]` for `chassis` into the \
                    `Cargo.toml` of the service";
        Err(BuildError::new("", "this program makes no calls to other services").with_help(help))
    }

    /// Says what to do.
    ///
    /// # Errors
    /// Always.
    pub fn plain() -> Result<Self, BuildError> {
        Self::build()
    }

    /// Says what to do.
    ///
    /// # Errors
    /// Always.
    pub fn speaking(_: Dialect, _: Trust<'_>) -> Result<Self, BuildError> {
        Self::build()
    }

    /// Never called.
    ///
    /// # Errors
    /// There are none.
    pub async fn send(&self, _: Request<Full<Bytes>>, _: Bounds) -> Result<Response<Bytes>, OutgoingError> {
        match self.0 {}
    }

    /// Never called.
    ///
    /// # Errors
    /// There are none.
    pub async fn get(&self, _: &Uri, _: Bounds) -> Result<Response<Bytes>, OutgoingError> {
        match self.0 {}
    }
}
