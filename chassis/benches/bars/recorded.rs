//! The counts that were recorded, in recorded.json beside this file.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde::{Deserialize, Serialize};

/// What was counted, and with which compiler: another one makes other instructions.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Recorded {
    pub(crate) rustc: String,
    pub(crate) scenarios: BTreeMap<String, Counts>,
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

/// The compiler, as it names itself.
pub(crate) fn rustc() -> String {
    let output = Command::new("rustc").arg("--version").output().unwrap();
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}
