//! Every mistake with an attribute has one clear message, at the place of the mistake.
//!
//! `ui/` holds the mistakes that the attributes themselves report. Those in `ui/compiler/` are reported by the
//! compiler, with what our traits have it say; the rest of its words changes from release to release, so they are
//! only compared with those of the release in `RECORDED_WITH`. A message is changed by running this with
//! `TRYBUILD=overwrite`, and reviewed by reading it aloud.

use std::process::Command;

/// The release of the compiler whose words `ui/compiler/` holds.
const RECORDED_WITH: &str = "rustc 1.95.";

#[test]
fn mistakes_are_told_where_they_are_made() {
    let cases = trybuild::TestCases::new();
    cases.compile_fail("tests/ui/*.rs");
    let rustc = option_env!("RUSTC").unwrap_or("rustc");
    let version = Command::new(rustc).arg("--version").output().unwrap().stdout;
    if version.starts_with(RECORDED_WITH.as_bytes()) {
        cases.compile_fail("tests/ui/compiler/*.rs");
    }
}
