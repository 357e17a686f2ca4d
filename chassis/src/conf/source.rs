//! The only place that reads files or the environment for configuration.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt;
use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::Value;

use super::build::Warnings;
use super::origin::{Origin, Place, Text};
use super::overlay;
use super::path::KeyPath;
use super::problem::Problem;
use super::yaml;

mod own;
pub(crate) mod pressure;
mod referred;
mod resource;

pub(crate) use own::own;
pub use referred::{Disk, InMemory};
pub use resource::Resource;
pub(crate) use resource::{SERVICE_NAME, SERVICE_VERSION};

/// Names the files to read, separated by colons, where no `--conf` does.
pub const CONF_VARIABLE: &str = "CHASSIS_CONF";

/// Whether the user of this process wants no colours on terminals (<https://no-color.org>), or has one that knows none.
pub fn objects_to_colour() -> bool {
    let said = |name: &str, wanted: fn(&OsString) -> bool| std::env::var_os(name).as_ref().is_some_and(wanted);
    said("NO_COLOR", |value| !value.is_empty()) || said("TERM", |value| value == "dumb")
}

/// Where the configuration is to be read from.
#[derive(Clone, Default)]
pub struct Sources {
    /// The name of the service: without `--conf` and `CHASSIS_CONF`, `conf/<service>.yaml` is read if it is there.
    pub service: String,
    /// What the program itself says; everything else wins over it.
    pub defaults: Value,
    /// What `--conf` names: files, or directories whose `*.yaml` and `*.yml` are read in the order of their names.
    pub files: Vec<PathBuf>,
    /// Texts that are read after the files, each with the name that problems show. With one of them the service's own
    /// file is not looked for.
    pub texts: Vec<(String, String)>,
    /// The environment variables.
    pub environment: BTreeMap<String, String>,
    /// The names of environment variables that are meant for the configuration and are not UTF-8, as far as they are.
    pub garbled: Vec<String>,
    /// What `--set` says: `key=value`.
    pub sets: Vec<String>,
    /// The working directory.
    pub directory: PathBuf,
}

// The environment and `--set` may hold secrets.
impl fmt::Debug for Sources {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sources").field("service", &self.service).field("files", &self.files).finish_non_exhaustive()
    }
}

/// Something that was, or was not, there to be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Read {
    /// A file that was read.
    File(String),
    /// A file that was read and says nothing.
    Empty(String),
    /// The file that would have been read if it was there.
    Absent(String),
    /// An environment variable that says something.
    Environment(String),
    /// A key that `--set` says something about.
    Set(String),
}

impl fmt::Display for Read {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(name) => f.write_str(name),
            Self::Empty(name) => write!(f, "{name} (says nothing)"),
            Self::Absent(name) => write!(f, "no {name}"),
            Self::Environment(name) => write!(f, "environment {name}"),
            Self::Set(key) => write!(f, "--set {key}"),
        }
    }
}

/// The files that were read.
pub(crate) struct Texts {
    pub texts: Vec<Arc<Text>>,
    pub read: Vec<Read>,
}

impl Sources {
    /// The sources of this process: its environment and working directory, and what its arguments say.
    pub fn of_process(service: &str, files: Vec<PathBuf>, sets: Vec<String>) -> Self {
        let (environment, garbled) = readable(std::env::vars_os());
        Self {
            service: service.to_owned(),
            defaults: Value::Null,
            files,
            texts: Vec::new(),
            environment,
            garbled,
            sets,
            directory: PathBuf::new(),
        }
    }

    /// What the environment says that this process is. What is wrong with that is a warning.
    pub fn resource(&self, warnings: &Warnings) -> Resource {
        resource::resource(&self.environment, warnings)
    }

    /// Reads the files that configuration refers to, relative to the working directory.
    pub fn disk(&self) -> Disk {
        Disk { directory: self.directory.clone() }
    }

    /// Reads every file there is to read.
    pub(crate) fn read(&self) -> Result<Texts, Vec<Problem>> {
        let mut named = self.files.clone();
        if named.is_empty()
            && let Some(list) = self.environment.get(CONF_VARIABLE)
        {
            named.extend(list.split(':').filter(|path| !path.is_empty()).map(PathBuf::from));
        }
        if named.is_empty() && self.texts.is_empty() {
            let own = Path::new("conf").join(format!("{}.yaml", self.service));
            if !self.directory.join(&own).exists() {
                return Ok(Texts { texts: Vec::new(), read: vec![Read::Absent(own.display().to_string())] });
            }
            named.push(own);
        }
        let (files, mut problems) = separate(named.iter().map(|path| self.expand(path)));
        let files = files.into_iter().flatten().enumerate();
        let (mut texts, unreadable) = separate(files.map(|(order, path)| self.text(&path, order).map(Arc::new)));
        problems.extend(unreadable);
        for (name, content) in &self.texts {
            let (directory, order) = (self.directory.clone(), texts.len());
            texts.push(Arc::new(Text::of(name, content).in_file(directory, order)));
        }
        let read = texts.iter().map(|text| Read::File(text.name.clone())).collect();
        if problems.is_empty() { Ok(Texts { texts, read }) } else { Err(problems) }
    }

