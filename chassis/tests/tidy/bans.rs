//! What production code does nowhere, or in one place only.

use crate::facts::Attribute;
use crate::source::Source;

pub(crate) fn clock_readings(source: &Source) -> Vec<String> {
    if !source.is_production() || source.path == "chassis/src/clock.rs" {
        return Vec::new();
    }
    named(source, &[&["Instant", "now"], &["SystemTime", "now"]])
}

pub(crate) fn outside_readings(source: &Source) -> Vec<String> {
    if !source.is_production() || source.path.starts_with("chassis/src/conf/source") {
        return Vec::new();
    }
    const READINGS: &[&[&str]] = &[
        &["env", "var"],
        &["env", "var_os"],
        &["env", "vars"],
        &["env", "vars_os"],
        &["fs", "read"],
        &["fs", "read_to_string"],
        &["fs", "read_dir"],
        &["File", "open"],
        &["OpenOptions", "new"],
    ];
    named(source, READINGS)
}

pub(crate) fn allowed_lints(source: &Source) -> Vec<String> {
    let allows = |text: &str| text.starts_with("allow(") || text.contains(", allow");
    let offences = source.facts.attributes.iter().filter(|attribute| allows(&attribute.text));
    offences.map(|attribute| source.at(attribute.line, format!("#[{}]", attribute.text))).collect()
}

pub(crate) fn scattered_features(source: &Source) -> Vec<String> {
    if !source.is_production() {
        return Vec::new();
    }
    let is_scattered = |attribute: &&Attribute| {
        !attribute.on_mod_line && attribute.text.starts_with("cfg") && attribute.text.contains("feature")
    };
    let on_items = source.facts.attributes.iter().filter(is_scattered).map(|attribute| attribute.line);
    let in_code = source.tokens.windows(4).filter(|window| {
        let words: Vec<_> = window.iter().map(|token| token.text.as_str()).collect();
        words == ["cfg", "!", "(", "feature"]
    });
    let lines = on_items.chain(in_code.map(|window| window[0].line));
    lines.map(|line| source.at(line, "a feature is asked for here")).collect()
}

pub(crate) fn notes(source: &Source) -> Vec<String> {
    // In two parts, so that this file is no offence of its own.
    let words = [["TO", "DO"].concat(), ["FIX", "ME"].concat(), ["X", "XX"].concat(), ["HA", "CK"].concat()];
    let is_note =
        |line: &str| line.split(|c: char| !c.is_alphanumeric()).any(|word| words.iter().any(|note| note == word));
    let lines = source.text.lines().enumerate().filter(|(_, line)| is_note(line));
    lines.map(|(at, line)| source.at(at + 1, line.trim())).collect()
}

/// The places outside tests where a path ends in one of these.
fn named(source: &Source, endings: &[&[&str]]) -> Vec<String> {
    let ends = |path: &[String]| {
        endings.iter().any(|ending| path.len() >= ending.len() && path[path.len() - ending.len()..] == **ending)
    };
    let offences = source.references().into_iter().filter(|(_, path)| ends(path));
    offences.map(|(line, path)| source.at(line, path.join("::"))).collect()
}

#[test]
fn a_ban_sees_the_code_and_not_its_tests() {
    let text = "//! A.\nfn f() { Instant::now(); std::env::var(\"A\"); }\n#[cfg(test)]\nmod tests { fn g() { Instant::now(); } }\n";
    let source = Source::parse("chassis/src/x.rs".to_owned(), text.to_owned());
    assert_eq!(clock_readings(&source), ["chassis/src/x.rs:2: Instant::now"]);
    assert_eq!(outside_readings(&source), ["chassis/src/x.rs:2: std::env::var"]);
}

#[test]
fn a_feature_may_stand_on_a_mod_line_only() {
    let text = "//! A.\n#[cfg(feature = \"a\")]\nmod a;\n#[cfg(feature = \"b\")]\nfn b() {}\nfn c() -> bool { cfg!(feature = \"c\") }\n";
    let source = Source::parse("chassis/src/x.rs".to_owned(), text.to_owned());
    assert_eq!(scattered_features(&source).len(), 2);
}
