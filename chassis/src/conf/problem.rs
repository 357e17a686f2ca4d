//! What is wrong with the configuration: every problem with its place, its key and a remedy.

use std::fmt;

use serde::ser::{Serialize, SerializeStruct, Serializer};

use super::origin::Origin;
use super::path::KeyPath;

mod hidden;
mod private;
mod snippet;
mod unread;

pub(crate) use hidden::Hidden;
pub(crate) use private::veiled;
use private::veiled_message;
pub use snippet::Snippet;

/// One thing that is wrong with the configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Where it is written.
    pub origin: Origin,
    /// The key it is about; empty for a file as a whole.
    pub key: String,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
    /// The line it is written on, without the secrets in it.
    pub snippet: Option<Box<Snippet>>,
}

impl Problem {
    /// Something is wrong with the value of this key. What the message says of an address is said without its user, its
    /// password and its query.
    pub fn new(origin: &Origin, path: &KeyPath, message: impl Into<String>) -> Self {
        Self {
            origin: origin.clone(),
            key: path.to_string(),
            message: veiled_message(&message.into()),
            help: None,
            snippet: origin.place().and_then(|place| Snippet::of(place, &Hidden::default())).map(Box::new),
        }
    }

    /// Something is wrong with the program, whatever its configuration says.
    pub(crate) fn of_program(message: impl Into<String>) -> Self {
        Self::new(&Origin::Default, &KeyPath::root(), message)
    }

    /// Says what to do about it.
    #[must_use]
    pub fn with_help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(veiled_message(&help.into()));
        self
    }

    /// Says what to do about it, if that is known.
    #[must_use]
    pub(crate) fn helped(self, help: Option<String>) -> Self {
        match help {
            Some(help) => self.with_help(help),
            None => self,
        }
    }

    /// The same problem with what is secret in its line hidden.
    #[must_use]
    pub(crate) fn hiding(mut self, secrets: &Hidden) -> Self {
        if self.snippet.is_none() {
            return self;
        }
        self.snippet = self.origin.place().and_then(|place| Snippet::of(place, secrets)).map(Box::new);
        self
    }

    /// The same problem with everything in its line hidden that may be a value: where a file cannot be read, nothing says
    /// which values are secrets.
    #[must_use]
    pub(crate) fn unread(self) -> Self {
        let hidden = self.origin.place().map(Hidden::unread).unwrap_or_default();
        self.hiding(&hidden)
    }

    /// In one line, as a warning: the key, where that is written, what is wrong and what to do.
    pub(crate) fn in_a_line(&self) -> String {
        let Self { origin, message, help, .. } = self;
        let key = self.shown_key();
        let place = if *origin == Origin::Default { String::new() } else { format!(" ({origin})") };
        let help = help.as_ref().map(|help| format!("; {help}")).unwrap_or_default();
        format!("{key}{place}: {message}{help}")
    }

    /// The key as people read it: an address may stand where a key belongs.
    fn shown_key(&self) -> String {
        veiled_message(&self.key)
    }

    fn write(&self, f: &mut fmt::Formatter<'_>, paint: Paint) -> fmt::Result {
        if self.origin != Origin::Default {
            write!(f, "{}{}{}: ", paint.bold(), self.origin, paint.end())?;
        }
        if !self.key.is_empty() {
            write!(f, "{}: ", self.shown_key())?;
        }
        write!(f, "{}{}{}", paint.red(), self.message, paint.end())?;
        if let Some(snippet) = &self.snippet {
            let margin = " ".repeat(snippet.line.to_string().len());
            write!(f, "\n  {}{} |{} {}", paint.blue(), snippet.line, paint.end(), snippet.text)?;
            let (indent, carets) = (" ".repeat(snippet.start), "^".repeat(snippet.length));
            write!(f, "\n  {}{margin} |{} {indent}{}{carets}{}", paint.blue(), paint.end(), paint.red(), paint.end())?;
        }
        match &self.help {
            Some(help) => write!(f, "\n  {}help:{} {help}", paint.cyan(), paint.end()),
            None => Ok(()),
        }
    }
}

/// Everything that is wrong with the configuration; the process does not start.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct ConfError {
    /// The problems, in the order of the sources.
    pub problems: Vec<Problem>,
}

impl ConfError {
    /// These problems, sorted by where they are written, each once.
    pub fn new(problems: impl IntoIterator<Item = Problem>) -> Self {
        let mut problems: Vec<_> = problems.into_iter().collect();
        problems
            .sort_by(|one, other| one.origin.rank().cmp(&other.origin.rank()).then_with(|| one.key.cmp(&other.key)));
        problems.dedup();
        Self { problems }
    }

    /// The same text in colours, for a terminal.
    pub fn coloured(&self) -> impl fmt::Display + '_ {
        Painted { error: self, paint: Paint(true) }
    }

    fn write(&self, f: &mut fmt::Formatter<'_>, paint: Paint) -> fmt::Result {
        for problem in &self.problems {
            problem.write(f, paint)?;
            f.write_str("\n\n")?;
        }
        match self.problems.len() {
            1 => f.write_str("The configuration has 1 problem."),
            count => write!(f, "The configuration has {count} problems."),
        }
    }
}

