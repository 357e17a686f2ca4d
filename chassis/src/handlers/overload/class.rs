//! How much is lost when a call is refused, and who says so.

use http::HeaderName;

use super::policy::Conf;
use crate::condition::Condition;
use crate::conf;
use crate::conf::BuildError;
use crate::invocation::{Invocation, Network};

/// How much is lost when a call is refused.
#[conf]
#[derive(Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Criticality {
    /// Nobody waits for it, and it comes again: batches, prefetching.
    Sheddable,
    /// Somebody may notice, and it comes again.
    SheddablePlus,
    /// Somebody waits for it.
    Critical,
    /// Users notice at once, everywhere.
    CriticalPlus,
}

impl Criticality {
    /// All of them, the least first.
    pub const ALL: [Self; 4] = [Self::Sheddable, Self::SheddablePlus, Self::Critical, Self::CriticalPlus];

    /// Its name in configuration, metrics and refusals.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sheddable => "sheddable",
            Self::SheddablePlus => "sheddable-plus",
            Self::Critical => "critical",
            Self::CriticalPlus => "critical-plus",
        }
    }

    /// Its place among [`Criticality::ALL`].
    pub(super) const fn place(self) -> usize {
        self as usize
    }

    /// What a peer says: `critical-plus`, or `CRITICAL_PLUS` as Google writes it.
    fn parse(text: &str) -> Option<Self> {
        let same = |said: u8, known: u8| said.to_ascii_lowercase() == known || (said, known) == (b'_', b'-');
        let is = |name: &str| name.len() == text.len() && text.bytes().zip(name.bytes()).all(|(a, b)| same(a, b));
        Self::ALL.into_iter().find(|class| is(class.as_str()))
    }
}

/// Tells how critical calls are.
pub(super) struct Classes {
    exempt: Option<Condition>,
    rules: Vec<(Condition, Criticality)>,
    field: Option<HeaderName>,
    trusted: Vec<Network>,
    usual: Criticality,
}

impl Classes {
    pub(super) fn new(conf: &Conf) -> Result<Self, BuildError> {
        let exempt =
            conf.exempt.as_ref().map(|when| when.build().map_err(|error| error.below("exempt"))).transpose()?;
        let numbered = conf.rules.iter().enumerate();
        let rules = numbered.map(|(at, rule)| match rule.when.build() {
            Ok(condition) => Ok((condition, rule.criticality)),
            Err(error) => Err(error.below(&format!("rules[{at}].when"))),
        });
        Ok(Self {
            exempt,
            rules: rules.collect::<Result<_, _>>()?,
            field: conf.header.as_deref().map(field).transpose()?,
            trusted: conf.trusted_peers.clone(),
            usual: conf.criticality,
        })
    }

    /// Whether some calls are never refused.
    pub(super) fn has_exempt(&self) -> bool {
        self.exempt.is_some()
    }

    /// How critical a call is; `None` for one that is never refused. A rule holds for everyone, a peer that is trusted
    /// says it of the others.
    pub(super) fn of(&self, invocation: &Invocation) -> Option<Criticality> {
        if self.exempt.as_ref().is_some_and(|exempt| exempt.holds(invocation)) {
            return None;
        }
        let ruled = self.rules.iter().find(|(condition, _)| condition.holds(invocation));
        let ruled = ruled.map(|(_, class)| *class);
        Some(ruled.or_else(|| self.said(invocation)).unwrap_or(self.usual))
    }

    fn said(&self, invocation: &Invocation) -> Option<Criticality> {
        let value = invocation.headers().get(self.field.as_ref()?)?;
        let is_trusted = self.trusted.iter().any(|network| network.holds(&invocation.call.peer));
        if is_trusted { Criticality::parse(value.to_str().ok()?) } else { None }
    }
}

fn field(text: &str) -> Result<HeaderName, BuildError> {
    text.parse().map_err(|_| {
        BuildError::new("header", format!("`{text}` is not a header name"))
            .with_help("a header name has letters, digits and hyphens, such as `X-Criticality`")
    })
}
