//! Reads the files that configuration refers to, such as keys.

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use super::bounded;
use crate::conf::build::{BuildError, Files};
use crate::conf::value::FileRef;

/// Reads the files that configuration refers to.
#[derive(Clone, Debug, Default)]
pub struct Disk {
    pub(super) directory: PathBuf,
}

/// The largest file that configuration may refer to: 16 MiB.
const LARGEST_REFERENCE: usize = 16 << 20;

impl Files for Disk {
    fn read(&self, file: &FileRef) -> Result<Vec<u8>, BuildError> {
        let failed = |why: String| BuildError::new("", format!("`{file}` cannot be read: {why}"));
        let bytes = bounded(&self.directory.join(file.path()), LARGEST_REFERENCE).map_err(|error| {
            let help = match error.kind() {
                io::ErrorKind::NotFound => "a relative path is relative to the YAML file that says it, or to the working directory if none does",
                io::ErrorKind::PermissionDenied => "let the user that the process runs as read it",
                _ => "is it the right file?",
            };
            failed(error.to_string()).with_help(help)
        })?;
        if bytes.len() > LARGEST_REFERENCE {
            return Err(failed("it is larger than 16 MiB".to_owned()).with_help("is it the right file?"));
        }
        Ok(bytes)
    }

    fn again(&self) -> Option<Arc<dyn Files + Send + Sync>> {
        Some(Arc::new(self.clone()))
    }
}

/// Files that are only in memory, for tests.
#[derive(Clone, Debug, Default)]
pub struct InMemory(pub BTreeMap<PathBuf, Vec<u8>>);

impl InMemory {
    /// One file of this content; further ones with [`InMemory::with`].
    #[must_use]
    pub fn with(mut self, path: impl Into<PathBuf>, content: impl Into<Vec<u8>>) -> Self {
        self.0.insert(path.into(), content.into());
        self
    }
}

impl Files for InMemory {
    fn read(&self, file: &FileRef) -> Result<Vec<u8>, BuildError> {
        let missing = || BuildError::new("", format!("`{file}` cannot be read: there is no such file"));
        self.0.get(file.path()).cloned().ok_or_else(missing)
    }
}