impl From<Problem> for ConfError {
    fn from(problem: Problem) -> Self {
        Self::new([problem])
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write(f, Paint(false))
    }
}

impl fmt::Display for ConfError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write(f, Paint(false))
    }
}

impl std::error::Error for ConfError {}

struct Painted<'a> {
    error: &'a ConfError,
    paint: Paint,
}

impl fmt::Display for Painted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.write(f, self.paint)
    }
}

/// The colours of a terminal (ECMA-48 §8.3.117), or none.
#[derive(Clone, Copy)]
struct Paint(bool);

impl Paint {
    fn bold(self) -> &'static str {
        self.code("\x1b[1m")
    }

    fn red(self) -> &'static str {
        self.code("\x1b[1;31m")
    }

    fn blue(self) -> &'static str {
        self.code("\x1b[34m")
    }

    fn cyan(self) -> &'static str {
        self.code("\x1b[36m")
    }

    fn end(self) -> &'static str {
        self.code("\x1b[0m")
    }

    fn code(self, code: &'static str) -> &'static str {
        if self.0 { code } else { "" }
    }
}

/// Members: `origin` as [`Origin`] writes it, `key`, `message` and `help`. The line is left out.
impl Serialize for Problem {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut problem = serializer.serialize_struct("Problem", 4)?;
        problem.serialize_field("origin", &self.origin)?;
        problem.serialize_field("key", &self.shown_key())?;
        problem.serialize_field("message", &self.message)?;
        problem.serialize_field("help", &self.help)?;
        problem.end()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::origin::{Place, Text};
    use super::*;

    fn place(content: &str, line: usize, column: usize, length: u32) -> Place {
        Place { text: Arc::new(Text::of("conf/greeter.yaml", content)), line, column, length, more: 0 }
    }

    fn origin(content: &str, line: usize, column: usize, length: u32) -> Origin {
        Origin::File(place(content, line, column, length))
    }

    #[test]
    fn a_problem_shows_place_key_line_and_remedy() {
        let origin = origin("handlers:\n  rate-limit:\n    brust: 200\n", 3, 5, 5);
        let problem = Problem::new(&origin, &KeyPath::parse("handlers.rate-limit.brust"), "unknown key");
        let problem = problem.with_help("did you mean `burst`?");
        insta::assert_snapshot!(problem, @"
        conf/greeter.yaml:3:5: handlers.rate-limit.brust: unknown key
          3 |     brust: 200
            |     ^^^^^
          help: did you mean `burst`?
        ");
    }

    #[test]
    fn problems_are_listed_in_the_order_of_the_sources_each_once() {
        let text = "a: 1\nb: 2\n";
        let set = Problem::new(&Origin::Set("c".into()), &KeyPath::parse("c"), "third");
        let second = Problem::new(&origin(text, 2, 4, 1), &KeyPath::parse("b"), "second");
        let first = Problem::new(&origin(text, 1, 4, 1), &KeyPath::parse("a"), "first");
        insta::assert_snapshot!(ConfError::new([set, second.clone(), first, second]), @"
        conf/greeter.yaml:1:4: a: first
          1 | a: 1
            |    ^

        conf/greeter.yaml:2:4: b: second
          2 | b: 2
            |    ^

        --set c: c: third

        The configuration has 3 problems.
        ");
    }

    #[test]
    fn colours_change_nothing_but_the_colour() {
        let error = ConfError::from(Problem::new(&origin("a: 1\n", 1, 4, 1), &KeyPath::parse("a"), "wrong"));
        let coloured = error.coloured().to_string();
        let plain: String =
            coloured.split('\x1b').map(|part| part.split_once('m').map_or(part, |(_, rest)| rest)).collect();
        assert_ne!(coloured, error.to_string());
        assert_eq!(plain, error.to_string());
    }

    #[test]
    fn machines_read_the_same() {
        let origin = origin("a: 1\n", 1, 4, 1);
        let error = ConfError::from(Problem::new(&origin, &KeyPath::parse("a"), "wrong").with_help("right"));
        insta::assert_snapshot!(serde_json::to_string(&error).unwrap(), @r#"{"problems":[{"origin":{"source":"file","file":"conf/greeter.yaml","line":1,"column":4},"key":"a","message":"wrong","help":"right"}]}"#);
    }

    #[test]
    fn a_secret_on_the_line_is_hidden() {
        let text = "{ password: hunter2, brust: 1 }";
        let problem = Problem::new(&origin(text, 1, 22, 5), &KeyPath::parse("brust"), "unknown key");
        let mut hidden = Hidden::default();
        hidden.add(&origin(text, 1, 13, 7));
        insta::assert_snapshot!(problem.hiding(&hidden), @"
        conf/greeter.yaml:1:22: brust: unknown key
          1 | { password: ***, brust: 1 }
            |                  ^^^^^
        ");
    }
}
