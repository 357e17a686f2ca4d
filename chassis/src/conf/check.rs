//! Checks the whole configuration against its schema and reports everything that is wrong at once.

use super::broken::Broken;
use super::build::{BuildError, Files};
use super::compose::{Composed, Kind};
use super::document::Document;
use super::origin::Origin;
use super::path::KeyPath;
use super::problem::{ConfError, Problem};
use super::read::Conf;
use super::tree::{Content, Role};
use super::value::{FileRef, Secret};

mod bounds;
mod choice;
mod keys;
mod names;
mod scalar;
mod secrets;
mod shape;
mod walk;
mod wording;

pub use names::Known;
pub(crate) use shape::Patterns;
use walk::{Spot, Walk};

/// What a check found.
#[derive(Debug)]
pub struct Reviewed {
    /// What can be read although something may be wrong: what is wrong is left out of it. `None` if nothing can be.
    pub conf: Option<Conf>,
    /// Everything that is wrong, with its place.
    pub problems: Vec<Problem>,
}

impl Document {
    /// Checks everything that is said: every key, every value, every name. `operations` are the ids of the
    /// operations there are; `files` reads the secrets that are kept in files.
    ///
    /// # Errors
    /// Everything that is wrong, also what was wrong already when the sources were read.
    pub fn check(self, composed: Composed, operations: &[&str], files: &dyn Files) -> Result<Conf, ConfError> {
        match self.review(composed, Known { operations, later: &[] }, files) {
            Reviewed { conf: Some(conf), problems } if problems.is_empty() => Ok(conf),
            Reviewed { problems, .. } => Err(ConfError::new(problems)),
        }
    }

    /// The same, for those who go on with what is right, to find what else is wrong.
    pub fn review(mut self, composed: Composed, known: Known<'_>, files: &dyn Files) -> Reviewed {
        let patterns = Patterns::default();
        let mut walk = Walk::new(&composed, &patterns);
        walk.hidden = std::mem::take(&mut self.hidden);
        walk.hidden.addresses(&self.root);
        let spot = Spot { path: &KeyPath::root(), node: &self.root, key: &self.root.origin };
        walk.check(spot, &composed.schema);
        let mut problems = std::mem::take(&mut self.problems);
        if walk.is_full() {
            return too_many(problems, walk);
        }
        let Walk { findings, marks, operations, hidden, meant, .. } = walk;
        problems.extend(findings.into_iter().map(|finding| finding.problem));
        let names = names::check(&self.root, known, &|handler| composed.part(Kind::Handler, handler).is_some());
        // Where `chain` itself is misspelt, every chain seems to be missing.
        let chains = [KeyPath::parse("chain"), KeyPath::parse("chain.provider")];
        let unsaid = meant.iter().any(|key| chains.contains(key));
        problems.extend(names.into_iter().filter(|problem| !(unsaid && problem.key.ends_with(".chain"))));
        let (strangers, idle) = names::patterns(&self.root, &operations, known);
        problems.extend(strangers);
        self.idle = idle;
        for (path, role) in marks {
            let revealed = self.mark(&path, role, files);
            problems.extend(revealed.err().map(|error| self.problem(&path.to_string(), &error)));
        }
        let broken = Broken::new(problems.iter().map(|problem| KeyPath::parse(&problem.key)).chain(meant));
        let problems: Vec<_> = problems.into_iter().map(|problem| problem.hiding(&hidden)).collect();
        match Conf::new(self, composed, hidden, broken) {
            Ok(conf) => Reviewed { conf: Some(conf), problems },
            Err(found) => Reviewed { conf: None, problems: problems.into_iter().chain(found).collect() },
        }
    }

    /// Gives a value the role its schema says, and reads it if it is a secret that is kept elsewhere.
    fn mark(&mut self, path: &KeyPath, role: Role, files: &dyn Files) -> Result<(), BuildError> {
        let environment = &self.environment;
        let Some(node) = self.root.at_mut(path) else { return Ok(()) };
        node.role = role;
        if node.role != Role::Secret {
            return Ok(());
        }
        let text = match (&node.content, &node.said) {
            (_, Some(said)) => said.as_ref(),
            (Content::Text(text), None) => text,
            _ => return Ok(()),
        };
        let secret = if let Some(file) = text.strip_prefix("file:") {
            read(&node.resolved(file), files)?
        } else if let Some(name) = text.strip_prefix("env:") {
            let missing = || {
                BuildError::new("", format!("the environment variable `{name}` is not set"))
                    .with_help("set it for this process, or write `file:/path`")
            };
            environment.get(name).cloned().ok_or_else(missing)?
        } else {
            text.to_owned()
        };
        node.role = Role::Revealed(Secret::new(secret));
        Ok(())
    }
}

/// Not everything was looked at, and so it is not known which of these lines hold secrets.
fn too_many(mut problems: Vec<Problem>, walk: Walk<'_>) -> Reviewed {
    problems.push(Problem::new(&Origin::Default, &KeyPath::root(), "and so on: too many problems to list them all"));
    problems.extend(walk.findings.into_iter().map(|finding| finding.problem));
    Reviewed { conf: None, problems: problems.into_iter().map(Problem::unread).collect() }
}

/// The text of a file that holds a secret, without the line end that editors put there.
fn read(path: &str, files: &dyn Files) -> Result<String, BuildError> {
    let bytes = files.read(&FileRef(path.into())).map_err(|error| BuildError { at: String::new(), ..error })?;
    let binary = || BuildError::new("", format!("`{path}` does not hold text")).with_help("write the secret as text");
    let text = String::from_utf8(bytes).map_err(|_| binary())?;
    let text = text.strip_suffix('\n').map_or(text.as_str(), |text| text.strip_suffix('\r').unwrap_or(text));
    if text.is_empty() {
        return Err(BuildError::new("", format!("`{path}` is empty")).with_help("write the secret into it"));
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests;
