//! The counts that were recorded, in recorded.json beside this file.

use std::collections::BTreeMap;
use std::env;
use std::fmt::{self, Display, Formatter};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde::{Deserialize, Serialize};

/// What was counted, and where.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Recorded {
    #[serde(flatten)]
    pub(crate) origin: Origin,
    pub(crate) scenarios: BTreeMap<String, Counts>,
}

/// What decides how many instructions the same source takes.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Origin {
    rustc: String,
    libc: String,
    /// The kind of processor: libraries ask for it to choose among their loops.
    cpu: String,
}

/// What one repetition of a scenario takes.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Counts {
    pub(crate) allocations: f64,
    /// Absent where valgrind is.
    pub(crate) instructions: Option<f64>,
}

impl Recorded {
    pub(crate) fn load() -> Self {
        fs::read_to_string(path()).map(|text| serde_json::from_str(&text).unwrap()).unwrap_or_default()
    }

    pub(crate) fn save(&self) {
        fs::write(path(), serde_json::to_string_pretty(self).unwrap() + "\n").unwrap();
    }
}

fn path() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/bars/recorded.json")
}

impl Origin {
    /// This machine and its compiler.
    pub(crate) fn here() -> Self {
        let libc = said_by("getconf", &["GNU_LIBC_VERSION"]);
        Self { rustc: said_by("rustc", &["--version"]), libc, cpu: format!("{}{}", env::consts::ARCH, vectors()) }
    }
}

impl Display for Origin {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}, {}, {}", self.rustc, self.libc, self.cpu)
    }
}

#[cfg(target_arch = "x86_64")]
fn vectors() -> &'static str {
    if std::arch::is_x86_feature_detected!("avx2") { " with AVX2" } else { "" }
}

#[cfg(not(target_arch = "x86_64"))]
fn vectors() -> &'static str {
    ""
}

/// What a program says of itself; nothing if it is not there.
fn said_by(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output();
    output.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned()).unwrap_or_default()
}
