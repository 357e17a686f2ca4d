//! Why a service does not start: everything that is wrong, with places and remedies.

use std::fmt;

use crate::catalog::Duplicate;
use crate::conf::BuildError;
use crate::conf::problem::ConfError;

/// Why a service does not start.
#[derive(Debug)]
pub enum StartError {
    /// What was linked in cannot be one service.
    Linked(Vec<String>),
    /// The configuration is rejected.
    Conf(ConfError),
    /// The configuration is the reference of all keys and nothing else: right as such, and of no service.
    Reference(ConfError),
    /// Two operations cannot be told apart, or a path template is wrong.
    Routes(Vec<String>),
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

impl StartError {
    /// The exit code of the process: 78 (`EX_CONFIG`) if it must be changed before it can start, 2 if the command line must,
    /// 1 if it failed, 0 if it only did what it was told.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Linked(_) | Self::Conf(_) | Self::Reference(_) | Self::Routes(_) => 78,
            Self::Asked(_) => 2,
            Self::Failed { .. } | Self::Several(_) => 1,
            Self::Abandoned => 0,
        }
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

    pub(crate) fn duplicates(duplicates: &[Duplicate]) -> Self {
        Self::Linked(duplicates.iter().map(ToString::to_string).collect())
    }
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Linked(problems) | Self::Routes(problems) => f.write_str(&problems.join("\n\n")),
            Self::Conf(error) | Self::Reference(error) => error.fmt(f),
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
