//! Every mistake with an attribute has one clear message, at the place of the mistake.
//!
//! `ui/` holds the mistakes that the attributes themselves report. Those in `ui/compiler/` are reported by the
//! compiler, with what our traits have it say, which stands at the end of each after `//~`; the rest of its words
//! changes from release to release, so they are only compared with those of the release in `RECORDED_WITH`. Others must
//! refuse these cases too and say what is ours. A message is changed by running this with `TRYBUILD=overwrite`, and
//! reviewed by reading it aloud.

#![expect(clippy::unwrap_used, reason = "a test ends where what it stands on is missing")]
#![expect(clippy::disallowed_methods, reason = "the cases are files")]

use std::fs;
use std::io::{Write, stderr};
use std::panic::catch_unwind;
use std::path::{Path, PathBuf};
use std::process::Command;

use trybuild::TestCases;

/// The release of the compiler whose words `ui/compiler/` holds.
const RECORDED_WITH: &str = "rustc 1.95.";

#[test]
fn mistakes_are_told_where_they_are_made() {
    let cases = TestCases::new();
    cases.compile_fail("tests/ui/*.rs");
    let version = version();
    if version.starts_with(RECORDED_WITH) {
        cases.compile_fail("tests/ui/compiler/*.rs");
        return;
    }
    drop(cases);
    // Not captured, because this passes.
    let words =
        format!("note: {version} is not {RECORDED_WITH}*: of tests/ui/compiler only what is ours is compared\n");
    stderr().write_all(words.as_bytes()).unwrap();
    other_compilers_say_what_is_ours();
}

#[test]
fn what_is_ours_is_in_what_was_recorded() {
    let missing = sources().into_iter().flat_map(|source| {
        let recorded = fs::read_to_string(source.with_extension("stderr")).unwrap();
        missing(&source, &recorded)
    });
    assert_eq!(missing.collect::<Vec<_>>(), Vec::<String>::new());
}

/// Compiles copies that nothing was recorded for: what the compiler says of those is left in `wip/`.
fn other_compilers_say_what_is_ours() {
    let copies = Path::new(env!("CARGO_TARGET_TMPDIR")).join("ui");
    let _ = fs::remove_dir_all(&copies);
    fs::create_dir_all(&copies).unwrap();
    for source in sources() {
        fs::copy(&source, copies.join(source.file_name().unwrap())).unwrap();
    }
    let all = copies.join("*.rs");
    // It fails in any case, because nothing was recorded.
    let _ = catch_unwind(|| TestCases::new().compile_fail(all));
    let missing = sources().into_iter().flat_map(|source| {
        let said = Path::new("wip").join(source.with_extension("stderr").file_name().unwrap());
        match fs::read_to_string(said) {
            Ok(said) => missing(&source, &said),
            Err(_) => vec![format!("{} compiles", source.display())],
        }
    });
    let missing: Vec<String> = missing.collect();
    let _ = fs::remove_dir_all("wip");
    assert_eq!(missing, Vec::<String>::new());
}

fn version() -> String {
    let rustc = option_env!("RUSTC").unwrap_or("rustc");
    let version = Command::new(rustc).arg("--version").output().unwrap().stdout;
    String::from_utf8(version).unwrap().trim().to_owned()
}

/// The cases that the compiler reports.
fn sources() -> Vec<PathBuf> {
    let files = fs::read_dir("tests/ui/compiler").unwrap().map(|file| file.unwrap().path());
    files.filter(|file| file.extension().is_some_and(|kind| kind == "rs")).collect()
}

/// What is ours to say of a case and was not said.
fn missing(source: &Path, said: &str) -> Vec<String> {
    let text = fs::read_to_string(source).unwrap();
    let ours = text.lines().filter_map(|line| line.strip_prefix("//~ "));
    ours.filter(|ours| !said.contains(ours)).map(|ours| format!("{}: {ours}", source.display())).collect()
}
