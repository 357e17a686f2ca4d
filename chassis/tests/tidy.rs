//! Proves the invariants of ARCHITECTURE.md over the source of the whole repository.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "a test that cannot read the source has failed"
)]

#[path = "tidy/bans.rs"]
mod bans;
#[path = "tidy/cases.rs"]
mod cases;
#[path = "tidy/facts.rs"]
mod facts;
#[path = "tidy/layers.rs"]
mod layers;
#[path = "tidy/names.rs"]
mod names;
#[path = "tidy/shape.rs"]
mod shape;
#[path = "tidy/source.rs"]
mod source;

use source::{Source, root};

/// Fails with every offence at once, below what the rule is and what to do.
fn report(rule: &str, mut offences: Vec<String>) {
    offences.sort();
    offences.dedup();
    assert!(offences.is_empty(), "\n{rule}\n\n  {}\n\n{} in all\n", offences.join("\n  "), offences.len());
}

/// Runs one rule over every source file.
fn check(rule: &str, offences_of: impl Fn(&Source) -> Vec<String>) {
    report(rule, Source::all().iter().flat_map(offences_of).collect());
}

#[test]
fn imports_run_downwards() {
    check(
        "A module names only what stands in its own layer or below (chassis/tests/tidy/layers.rs has the table).\n\
         Move the shared part down, or let the upper layer hand it in.",
        layers::upward_references,
    );
}

#[test]
fn a_plug_in_never_names_another_plug_in() {
    check(
        "Handlers and protocols are islands: each is one file or folder that can be deleted without a trace.\n\
         What two of them need stands below them: in `handler`, `protocol` or one of the words.",
        layers::bridges_between_islands,
    );
}

#[test]
fn the_architecture_text_shows_the_layers_that_are_enforced() {
    report(
        "ARCHITECTURE.md shows the layers, one line each, as chassis/tests/tidy/layers.rs enforces them.",
        layers::missing_from_the_text(&root().join("ARCHITECTURE.md")),
    );
}

#[test]
fn every_case_is_proved_by_a_test_that_is_there() {
    report(
        "chassis/docs/cases.md names the test that proves each case. One was renamed or removed: name another there, or \
         take the promise back.",
        cases::without_a_test(&root().join("chassis/docs/cases.md"), Source::all()),
    );
}

#[test]
fn time_is_read_in_one_file() {
    check(
        "Only chassis/src/clock.rs reads the time; everything else is handed a `Clock`, so that tests decide what \
         time it is.",
        bans::clock_readings,
    );
}

#[test]
fn files_and_environment_are_read_in_one_place() {
    check(
        "Only chassis/src/conf/source reads files and the environment; parts are handed values, or `Files` for what \
         a value refers to.",
        bans::outside_readings,
    );
}

#[test]
fn lints_are_expected_with_a_reason_and_never_allowed() {
    check(
        "`allow` stays when its cause is gone; write #[expect(…, reason = \"…\")], which does not.",
        bans::allowed_lints,
    );
}

#[test]
fn a_feature_is_one_cfg_on_one_mod_line() {
    check(
        "A Cargo feature switches a whole module: put the code in a file of its own and the `cfg` on its `mod` line.",
        bans::scattered_features,
    );
}

#[test]
fn nothing_is_left_to_do() {
    check("Notes to oneself are done now, or become an issue; they are not committed.", bans::notes);
}

#[test]
fn every_file_says_what_it_is() {
    check(
        "A file opens with `//!` and one sentence that a stranger understands, ended by a full stop.",
        shape::missing_head,
    );
}

#[test]
fn files_fit_one_sitting() {
    check("A file has at most 300 lines beside its tests; split off what can be named on its own.", shape::long_files);
}

#[test]
fn functions_fit_one_screen() {
    check(
        "A function has at most 60 lines; the steps it consists of have names, so let them be functions.",
        shape::long_functions,
    );
}

#[test]
fn names_say_what_a_thing_is() {
    check(
        "These words fit everything and so say nothing; name the file, module or type after what it holds or does.",
        names::empty_words,
    );
}

#[test]
fn a_module_is_named_by_its_own_file() {
    check(
        "A module `foo` with children is `foo.rs` beside `foo/`, so that no two tabs read `mod.rs`.",
        names::mod_files,
    );
}

#[test]
fn accessors_carry_no_prefix() {
    check("An accessor is named after what it gives: `name()`, not `get_name()`.", names::prefixed_accessors);
}

#[test]
fn the_top_level_stays_short() {
    report(
        "A newcomer reads the top level first; what tools need has a dot name, everything else has a home below.",
        names::strangers_at_the_top(&root()),
    );
}
