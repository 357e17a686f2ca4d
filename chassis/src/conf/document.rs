//! The layered configuration, not yet checked: every value with its origin.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use serde_json::Value;

use super::build::BuildError;
use super::origin::{Origin, Text};
use super::overlay;
use super::path::KeyPath;
use super::problem::{ConfError, Hidden, Problem};
use super::reference::HEAD;
use super::source::{Read, Sources, Texts};
use super::tree::{Content, Node};
use super::yaml;

/// What all sources say together; later ones win. Maps are merged, everything else is replaced.
#[derive(Clone)]
pub struct Document {
    pub(crate) root: Node,
    pub(crate) read: Vec<Read>,
    /// What is wrong although the rest could be read; reported together with what the check finds.
    pub(crate) problems: Vec<Problem>,
    /// Where values are written that others replaced: no schema is asked whether they are secrets.
    pub(super) hidden: Hidden,
    pub(crate) environment: BTreeMap<String, String>,
    /// Variables that look as if they said something here and do not, each with the name that would.
    pub(crate) stray: Vec<(String, String)>,
    /// What is said and never holds, beside what does; known after the check.
    pub(crate) idle: Vec<Problem>,
    /// Whether nothing but references of all keys was read.
    pub(crate) is_reference: bool,
}

impl Document {
    /// Reads all sources: what the program says, then files, then the environment, then `--set`.
    ///
    /// # Errors
    /// What cannot be read at all: missing files, directories without YAML, malformed YAML. Everything else that is
    /// wrong is reported by the check, together with what the check itself finds.
    pub fn load(sources: &Sources) -> Result<Self, ConfError> {
        let Texts { texts, read } = sources.read().map_err(unread)?;
        let mut document = Self {
            root: defaults(&sources.defaults),
            read,
            problems: Vec::new(),
            hidden: Hidden::default(),
            environment: sources.environment.clone(),
            stray: stray(sources, &texts),
            idle: Vec::new(),
            is_reference: !texts.is_empty() && texts.iter().all(|text| text.content().starts_with(HEAD)),
        };
        let unreadable = texts.iter().filter(|text| !document.add(text)).count();
        if unreadable > 0 {
            return Err(unread(document.problems));
        }
        for (name, value) in &sources.environment {
            if let Some(said) = overlay::variable(name, value) {
                document.read.push(Read::Environment(name.clone()));
                document.lay(said);
            }
        }
        document.problems.extend(sources.garbled.iter().map(|name| garbled(name)));
        for argument in &sources.sets {
            document.read.push(Read::Set(overlay::key(argument).to_owned()));
            document.lay(overlay::set(argument));
        }
        Ok(document)
    }

    /// What one YAML text says, without files, environment and arguments: for tests and for tools.
    ///
    /// # Errors
    /// The text is no YAML.
    pub fn of_text(name: &str, content: &str) -> Result<Self, ConfError> {
        let mut document = Self {
            root: defaults(&Value::Null),
            read: vec![Read::File(name.to_owned())],
            problems: Vec::new(),
            hidden: Hidden::default(),
            environment: BTreeMap::new(),
            stray: Vec::new(),
            idle: Vec::new(),
            is_reference: false,
        };
        match document.add(&Arc::new(Text::of(name, content))) {
            true => Ok(document),
            false => Err(unread(document.problems)),
        }
    }

    /// Lays a file over what is there; `false` if it is no YAML at all.
    fn add(&mut self, text: &Arc<Text>) -> bool {
        let parsed = yaml::parse(text, Some(&|name: &str| self.environment.get(name).cloned()));
        let readable = parsed.node.is_some();
        self.problems.extend(parsed.problems);
        self.hide(&parsed.replaced);
        match parsed.node {
            Some(node) if node.entries().is_some_and(BTreeMap::is_empty) => self.says_nothing(&text.name),
            Some(node) if node.entries().is_some() => {
                let replaced = self.root.merge(node);
                self.hide(&replaced);
            }
            Some(Node { origin, .. }) => {
                let mut problem = Problem::new(&origin, &KeyPath::root(), "the file is not a map of keys");
                // It may be a file with a secret, given by mistake.
                problem.snippet = None;
                self.problems.push(problem.with_help("write `key: value` lines"));
            }
            None => {}
        }
        readable
    }

    fn says_nothing(&mut self, name: &str) {
        let read = self.read.iter_mut().find(|read| matches!(read, Read::File(file) if file == name));
        if let Some(read) = read {
            *read = Read::Empty(name.to_owned());
        }
    }

    pub(super) fn lay(&mut self, said: Result<overlay::Said, Problem>) {
        match said {
            Ok(said) => {
                let replaced = overlay::lay(&mut self.root, said);
                self.hide(&replaced);
            }
            Err(problem) => self.problems.push(problem),
        }
    }

    fn hide(&mut self, replaced: &[Node]) {
        replaced.iter().for_each(|node| self.hidden.values(node));
    }

    /// The value there, with its origin.
    pub fn at(&self, path: &str) -> Option<&Node> {
        self.root.at(&KeyPath::parse(path)).filter(|node| node.content != Content::Null)
    }

    /// Everything that is said, without origins.
    pub fn value(&self) -> Value {
        self.root.to_json()
    }

    /// Where the value there comes from.
    pub fn origin(&self, path: &str) -> Option<&Origin> {
        self.at(path).map(|node| &node.origin)
    }

    /// What was read, in order.
    pub fn read(&self) -> &[Read] {
        &self.read
    }

    /// The problem that a part has with the configuration below `prefix`, at its place.
    pub fn problem(&self, prefix: &str, error: &BuildError) -> Problem {
        let path = KeyPath::parse(prefix).join(&KeyPath::parse(&error.at));
        let mut problem = Problem::new(self.root.nearest(&path), &path, error.message.clone());
        if path.steps().first().is_some_and(|step| self.root.at(&KeyPath::root().with(step.clone())).is_none()) {
            // Only the file is known; its first line has nothing to do with it.
            problem.snippet = None;
        }
        problem.helped(error.help.clone())
    }
}

/// A variable that a file, an argument or another variable names is there for that.
fn stray(sources: &Sources, texts: &[Arc<Text>]) -> Vec<(String, String)> {
    let said = texts.iter().map(|text| text.content()).chain(sources.sets.iter().map(String::as_str));
    let said: Vec<&str> = said.chain(sources.environment.values().map(String::as_str)).collect();
    let is_named = |name: &str| said.iter().any(|said| said.contains(name));
    let meant = sources.environment.iter().filter(|(name, _)| !is_named(name));
    meant.filter_map(|(name, value)| Some((name.clone(), overlay::meant(name, value)?))).collect()
}

fn garbled(name: &str) -> Problem {
    let problem = Problem::new(&Origin::Environment(name.into()), &KeyPath::root(), "the variable is not UTF-8");
    problem.with_help("set it to text in UTF-8, or unset it")
}

fn unread(problems: Vec<Problem>) -> ConfError {
    ConfError::new(problems.into_iter().map(Problem::unread))
}

// Nothing says yet which values are secrets.
impl fmt::Debug for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Document").field("read", &self.read).finish_non_exhaustive()
    }
}

fn defaults(value: &Value) -> Node {
    match value {
        Value::Object(_) => Node::from_json(value.clone(), &Origin::Default),
        _ => Node::empty(Origin::Default),
    }
}

#[cfg(test)]
mod tests;
