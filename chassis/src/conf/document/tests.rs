//! Which source wins, and what is said about sources that cannot be read.

use std::fs;
use std::path::Path;

use proptest::prelude::*;
use serde_json::json;
use tempfile::TempDir;

use super::*;

/// Sources below a directory that holds these files.
fn sources(files: &[(&str, &str)]) -> (TempDir, Sources) {
    let directory = tempfile::tempdir().unwrap();
    for (name, content) in files {
        let path = directory.path().join(name);
        fs::create_dir_all(path.parent().unwrap_or(Path::new(""))).unwrap();
        fs::write(path, content).unwrap();
    }
    let sources =
        Sources { service: "greeter".to_owned(), directory: directory.path().to_owned(), ..Sources::default() };
    (directory, sources)
}

fn variables(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn wrong(sources: &Sources) -> String {
    Document::load(sources).unwrap_err().to_string()
}

#[test]
fn a_map_is_taken_back_by_null_and_left_by_nothing() {
    for (over, expected) in [("a: ~\n", json!({})), ("a: null\n", json!({})), ("a:\n", json!({ "a": { "b": 1 } }))] {
        let (_directory, mut sources) = sources(&[("one.yaml", "a: { b: 1 }\n"), ("two.yaml", over)]);
        sources.files = vec!["one.yaml".into(), "two.yaml".into()];
        assert_eq!(Document::load(&sources).unwrap().value(), expected, "{over}");
    }
}

#[test]
fn later_sources_win() {
    let (_directory, mut sources) = sources(&[
        ("one.yaml", "a: one\nb: one\nc: one\nd: one\n"),
        ("two/b.yaml", "b: two-b\nc: two-b\nd: two-b\n"),
        ("two/a.yml", "b: two-a\n"),
    ]);
    sources.defaults = json!({"a": "default", "e": "default"});
    sources.files = vec!["one.yaml".into(), "two".into()];
    sources.environment = variables(&[("CHASSIS__C", "environment"), ("CHASSIS__D", "environment"), ("OTHER", "x")]);
    sources.sets = vec!["d=set".to_owned()];
    let document = Document::load(&sources).unwrap();
    let expected = json!({"a": "one", "b": "two-b", "c": "environment", "d": "set", "e": "default"});
    assert_eq!(document.value(), expected);
    let origins: Vec<_> = ["a", "b", "c", "d", "e"].map(|key| document.origin(key).map(ToString::to_string)).into();
    let expected = ["one.yaml:1:4", "two/b.yaml:1:4", "environment CHASSIS__C", "--set d", "default"];
    assert_eq!(origins.into_iter().flatten().collect::<Vec<_>>(), expected);
    let read: Vec<_> = document.read().iter().map(ToString::to_string).collect();
    let expected =
        ["one.yaml", "two/a.yml", "two/b.yaml", "environment CHASSIS__C", "environment CHASSIS__D", "--set d"];
    assert_eq!(read, expected);
}

#[test]
fn without_any_file_named_the_service_has_its_own() {
    let (_directory, mut own) = sources(&[("conf/greeter.yaml", "a: own\n"), ("other.yaml", "a: other\n")]);
    assert_eq!(Document::load(&own).unwrap().value(), json!({"a": "own"}));
    own.environment = variables(&[("CHASSIS_CONF", "conf/greeter.yaml:other.yaml")]);
    assert_eq!(Document::load(&own).unwrap().value(), json!({"a": "other"}));
    own.files = vec!["conf".into()];
    assert_eq!(Document::load(&own).unwrap().value(), json!({"a": "own"}));
    let (_directory, none) = sources(&[]);
    assert_eq!(Document::load(&none).unwrap().read(), [Read::Absent("conf/greeter.yaml".to_owned())]);
}

#[test]
fn what_cannot_be_read_is_said_all_at_once() {
    let (_directory, mut sources) = sources(&[("empty/readme.md", ""), ("bad.yaml", "a: [\n"), ("empty/.x.yaml", "")]);
    sources.files = vec!["nowhere.yaml".into(), "empty".into()];
    insta::assert_snapshot!(wrong(&sources), @"
    the directory `empty` holds no YAML file
      help: its `*.yaml` and `*.yml` are read; is it the right directory?

    `nowhere.yaml` cannot be read: No such file or directory (os error 2)
      help: `--conf` and CHASSIS_CONF name files, or directories of `*.yaml`

    The configuration has 2 problems.
    ");
    sources.files = vec!["bad.yaml".into()];
    insta::assert_snapshot!(wrong(&sources), @"
    bad.yaml:2:1: this is not YAML: a value is missing here
      2 | 
        | ^
      help: is a `[` or a `{` before it not closed?

    The configuration has 1 problem.
    ");
}

#[test]
fn nothing_that_may_be_a_value_is_shown_of_a_file_that_cannot_be_read() {
    let check = |yaml: &str, shown: &str| {
        // One that can be read is not looked at either, and may hold the same secrets.
        let (_directory, mut sources) =
            sources(&[("bad.yaml", yaml), ("good.yaml", "password: 'hunter2 ${NOWHERE}'\n")]);
        sources.files = vec!["bad.yaml".into(), "good.yaml".into()];
        let text = wrong(&sources);
        assert!(text.contains(shown), "{shown} in {text}");
        assert!(text.contains("1 | password: ***\n    |           ^"), "{text}");
        assert!(!text.contains("hunter2"), "{text}");
    };
    check("a: { password: hunter2\nb: 1\n", "2 | b: ***");
    check("password: \"hunter2\nb: 1\n", "1 | password: ***\n    |           ^^^");
    check("password: hunter2: x\n", "1 | password: ***");
    check("password: @hunter2\n", "1 | password: ***");
    check("password: *hunter2\n", "1 | password: ***");
    check("- hunter2\n -- x\nb: hunter2\n", "| b: ***");
    check("key: |\n  hunter2\n hunter2\n", "3 |  ***");
    check("a: {password: hunter2, token: [hunter2, 'hunter2}\n", "1 | a: {password: ***");
    check("password: hunter2\u{0}\n", "1 | password: ***");
}

#[test]
fn a_file_that_is_no_map_may_be_a_secret_itself() {
    let (_directory, mut sources) = sources(&[("token", "hunter2\n")]);
    sources.files = vec!["token".into()];
    let document = Document::load(&sources).unwrap();
    let composed = crate::conf::Composed::new(&[]);
    let error = document.check(composed, &[], &sources.disk()).unwrap_err().to_string();
    assert!(error.starts_with("token:1:1: the file is not a map of keys\n  help:"), "{error}");
    assert!(!error.contains("hunter2"), "{error}");
}

#[test]
fn a_file_that_is_not_utf_8_says_where() {
    let (directory, mut sources) = sources(&[]);
    fs::write(directory.path().join("latin.yaml"), b"a: 1\nb: caf\xe9\n").unwrap();
    sources.files = vec!["latin.yaml".into()];
    insta::assert_snapshot!(wrong(&sources), @"
    latin.yaml:2:7: the file is not UTF-8 from here on
      2 | b: ***
        |    ^^^
      help: save it as UTF-8

    The configuration has 1 problem.
    ");
}

#[test]
fn variables_come_from_the_environment_that_was_passed_in() {
    let (_directory, mut sources) = sources(&[("conf/greeter.yaml", "a: ${NAME}\n")]);
    sources.environment = variables(&[("NAME", "x")]);
    assert_eq!(Document::load(&sources).unwrap().value(), json!({"a": "x"}));
}

#[test]
fn a_problem_of_a_part_points_at_the_nearest_value() {
    let (_directory, sources) = sources(&[("conf/greeter.yaml", "handlers:\n  auth:\n    keys: [a]\n")]);
    let document = Document::load(&sources).unwrap();
    let place = |prefix: &str, at: &str| document.problem(prefix, &BuildError::new(at, "no")).origin.to_string();
    assert_eq!(place("handlers.auth", "keys[0]"), "conf/greeter.yaml:3:12");
    assert_eq!(place("handlers.auth", "issuer"), "conf/greeter.yaml:2:3");
    assert_eq!(place("handlers.cors", "origins"), "conf/greeter.yaml:1:1");
    assert_eq!(place("components.book", ""), "conf/greeter.yaml:1:1");
}

proptest! {
    #[test]
    fn the_order_of_sources_holds_for_every_key(key in "[a-c](\\.[a-c]){0,2}", said in proptest::bits::u8::between(0, 4)) {
        let nested = |value: &str| key.split('.').rev().fold(value.to_owned(), |inner, key| format!("{{{key}: {inner}}}"));
        let (_directory, mut sources) = sources(&[("one.yaml", &nested("one")), ("two.yaml", &nested("two"))]);
        let variable = format!("CHASSIS__{}", key.replace('.', "__").to_uppercase());
        let mut expected = None;
        if said & 1 != 0 { sources.files.push("one.yaml".into()); expected = Some("one"); }
        if said & 2 != 0 { sources.files.push("two.yaml".into()); expected = Some("two"); }
        if said & 4 != 0 { sources.environment.insert(variable, "environment".to_owned()); expected = Some("environment"); }
        if said & 8 != 0 { sources.sets.push(format!("{key}=set")); expected = Some("set"); }
        let value = Document::load(&sources).unwrap().at(&key).map(Node::to_json);
        prop_assert_eq!(value, expected.map(Value::from));
    }
}
