//! On which calls a handler runs, and on how many of them it acts: keys that every handler takes beside its own.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::condition::When;
use crate::conf::build::BuildError;
use crate::conf::value::Share;

/// On which calls a handler runs, and on how many of them it acts.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Terms {
    /// The calls it runs on; others pass as if it were not listed. Without it, all.
    #[schemars(extend("x-narrows" = true))]
    pub when: Option<When>,
    /// Whether it only decides: what it would refuse or answer is counted and kept, and the call goes on as if it were
    /// not listed.
    pub shadow: Option<bool>,
    /// The share of calls on which it acts; on the others it is a shadow. All of them unless said otherwise.
    pub enforce: Option<Share>,
}

impl Terms {
    /// The share of calls on which it acts.
    ///
    /// # Errors
    /// Both keys say it.
    pub fn enforced(&self) -> Result<Share, BuildError> {
        match (self.shadow, self.enforce) {
            (Some(true), Some(_)) => {
                let error = BuildError::new("enforce", "`shadow: true` says already that it acts on no call");
                Err(error.with_help("keep one of the two: `shadow: true` is `enforce: 0%`"))
            }
            (Some(true), None) => Ok(Share::NONE),
            (_, share) => Ok(share.unwrap_or(Share::ALL)),
        }
    }

    /// The key for which nobody can rely on the handler, if there is one: it runs on some calls only, or lets pass what
    /// it would refuse.
    pub fn weakening(&self) -> Option<&'static str> {
        if self.when.is_some() { Some("when") } else { self.sparing() }
    }

    /// The key with which the handler lets pass what it would refuse, if there is one.
    pub fn sparing(&self) -> Option<&'static str> {
        let spared = self.enforce.is_some_and(|share| share < Share::ALL);
        if self.shadow == Some(true) { Some("shadow") } else { spared.then_some("enforce") }
    }
}
