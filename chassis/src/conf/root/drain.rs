//! How the process ends when it is told to.

use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::conf::build::BuildError;
use crate::conf::value::Interval;

/// How the process ends when it is told to (SIGTERM, SIGINT, SIGQUIT). Each step takes at most as long as it says; a
/// second signal ends the process at once.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Drain {
    /// How long connections are still taken while the process already reports that it is not ready, because load
    /// balancers learn late that it leaves. `0s` where a `preStop` hook waits already.
    pub delay: Interval,
    /// How long after that calls in flight may go on; those that are not done then are cut off, over HTTP/1 with 503 where
    /// nothing was answered yet.
    pub deadline: Interval,
    /// How long after that traces, metrics and logs may take to be written out.
    pub flush: Interval,
    /// How long the platform waits between the signal and killing the process: `terminationGracePeriodSeconds` in
    /// Kubernetes. Delay, deadline and flush together must fit.
    pub grace: Interval,
}

impl Default for Drain {
    fn default() -> Self {
        Self {
            delay: Interval::secs(5),
            deadline: Interval::secs(20),
            flush: Interval::secs(2),
            grace: Interval::secs(30),
        }
    }
}

impl Drain {
    /// Whether the steps fit into the time there is.
    ///
    /// # Errors
    /// They do not.
    pub fn fits(&self) -> Result<(), BuildError> {
        let steps = [self.delay, self.deadline, self.flush].map(Interval::duration);
        let whole = Interval(steps.iter().fold(Duration::ZERO, |sum, step| sum.saturating_add(*step)));
        if whole <= self.grace {
            return Ok(());
        }
        let Self { delay, deadline, flush, grace } = self;
        let message =
            format!("{delay} delay, {deadline} deadline and {flush} flush are {whole}, more than {grace} grace");
        let help = "shorten the deadline, or raise `terminationGracePeriodSeconds` and `drain.grace` together";
        Err(BuildError::new("deadline", message).with_help(help))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_fits_what_kubernetes_grants() {
        assert_eq!(Drain::default().fits(), Ok(()));
    }

    #[test]
    fn steps_that_take_longer_than_the_grace_do_not_fit() {
        let drain = Drain { deadline: Interval::secs(25), ..Drain::default() };
        let message = drain.fits().map_err(|error| error.message);
        assert_eq!(message, Err("5s delay, 25s deadline and 2s flush are 32s, more than 30s grace".to_owned()));
    }
}
