//! One callable method: what it is called, how it is reached and who may call it.

use std::borrow::Cow;
use std::fmt;
use std::num::NonZeroU64;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serde::Serialize;

/// A string that is part of the program or was made at run time.
pub type Text = Cow<'static, str>;

/// Everything known about an operation before it is called.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Operation {
    /// `schema.method`, such as `greeting.hello`: the name in YAML, logs, metrics and documents.
    pub id: String,
    /// The schema it belongs to.
    pub schema: Text,
    /// Its HTTP method; `*` for any.
    pub method: Text,
    /// Its whole path template, the schema's prefix included.
    pub template: String,
    /// The names of its path parameters, in the order of the template.
    pub parameters: Vec<Text>,
    /// The path parameters that its `Path` argument takes by name; a template that lacks one is a start-up error.
    pub by_name: Vec<Text>,
    /// Who may call it.
    pub access: Access,
    /// How long a call may take; `None` leaves it to the configuration.
    pub timeout: Option<Duration>,
    /// The chain it asks for; `None` means `default`.
    pub chain: Option<Text>,
    /// The groups it belongs to in documents.
    pub tags: Vec<Text>,
    /// Whether callers should stop using it.
    pub deprecated: bool,
    /// What it does, in one sentence.
    pub summary: Text,
    /// What it takes.
    pub arguments: Vec<Argument>,
    /// The listeners that serve it, as configuration says.
    pub listeners: Vec<Text>,
    /// Whether one of them asks callers for certificates, as configuration says.
    #[serde(skip)]
    pub asks_for_certificates: bool,
    /// Where it is written.
    pub location: Location,
    /// What the process keeps of it.
    #[serde(skip)]
    pub(crate) own: Own,
}

/// What the process keeps of one operation. What is cloned may be changed, and has its own; operations do not differ by it.
#[derive(Debug)]
pub(crate) struct Own {
    /// No other operation of the process has it, so that what was found for this one need not be compared again.
    pub(crate) serial: NonZeroU64,
    recorded: OnceLock<Box<[u8]>>,
}

impl Own {
    /// What a record of any of its calls says of it, written by whoever comes first.
    pub(crate) fn recorded(&self, write: impl FnOnce(&mut Vec<u8>)) -> &[u8] {
        self.recorded.get_or_init(|| {
            let mut bytes = Vec::new();
            write(&mut bytes);
            bytes.into()
        })
    }
}

impl Default for Own {
    fn default() -> Self {
        static LAST: AtomicU64 = AtomicU64::new(0);
        let serial = NonZeroU64::MIN.saturating_add(LAST.fetch_add(1, Ordering::Relaxed));
        Self { serial, recorded: OnceLock::new() }
    }
}

impl Clone for Own {
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl PartialEq for Own {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Own {}

impl Operation {
    /// An operation made at run time, open to nobody but known callers until [`Access`] says otherwise.
    pub fn new(schema: impl Into<Text>, name: &str, method: impl Into<Text>, template: impl Into<String>) -> Self {
        let schema = schema.into();
        Self {
            id: format!("{schema}.{name}"),
            schema,
            method: method.into(),
            template: template.into(),
            parameters: Vec::new(),
            by_name: Vec::new(),
            access: Access::Auth,
            timeout: None,
            chain: None,
            tags: Vec::new(),
            deprecated: false,
            summary: Text::Borrowed(""),
            arguments: Vec::new(),
            listeners: Vec::new(),
            asks_for_certificates: false,
            location: Location::default(),
            own: Own::default(),
        }
    }

    /// What its `Path` argument takes by name and its template does not have. A template without any parameter is
    /// wrong in another way.
    pub fn missing_parameters(&self) -> impl Iterator<Item = &Text> {
        self.by_name.iter().filter(|name| !self.parameters.is_empty() && !self.parameters.contains(name))
    }

    /// The same operation with another [`Access`].
    #[must_use]
    pub fn with_access(mut self, access: Access) -> Self {
        self.access = access;
        self
    }
}

/// Who may call an operation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Access {
    /// Anyone, known or not.
    Public,
    /// Any caller that proved who it is.
    Auth,
    /// Callers that were granted every one of these scopes.
    Scopes(Cow<'static, [Text]>),
    /// Callers that have at least one of these roles.
    Roles(Cow<'static, [Text]>),
}

impl fmt::Display for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Public => f.write_str("public"),
            Self::Auth => f.write_str("auth"),
            Self::Scopes(names) => write!(f, "scopes({})", names.join(", ")),
            Self::Roles(names) => write!(f, "roles({})", names.join(", ")),
        }
    }
}

/// One argument of an operation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Argument {
    /// The name it has in the method, `_` when it is a larger pattern.
    pub name: Text,
    /// Its type as written.
    #[serde(rename = "type")]
    pub ty: Text,
    /// What the chain must have established before it can be taken, such as [`fact::PRINCIPAL`](crate::handler::fact::PRINCIPAL).
    pub requires: Cow<'static, [Text]>,
}

/// A place in source code.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Location {
    /// The file, as the compiler names it.
    pub file: &'static str,
    /// The line, from 1.
    pub line: u32,
    /// The column, from 1.
    pub column: u32,
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.file {
            "" => f.write_str("made at run time"),
            file => write!(f, "{file}:{}:{}", self.line, self.column),
        }
    }
}
