//! The exit codes, all of them.

use std::process::ExitCode;

/// How the process ended.
///
/// | code | meaning |
/// |---|---|
/// | 0 | it was told to end, and every call was answered; also while it was starting, before it answered any |
/// | 1 | it failed: it could not start, or could not go on |
/// | 3 | it was told to end, and calls were cut off because they took longer than `drain.deadline` |
/// | 78 | the configuration was rejected (`EX_CONFIG` of sysexits.h); nothing was started |
///
/// It never ends by a signal of its own making, so that a code above 128 always comes from outside: 137 is a
/// `SIGKILL`, because the grace of the platform was over or memory ran out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Told to end, and every call was answered.
    Clean,
    /// Could not start, or could not go on.
    Failed,
    /// Told to end, and calls were cut off.
    Cut,
    /// The configuration was rejected.
    Config,
}

impl Exit {
    /// The code that the platform sees.
    pub const fn code(self) -> u8 {
        match self {
            Self::Clean => 0,
            Self::Failed => 1,
            Self::Cut => 3,
            Self::Config => 78,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}
