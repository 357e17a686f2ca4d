//! What YAML says about caching.

use std::time::Duration;

use http::HeaderValue;

use super::{directives, kept};
use crate::conf;
use crate::conf::{BuildError, Interval, Size};
use crate::operation::{Access, Operation};

/// What callers may keep, and what is kept for them.
#[conf]
pub struct Conf {
    /// What replies say to caches on the way (`Cache-Control`), where the operation says nothing itself, such as
    /// `public, max-age=60`. Only replies that succeed say it. Nothing by default.
    pub control: Option<String>,
    /// Whether replies that have no `ETag` are given one, a digest of their body, so that callers that have them
    /// already get 304 (RFC 9110 §13.1.2). Only where the body is made before it is sent, and no larger than
    /// `max-body`.
    #[conf(default = true)]
    pub etag: bool,
    /// How long replies are kept here for others who ask for the same; a shorter `max-age` of the operation counts.
    /// Without it none are.
    pub keep: Option<Interval>,
    /// Whether replies to callers that are known are kept too, each for its caller alone. Otherwise those, and calls
    /// with `Authorization` or `Cookie`, are answered by the operation.
    #[conf(default = false)]
    pub private: bool,
    /// The largest body that is kept.
    #[conf(default = Size(64 << 10))]
    pub max_body: Size,
    /// How much memory the replies may take in all. When it is full, those that would expire first go.
    #[conf(default = Size(16 << 20))]
    pub memory: Size,
}

impl Conf {
    /// What replies say.
    ///
    /// # Errors
    /// It is no `Cache-Control`.
    pub(super) fn control(&self) -> Result<Option<HeaderValue>, BuildError> {
        let Some(text) = &self.control else { return Ok(None) };
        if let Some(flaw) = directives::flaw(text) {
            let error = BuildError::new("control", flaw);
            return Err(error.with_help("write directives such as `public, max-age=60` (RFC 9111 §5.2.2)"));
        }
        let no_value = |_| BuildError::new("control", format!("`{text}` is no value of a header field"));
        HeaderValue::from_str(text).map(Some).map_err(no_value)
    }

    /// How long replies are kept.
    ///
    /// # Errors
    /// None would be.
    pub(super) fn keep(&self) -> Result<Option<Duration>, BuildError> {
        match self.keep {
            Some(Interval::ZERO) => {
                Err(BuildError::new("keep", "`0s` keeps nothing").with_help("remove it to keep nothing"))
            }
            Some(_) if self.memory.length() < kept::EACH => {
                let error = BuildError::new("memory", format!("`{}` has no room for a single reply", self.memory));
                Err(error.with_help("write as much as all replies may take, such as `16MiB`, or remove `keep`"))
            }
            keep => Ok(keep.map(Interval::duration)),
        }
    }

    /// # Errors
    /// Everybody could keep what only some may see.
    pub(super) fn suit(&self, operations: &[&Operation]) -> Result<(), BuildError> {
        let is_public = self.control.as_deref().is_some_and(directives::is_public);
        let closed = operations.iter().find(|operation| is_public && operation.access != Access::Public);
        let Some(operation) = closed else { return Ok(()) };
        let message = format!("`{}` is not public, and every cache could give its replies to everyone", operation.id);
        Err(BuildError::new("control", message).with_help("write `private` for it, below `operations`"))
    }
}
