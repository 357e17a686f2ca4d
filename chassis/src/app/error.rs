//! Why a service does not start: everything that is wrong, with places and remedies.

use std::fmt;

use crate::catalog::Duplicate;
use crate::conf::{BuildError, ConfError, Problem};

/// Why a service does not start.
#[derive(Debug)]
pub enum StartError {
    /// The program or its configuration must be changed first.
    Rejected(Rejected),
    /// The configuration is the reference of all keys and nothing else: right as such, and of no service.
    Reference(Rejected),
    /// What the command line asks for cannot be done.
    Asked(BuildError),
    /// A component, a schema or a listener failed while it was started.
    Failed {
        /// What failed, such as `component guest-book`.
        what: String,
        /// Why.
        error: BuildError,
    },
    /// Several things failed, all of them [`StartError::Failed`].
    Several(Vec<StartError>),
    /// The process was told to end before it had started.
    Abandoned,
}

/// Everything that is wrong with a program and its configuration.
#[derive(Debug, Default)]
pub struct Rejected {
    /// What was linked in or mounted cannot be one service.
    pub linked: Vec<String>,
    /// Operations that cannot be told apart, and path templates that are wrong.
    pub routes: Vec<String>,
    /// What is wrong with the configuration.
    pub conf: Vec<Problem>,
}

impl StartError {
    /// One thing failed.
    pub(crate) fn failed(what: impl Into<String>, error: BuildError) -> Self {
        Self::Failed { what: what.into(), error }
    }

    /// What was made, or everything that failed.
    pub(super) fn gather<T>(made: T, mut failures: Vec<Self>) -> Result<T, Self> {
        match (failures.pop(), failures.is_empty()) {
            (None, _) => Ok(made),
            (Some(one), true) => Err(one),
            (Some(last), false) => {
                failures.push(last);
                Err(Self::Several(failures))
            }
        }
    }

    /// The exit code of the process: 78 (`EX_CONFIG`) if it must be changed before it can start, 2 if the command line must,
    /// 1 if it failed, 0 if it only did what it was told.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Rejected(_) | Self::Reference(_) => 78,
            Self::Asked(_) => 2,
            Self::Failed { .. } | Self::Several(_) => 1,
            Self::Abandoned => 0,
        }
    }
}

impl Rejected {
    pub(crate) fn duplicates(duplicates: &[Duplicate]) -> Self {
        Self { linked: duplicates.iter().map(ToString::to_string).collect(), ..Self::default() }
    }

    pub(crate) fn conf(problems: impl IntoIterator<Item = Problem>) -> Self {
        Self { conf: problems.into_iter().collect(), ..Self::default() }
    }

    /// Whether nothing is wrong.
    pub(crate) fn is_empty(&self) -> bool {
        self.linked.is_empty() && self.routes.is_empty() && self.conf.is_empty()
    }

    /// What is wrong in this and in the other.
    #[must_use]
    pub(crate) fn and(mut self, other: Self) -> Self {
        let new = other.linked.into_iter().filter(|text| !self.linked.contains(text)).collect::<Vec<_>>();
        self.linked.extend(new);
        self.routes.extend(other.routes);
        self.conf.extend(other.conf);
        self
    }

    /// Every problem: of the program first, then those of the configuration in the order of its sources, each once.
    pub(crate) fn all(&self) -> Vec<Problem> {
        let of_program = |text: &String| Problem::of_program(text);
        let conf = ConfError::new(self.conf.iter().cloned()).problems;
        self.linked.iter().chain(&self.routes).map(of_program).chain(conf).collect()
    }

    /// The text for people, the configuration's part of it as `show` shows it.
    pub(crate) fn text(&self, show: impl FnOnce(&ConfError) -> String) -> String {
        let conf = ConfError::new(self.conf.iter().cloned());
        let conf = (!conf.problems.is_empty()).then(|| show(&conf));
        self.linked.iter().chain(&self.routes).cloned().chain(conf).collect::<Vec<_>>().join("\n\n")
    }
}

impl From<Rejected> for StartError {
    fn from(rejected: Rejected) -> Self {
        Self::Rejected(rejected)
    }
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rejected(rejected) | Self::Reference(rejected) => f.write_str(&rejected.text(ToString::to_string)),
            Self::Asked(error) => with_help(f, "", error),
            Self::Failed { what, error } => with_help(f, &format!("{what} does not start: "), error),
            Self::Several(errors) => {
                let errors: Vec<_> = errors.iter().map(ToString::to_string).collect();
                f.write_str(&errors.join("\n\n"))
            }
            Self::Abandoned => f.write_str("told to end before the service had started"),
        }
    }
}

fn with_help(f: &mut fmt::Formatter<'_>, what: &str, error: &BuildError) -> fmt::Result {
    write!(f, "{what}{error}")?;
    error.help.iter().try_for_each(|help| write!(f, "\n  help: {help}"))
}

impl std::error::Error for StartError {}
