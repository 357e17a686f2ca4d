//! What is read from YAML, and what is said about what cannot be.

use proptest::prelude::*;
use serde_json::json;

use super::*;

fn variable(name: &str) -> Option<String> {
    match name {
        "PORT" => Some("8080".to_owned()),
        "NAME" => Some("greeter".to_owned()),
        _ => None,
    }
}

fn read(content: &str) -> Parsed {
    parse(&Arc::new(Text::of("test.yaml", content)), Some(&variable))
}

fn check(content: &str, expected: &serde_json::Value) {
    let parsed = read(content);
    assert_eq!(parsed.problems, [], "{content}");
    assert_eq!(parsed.node.map(|node| node.to_json()).as_ref(), Some(expected), "{content}");
}

/// The problems of a text, one after the other.
fn wrong(content: &str) -> String {
    read(content).problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

#[test]
fn maps_lists_and_scalars_are_read() {
    check("a: 1\nb: [x, 'y', \"z\"]\nc:\n  d: true\n", &json!({"a": 1, "b": ["x", "y", "z"], "c": {"d": true}}));
    check("a: |\n  one\n  two\n", &json!({"a": "one\ntwo\n"}));
    check("{a: {b: ~}}", &json!({"a": {}}));
    check("1: x\ntrue: y\n", &json!({"1": "x", "true": "y"}));
    check("a: !!str 5\nb: ! 6\n", &json!({"a": "5", "b": "6"}));
}

#[test]
fn nothing_is_an_empty_map() {
    check("", &json!({}));
    check("# nothing but a comment\n", &json!({}));
    check("---\n...\n", &json!({}));
    check("\u{feff}a: 1\n", &json!({"a": 1}));
}

#[test]
fn anchors_and_merge_keys_are_expanded() {
    check("a: {'<<': 1}\n", &json!({"a": {"<<": 1}}));
    check("a: &x {b: 1}\nc: *x\n", &json!({"a": {"b": 1}, "c": {"b": 1}}));
    check("a: &x {b: 1, c: 2}\nd: {<<: *x, c: 3}\n", &json!({"a": {"b": 1, "c": 2}, "d": {"b": 1, "c": 3}}));
    check(
        "a: &x {b: 1}\nc: &y {d: 2}\ne: {<<: [*x, *y]}\n",
        &json!({"a": {"b": 1}, "c": {"d": 2}, "e": {"b": 1, "d": 2}}),
    );
}

#[test]
fn variables_are_replaced_and_unquoted_values_read_again() {
    check("a: ${PORT}\nb: '${PORT}'\nc: x-${NAME}-${NO||y}\n", &json!({"a": 8080, "b": "8080", "c": "x-greeter-y"}));
    check("a: $${PORT}\n", &json!({"a": "${PORT}"}));
}

#[test]
fn every_value_knows_where_it_is_written() {
    let node = read("a:\n  b: [1, two]\n  'c': \"ü\"\n").node.unwrap();
    let place = |path: &str| {
        let place = node.at(&KeyPath::parse(path)).and_then(|node| node.origin.place().cloned()).unwrap();
        (place.line, place.column, place.length)
    };
    assert_eq!(place("a.b[0]"), (2, 7, 1));
    assert_eq!(place("a.b[1]"), (2, 10, 3));
    assert_eq!(place("a.c"), (3, 8, 3));
    let more = |yaml: &str| {
        let node = read(yaml).node.unwrap();
        node.at(&KeyPath::parse("a")).and_then(|node| node.origin.place().map(|place| place.more))
    };
    assert_eq!(more("a: plain\nb: 1\n"), Some(0));
    assert_eq!(more("a: plain\n  and more\nb: 1\n"), Some(1));
    assert_eq!(more("a: 'quoted\n  more'\nb: 1\n"), Some(1));
    assert_eq!(more("a: |\n  one\n  two\nb: 1\n"), Some(2));
    let key =
        node.entries().and_then(|entries| entries["a"].node.entries()).map(|entries| entries["c"].key.to_string());
    assert_eq!(key.as_deref(), Some("test.yaml:3:3"));
}

#[test]
fn a_key_that_is_there_twice_is_a_problem() {
    insta::assert_snapshot!(wrong("a:\n  b: 1\n  c: 2\n  b: 3\n"), @"
    test.yaml:4:3: a.b: the key `b` is there twice
      4 |   b: 3
        |   ^
      help: it is written on line 2 already; remove one of them
    ");
}

#[test]
fn a_second_document_is_a_problem() {
    insta::assert_snapshot!(wrong("a: 1\n---\nb: 1\n"), @"
    test.yaml:2:1: a second YAML document starts here
      2 | ---
        | ^^^
      help: write one document per file; several files can be given, and a directory of them
    ");
}

#[test]
fn an_unset_variable_is_a_problem_at_its_own_place() {
    insta::assert_snapshot!(wrong("a:\n  b: \"x ${PORT} ${NOWHERE}\"\n  c: ${ALSO}\n"), @r#"
    test.yaml:2:17: a.b: the environment variable `NOWHERE` is not set
      2 |   b: "x ${PORT} ${NOWHERE}"
        |                 ^^^^^^^^^^
      help: set it, or say what to use without it: `${NOWHERE||default}`
    test.yaml:3:6: a.c: the environment variable `ALSO` is not set
      3 |   c: ${ALSO}
        |      ^^^^^^^
      help: set it, or say what to use without it: `${ALSO||default}`
    "#);
}

#[test]
fn what_is_not_yaml_is_a_problem_at_its_place() {
    insta::assert_snapshot!(wrong("a: [1, 2\nb: 3\n"), @"
    test.yaml:2:2: this is not YAML: a `:` is not allowed here
      2 | b: 3
        |  ^
      help: is a `]` or a `}` missing before it?
    ");
    insta::assert_snapshot!(wrong("a:\n\tb: 1\n"), @"
    test.yaml:2:2: this is not YAML: a tab is used for indentation
      2 |  b: 1
        |  ^
      help: indent with spaces
    ");
    insta::assert_snapshot!(wrong("a: @here\n"), @"
    test.yaml:1:4: this is not YAML: a value cannot start with this character
      1 | a: @here
        |    ^
      help: put the value in quotes
    ");
    insta::assert_snapshot!(wrong("a: \"open\n"), @r#"
    test.yaml:1:4: this is not YAML: a quote that is opened here is never closed
      1 | a: "open
        |    ^
      help: close it on the same line
    "#);
    insta::assert_snapshot!(wrong("a: b: c\n"), @"
    test.yaml:1:5: this is not YAML: a `:` is not allowed here
      1 | a: b: c
        |     ^
      help: put a value that contains `: ` in quotes
    ");
    insta::assert_snapshot!(wrong("a: *nowhere\n"), @"
    test.yaml:1:4: this is not YAML: there is no anchor of this name above
      1 | a: *nowhere
        |    ^
      help: an alias `*name` repeats what `&name` marks
    ");
    insta::assert_snapshot!(wrong("a: 1\nb: \u{0}\n"), @r"
    test.yaml:2:4: the control character U+0000 is not allowed in YAML
      2 | b:
        |    ^
      help: is it a text file? in quotes, `\u0007` stands for such a character
    ");
    insta::assert_snapshot!(wrong("a: !secret x\n"), @"
    test.yaml:1:4: a: what starts with `!` is a tag, and this one means nothing here
      1 | a: !secret x
        |    ^^^^^^^^^
      help: remove it; quotes make any value text
    ");
    insta::assert_snapshot!(wrong("a\nb: 1\n"), @"
    test.yaml:2:2: this is not YAML: a `:` is not allowed here
      2 | b: 1
        |  ^
      help: put a value that contains `: ` in quotes
    ");
    insta::assert_snapshot!(wrong("a:\n  b: 1\n c: 2\n"), @"
    test.yaml:3:2: this is not YAML: the indentation fits no line above
      3 |  c: 2
        |  ^
      help: indent it like the keys it belongs beside
    ");
    insta::assert_snapshot!(wrong("a: \"C:\\path\"\n"), @r#"
    test.yaml:1:4: this is not YAML: no such escape is known
      1 | a: "C:\path"
        |    ^
      help: write `\\` for a backslash, or use single quotes
    "#);
    insta::assert_snapshot!(wrong("? [a]\n: b\n"), @"
    test.yaml:1:3: a list or a map cannot be a key
      1 | ? [a]
        |   ^
      help: is a quote or a space after a colon missing?
    ");
}

#[test]
fn what_would_exhaust_memory_is_refused() {
    let deep = "[".repeat(10_000);
    assert!(wrong(&deep).contains("nested deeper than 64 levels"));
    assert!(wrong(&"- ".repeat(10_000)).contains("nested deeper than 64 levels"));
    let bomb = (1..9).fold("a0: &a0 [x]\n".to_owned(), |text, at| {
        let list = [format!("*a{}", at - 1)].into_iter().cycle().take(9).collect::<Vec<_>>().join(", ");
        format!("{text}a{at}: &a{at} [{list}]\n")
    });
    assert!(wrong(&bomb).contains("more than 100000 values"));
    assert!(wrong("a: &a [*a]\n").contains("stands inside of what it refers to"));
    assert!(wrong(&"a".repeat(LARGEST + 1)).contains("larger than 1 MiB"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn no_text_panics(text: String) {
        let _ = read(&text);
    }

    #[test]
    fn nothing_that_looks_like_yaml_panics(text in r#"([a-c]|[ \n\t:?,&*!|>'"%@`#\[\]{}<~$.-]|\$\{|- |: |---\n|\n  ){0,40}"#) {
        let _ = read(&text);
    }

    #[test]
    fn what_json_says_is_read_as_it_is(keys in proptest::collection::btree_map("[a-z]{1,6}", any::<i64>(), 0..6)) {
        let json = json!(keys);
        prop_assert_eq!(read(&json.to_string()).node.map(|node| node.to_json()), Some(json));
    }
}
