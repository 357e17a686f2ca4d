//! How a part of the program is made from its part of the configuration.

use std::fmt;
use std::sync::{Arc, Mutex};

use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::FileRef;
use crate::background::Background;
use crate::clock::Clock;
use crate::condition::When;
use crate::descriptors::Descriptors;
use crate::lock::locked;
use crate::memory::Memory;
use crate::metrics::Metrics;
use crate::operation::Operation;
use crate::outbox::{Lines, Spans};
use crate::random::Random;
use crate::redis::Redis;

/// Something that YAML configures and builds: a handler.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be built from configuration",
    label = "`Configure` is not implemented for it",
    note = "write `impl Configure for {Self} {{ type Conf = …; fn build(conf, context) -> … }}`; `type Conf = ()` if it takes none"
)]
pub trait Configure: Sized {
    /// What YAML says about it. A struct marked `#[conf]`, or `()`.
    type Conf: DeserializeOwned + JsonSchema;

    /// Makes it.
    ///
    /// # Errors
    /// What is wrong with a value in a way its type cannot say.
    fn build(conf: Self::Conf, context: &BuildContext<'_>) -> Result<Self, BuildError>;

    /// What must be established before it because YAML says so, beside what `#[handler(requires(…))]` asks for in any
    /// case. A chain that does not is refused at start-up, at the key that asks for it.
    fn requires(conf: &Self::Conf) -> Vec<Requirement> {
        let _ = conf;
        Vec::new()
    }

    /// The conditions in what YAML says about it, with their keys. A chain in which none of them could ever hold for want
    /// of a mark is refused at start-up.
    fn conditions(conf: &Self::Conf) -> Vec<(String, &When)> {
        let _ = conf;
        Vec::new()
    }

    /// The marks it may give to calls, if it is known to give no others.
    fn marks(conf: &Self::Conf) -> Option<Vec<String>> {
        let _ = conf;
        None
    }

    /// Proves that it can stand before these operations: all of those that share it. This is asked anew whenever the
    /// operations change, also of what was built long before.
    ///
    /// # Errors
    /// Why it cannot, with the key that would have to say something else.
    fn suits(conf: &Self::Conf, operations: &[&Operation]) -> Result<(), BuildError> {
        let _ = (conf, operations);
        Ok(())
    }
}

/// Something that must be established before a handler because of a value it is configured with.
///
/// It is proved for every operation. In the chain of calls that match none it is not: those have no access to enforce,
/// and so nobody whom a handler could wait to know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Requirement {
    /// The fact, as handlers name it in `provides(…)`, such as [`fact::PRINCIPAL`](crate::handler::fact::PRINCIPAL).
    pub fact: &'static str,
    /// The key of the value that asks for it, such as `key`.
    pub key: &'static str,
}

/// What a part may use while it is built.
#[derive(Clone, Copy)]
pub struct BuildContext<'a> {
    /// The time.
    pub clock: Clock,
    /// Random numbers.
    pub random: &'a Random,
    /// Where it is built for: the pattern under `operations`, or `None` for the shared one under `handlers`.
    pub scope: Option<&'a str>,
    /// Reads the files that configuration refers to.
    pub files: &'a dyn Files,
    /// What is suspicious, for `check` to say and for the log at the start.
    pub warnings: &'a Warnings,
    /// What it shares with all other parts of the process.
    pub process: &'a Process,
}

/// What the parts of one process share. Cheap to clone; all clones are one.
#[derive(Clone, Default)]
pub struct Process {
    /// Where parts count and measure.
    pub metrics: Metrics,
    /// Where parts ask for work beside the calls.
    pub background: Background,
    /// Where listeners say how many connections they want.
    pub descriptors: Descriptors,
    /// Where parts say how much memory they can take.
    pub memory: Memory,
    /// Where parts leave spans that are over, for whoever sends them.
    pub spans: Spans,
    /// Where lines of the log are left for whoever sends them.
    pub lines: Lines,
    /// What its instances share.
    pub redis: Redis,
}

/// What is suspicious and does not keep anything from starting, each once.
#[derive(Debug, Default)]
pub struct Warnings(Mutex<Vec<BuildError>>);

impl Warnings {
    /// Adds one.
    pub fn warn(&self, warning: impl Into<String>) {
        self.warn_at(BuildError::new("", warning));
    }

    /// Adds one about the value at a key of the part: where that is written is added, as for an error.
    pub fn warn_at(&self, warning: BuildError) {
        let mut all = locked(&self.0);
        if !all.contains(&warning) {
            all.push(warning);
        }
    }

    /// All of them, in the order they were added.
    pub fn all(&self) -> Vec<BuildError> {
        locked(&self.0).clone()
    }
}

/// Reads files that configuration refers to. Only [`conf::source`](super::source) implements it for real files.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not read files",
    label = "`Files` is not implemented for it",
    note = "parts are handed the files that configuration refers to in `BuildContext::files`; a test writes `impl Files for {Self}`"
)]
pub trait Files: Sync {
    /// The content of the file.
    ///
    /// # Errors
    /// Why it cannot be read.
    fn read(&self, file: &FileRef) -> Result<Vec<u8>, BuildError>;

    /// The same, for a part that reads again while the process runs; `None` where nothing can have changed by then.
    fn again(&self) -> Option<Arc<dyn Files + Send + Sync>> {
        None
    }
}

/// What is wrong with one value of the configuration, said by the part that was built from it. Where the value is
/// written (file, line and column) is added by the configuration itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BuildError {
    /// The key within the part, such as `jwt.keys.file`; empty for the part as a whole.
    pub at: String,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
}

impl BuildError {
    /// Something is wrong with the value at this key of the part.
    pub fn new(at: impl Into<String>, message: impl Into<String>) -> Self {
        Self { at: at.into(), message: message.into(), help: None }
    }

    /// Says what to do about it.
    #[must_use]
    pub fn with_help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// The same error, seen from the part that contains this one under `key`.
    #[must_use]
    pub fn below(mut self, key: &str) -> Self {
        let dot = if key.is_empty() || self.at.is_empty() || self.at.starts_with('[') { "" } else { "." };
        self.at = format!("{key}{dot}{}", self.at);
        self
    }
}

impl fmt::Display for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.at.as_str() {
            "" => f.write_str(&self.message),
            at => write!(f, "`{at}`: {}", self.message),
        }
    }
}

impl std::error::Error for BuildError {}

/// Reads a part's configuration into its type.
///
/// # Errors
/// The first value that does not fit, with its key.
pub fn typed<T: DeserializeOwned>(value: Value) -> Result<T, BuildError> {
    serde_path_to_error::deserialize(value).map_err(|error| {
        let at = error.path().to_string();
        BuildError::new(if at == "." { String::new() } else { at }, error.into_inner().to_string())
    })
}
