//! Builds the servers with cargo, each on its own, so that no one's features leak into another.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::flags::Flags;

/// Which workspace a package is in.
#[derive(Clone, Copy)]
pub(crate) enum Workspace {
    /// The one people build services in.
    Chassis,
    /// The one of the comparison.
    Load,
}

pub(crate) struct Builder {
    profile: &'static str,
    target: PathBuf,
}

impl Builder {
    pub(crate) fn new(flags: &Flags) -> Self {
        let target = flags.target_dir.clone().unwrap_or_else(|| Workspace::Chassis.folder().join("target"));
        Self { profile: flags.profile(), target }
    }

    /// Where the log of a server goes.
    pub(crate) fn log(&self, name: &str) -> io::Result<PathBuf> {
        Ok(self.folder()?.join(format!("{name}.log")))
    }

    /// Builds one binary and says where a copy of it is: cargo puts one with other features in the same place.
    pub(crate) fn build(
        &self,
        workspace: Workspace,
        package: &str,
        binary: &str,
        features: &str,
    ) -> io::Result<PathBuf> {
        let name = format!("{binary}{}{features}", if features.is_empty() { "" } else { "-" });
        eprintln!("building {name} ({})", self.profile);
        let status = Command::new(env!("CARGO"))
            .args(["build", "--quiet", "--locked", "--profile", self.profile])
            .args(["--package", package, "--bin", binary, "--features", features])
            .arg("--manifest-path")
            .arg(workspace.folder().join("Cargo.toml"))
            .arg("--target-dir")
            .arg(&self.target)
            .status()?;
        if !status.success() {
            return Err(io::Error::other(format!("`{name}` does not build")));
        }
        let folder = if self.profile == "dev" { "debug" } else { self.profile };
        let copy = self.folder()?.join(name);
        fs::copy(self.target.join(folder).join(binary), &copy)?;
        Ok(copy)
    }

    fn folder(&self) -> io::Result<PathBuf> {
        let folder = self.target.join("contest");
        fs::create_dir_all(&folder)?;
        Ok(folder)
    }
}

impl Workspace {
    fn folder(self) -> PathBuf {
        let load = Path::new(env!("CARGO_MANIFEST_DIR"));
        match self {
            Self::Load => load.to_owned(),
            Self::Chassis => load.join("../../.."),
        }
    }
}