    /// The files that a path means: itself, or those of a directory.
    fn expand(&self, path: &Path) -> Result<Vec<PathBuf>, Problem> {
        let whole = self.directory.join(path);
        if !whole.is_dir() {
            return Ok(vec![path.to_owned()]);
        }
        let entries = fs::read_dir(&whole).and_then(Iterator::collect::<io::Result<Vec<_>>>);
        let entries = entries.map_err(|error| unreadable(path, &error))?;
        let mut names: Vec<_> =
            entries.into_iter().map(|entry| entry.file_name()).filter(|name| is_yaml(name)).collect();
        names.retain(|name| whole.join(name).is_file());
        names.sort();
        if names.is_empty() {
            let message = format!("the directory `{}` holds no YAML file", path.display());
            let problem = Problem::new(&Origin::Default, &KeyPath::root(), message);
            return Err(problem.with_help("its `*.yaml` and `*.yml` are read; is it the right directory?"));
        }
        Ok(names.into_iter().map(|name| path.join(name)).collect())
    }

    fn text(&self, path: &Path, order: usize) -> Result<Text, Problem> {
        let whole = self.directory.join(path);
        let bytes = bounded(&whole, yaml::LARGEST).map_err(|error| unreadable(path, &error))?;
        let directory = whole.parent().unwrap_or(Path::new("")).to_owned();
        let text = |content: String| Text::of(path.display().to_string(), content).in_file(directory, order);
        match String::from_utf8(bytes) {
            Ok(content) => Ok(text(content)),
            Err(error) => {
                let valid = error.utf8_error().valid_up_to();
                let before = String::from_utf8_lossy(&error.as_bytes()[..valid]).into_owned();
                Err(not_utf8(text(before)))
            }
        }
    }
}

/// The variables that are text, and the names of those that are not and look as if they were for us.
fn readable(variables: impl Iterator<Item = (OsString, OsString)>) -> (BTreeMap<String, String>, Vec<String>) {
    let mut readable = BTreeMap::new();
    let mut garbled = Vec::new();
    for (name, value) in variables {
        let lossy = name.to_string_lossy().into_owned();
        match (name.into_string(), value.into_string()) {
            (Ok(name), Ok(value)) => drop(readable.insert(name, value)),
            _ if overlay::is_ours(&lossy) => garbled.push(lossy),
            _ => {}
        }
    }
    (readable, garbled)
}

/// Names that a person chose: not those that start with a dot, which is how Kubernetes keeps versions of a ConfigMap.
fn is_yaml(name: &std::ffi::OsStr) -> bool {
    let hidden = name.to_string_lossy().starts_with('.');
    let extension = Path::new(name).extension().unwrap_or_default();
    !hidden && (extension == "yaml" || extension == "yml")
}

fn separate<T>(results: impl Iterator<Item = Result<T, Problem>>) -> (Vec<T>, Vec<Problem>) {
    let mut good = Vec::new();
    let mut bad = Vec::new();
    results.for_each(|result| match result {
        Ok(value) => good.push(value),
        Err(problem) => bad.push(problem),
    });
    (good, bad)
}

/// At most a byte more than `limit`, so that nothing fills the memory.
fn bounded(path: &Path, limit: usize) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    // To open a named pipe is to wait for somebody to write into it. What the shell hands over is open already.
    let is_handed_over = ["/dev/stdin", "/dev/fd", "/proc/self/fd"].iter().any(|open| path.starts_with(open));
    if !is_handed_over && !fs::metadata(path)?.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not a regular file"));
    }
    File::open(path)?.take(limit as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn unreadable(path: &Path, error: &io::Error) -> Problem {
    let message = format!("`{}` cannot be read: {error}", path.display());
    let problem = Problem::new(&Origin::Default, &KeyPath::root(), message);
    match error.kind() {
        io::ErrorKind::NotFound => {
            problem.with_help("`--conf` and CHASSIS_CONF name files, or directories of `*.yaml`")
        }
        io::ErrorKind::PermissionDenied => problem.with_help("let the user that the process runs as read it"),
        _ => problem.with_help("is it the right file?"),
    }
}

fn not_utf8(before: Text) -> Problem {
    let (line, column) = before.end();
    let origin = Origin::File(Place { text: Arc::new(before), line, column, length: 1, more: 0 });
    Problem::new(&origin, &KeyPath::root(), "the file is not UTF-8 from here on").with_help("save it as UTF-8")
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::ffi::OsStringExt as _;

    use super::*;

    #[test]
    fn what_is_meant_for_us_and_is_no_text_is_not_dropped() {
        let raw = |bytes: &[u8]| OsString::from_vec(bytes.to_vec());
        let variables: [(&[u8], &[u8]); 5] = [
            (b"CHASSIS__TIMEOUT", b"\xff"),
            (b"chassis__log__level", b"warn\xff"),
            (b"CHASSIS__\xff", b"1"),
            (b"LANG", b"\xff"),
            (b"CHASSIS__A", b"1"),
        ];
        let (readable, garbled) = readable(variables.iter().map(|(name, value)| (raw(name), raw(value))));
        assert_eq!(garbled, ["CHASSIS__TIMEOUT", "chassis__log__level", "CHASSIS__\u{fffd}"]);
        assert_eq!(readable.into_iter().collect::<Vec<_>>(), [("CHASSIS__A".to_owned(), "1".to_owned())]);
    }
}
