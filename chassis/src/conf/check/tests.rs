//! What is said about everything that can be wrong.

use schemars::{Schema, SchemaGenerator, json_schema};
use serde_json::json;

use crate::conf::compose::{Composed, Kind, Part, Tombstone, sample};
use crate::conf::source::InMemory;
use crate::conf::{Conf, ConfError, Document, Interval, Known, Reviewed};

mod secrets;

const OPERATIONS: [&str; 3] = ["greeting.hello", "greeting.list", "greeting.remember"];

fn checked(yaml: &str, composed: Composed) -> Result<Conf, ConfError> {
    let files = InMemory::default().with("keys/jwt", "hunter2\n").with("keys/empty", "");
    Document::of_text("greeter.yaml", yaml)?.check(composed, &OPERATIONS, &files)
}

fn right(yaml: &str) -> Conf {
    checked(yaml, sample::composed()).unwrap_or_else(|error| panic!("{error}"))
}

/// What is wrong with this configuration.
fn wrong(yaml: &str) -> String {
    checked(yaml, sample::composed()).unwrap_err().to_string()
}

#[test]
fn what_is_right_passes() {
    right("");
    right("service: { name: greeter }\nlog: { level: debug, targets: { hyper: warn } }\n");
    right("handlers:\n  rate-limit: { rate: 5/s, key: principal }\n  auth:\n  request-id:\n");
    right("handlers: { rate-limit: { key: { header: x-tenant } } }");
    right("components: { store: { kind: memory, limit: 64KiB } }");
    right("components: { store: { kind: memory, limit: 512 } }");
    right("schemas: { greeting: { unwelcome: [bob] } }");
    right("protocols: { rest: { listen: ':80' }, rest-internal: { listen: ':81', schemas: [greeting] } }");
    right("chain: { provider: { default: [auth], open: { extends: default, remove: [auth] } } }");
    right("operations: { 'greeting.*': { timeout: none, chain: default, handlers: { auth: { leeway: 1s } } } }");
    right("expect: [greeting, auth, store]");
    right("runtime: { workers: 4 }");
    right("runtime: { workers: auto }");
}

#[test]
fn a_listener_is_a_protocol_and_at_most_one_word_more() {
    right("protocols: { rest: {}, rest-admin: {} }");
    for name in ["''", "rest-", "-admin", "rest-admin-1", "bus"] {
        assert!(
            wrong(&format!("protocols: {{ {name}: {{}} }}")).contains("The configuration has 1 problem."),
            "{name}"
        );
    }
}

#[test]
fn an_unknown_key_is_told_from_its_neighbours() {
    insta::assert_snapshot!(wrong("handlers:\n  rate-limit:\n    brust: 200\n"), @"
    greeter.yaml:3:5: handlers.rate-limit.brust: this key is not known
      3 |     brust: 200
        |     ^^^^^
      help: did you mean `burst`?

    The configuration has 1 problem.
    ");
    insta::assert_snapshot!(wrong("protocol: {}\n"), @"
    greeter.yaml:1:1: protocol: this key is not known
      1 | protocol: {}
        | ^^^^^^^^
      help: did you mean `protocols`?

    The configuration has 1 problem.
    ");
    insta::assert_snapshot!(wrong("drain: { wait: 5s }\n"), @"
    greeter.yaml:1:10: drain.wait: this key is not known
      1 | drain: { wait: *** }
        |          ^^^^
      help: the keys here are `deadline`, `delay`, `flush`, `grace`

    The configuration has 1 problem.
    ");
    insta::assert_snapshot!(wrong("log.level: debug\n"), @r#"
    greeter.yaml:1:1: "log.level": this key is not known
      1 | log.level: ***
        | ^^^^^^^^^
      help: write `level` below `log:`

    The configuration has 1 problem.
    "#);
}

#[test]
fn a_name_that_nothing_has_is_told_from_those_that_are_linked_in() {
    insta::assert_snapshot!(wrong("handlers: { rate-limt: {} }\n"), @"
    greeter.yaml:1:13: handlers.rate-limt: there is no handler `rate-limt`
      1 | handlers: { rate-limt: {} }
        |             ^^^^^^^^^
      help: did you mean `rate-limit`?

    The configuration has 1 problem.
    ");
    insta::assert_snapshot!(wrong("handlers: { cache: {} }\n"), @"
    greeter.yaml:1:13: handlers.cache: there is no handler `cache`
      1 | handlers: { cache: {} }
        |             ^^^^^
      help: the handlers that are linked in are `auth`, `rate-limit`, `request-id`

    The configuration has 1 problem.
    ");
    insta::assert_snapshot!(wrong("schemas: { greting: {} }\ncomponents: { stor: {} }\n"), @"
    greeter.yaml:1:12: schemas.greting: there is no schema `greting`
      1 | schemas: { greting: {} }
        |            ^^^^^^^
      help: did you mean `greeting`?

    greeter.yaml:2:15: components.stor: there is no component `stor`
      2 | components: { stor: {} }
        |               ^^^^
      help: did you mean `store`?

    The configuration has 2 problems.
    ");
    insta::assert_snapshot!(wrong("protocols: { grpc: {} }\n"), @"
    greeter.yaml:1:14: protocols.grpc: `grpc` names no protocol that is linked in
      1 | protocols: { grpc: {} }
        |              ^^^^
      help: listeners are `NAME` or `NAME-…` of `rest`

    The configuration has 1 problem.
    ");
    insta::assert_snapshot!(wrong("chain: { provider: { default: [auth, rate-limt] } }\n"), @"
    greeter.yaml:1:38: chain.provider.default[1]: there is no handler `rate-limt`
      1 | chain: { provider: { default: [auth, rate-limt] } }
        |                                      ^^^^^^^^^
      help: did you mean `rate-limit`?

    The configuration has 1 problem.
    ");
    insta::assert_snapshot!(wrong("expect: [greting]\n"), @"
    greeter.yaml:1:10: expect[0]: `greting` is not linked in
      1 | expect: [greting]
        |          ^^^^^^^
      help: did you mean `greeting`?

    The configuration has 1 problem.
    ");
    insta::assert_snapshot!(wrong("protocols: { rest: { schemas: [greting] } }\n"), @"
    greeter.yaml:1:32: protocols.rest.schemas[0]: there is no schema `greting`
      1 | protocols: { rest: { schemas: [greting] } }
        |                                ^^^^^^^
      help: did you mean `greeting`?

    The configuration has 1 problem.
    ");
}

#[test]
fn a_value_of_another_kind_says_how_to_write_it() {
    insta::assert_snapshot!(wrong("service: { version: 1.10 }\n"), @"
    greeter.yaml:1:21: service.version: expected text, found the number 1.1
      1 | service: { version: 1.10 }
        |                     ^^^^
      help: put it in quotes

    The configuration has 1 problem.
    ");
    insta::assert_snapshot!(wrong("handlers: { rate-limit: { burst: '200' } }\n"), @"
    greeter.yaml:1:34: handlers.rate-limit.burst: expected a whole number, found the text `200`
      1 | handlers: { rate-limit: { burst: '200' } }
        |                                  ^^^^^^
      help: remove the quotes

    The configuration has 1 problem.
    ");
    insta::assert_snapshot!(wrong("handlers: { rate-limit: { shadow: yes } }\n"), @"
    greeter.yaml:1:35: handlers.rate-limit.shadow: expected `true` or `false`, found the text `yes`
      1 | handlers: { rate-limit: { shadow: yes } }
        |                                   ^^^
      help: write `true`

    The configuration has 1 problem.
    ");
    insta::assert_snapshot!(wrong("handlers: { rate-limit: 5 }\n"), @"
    greeter.yaml:1:25: handlers.rate-limit: expected a map of keys, found the number 5
      1 | handlers: { rate-limit: 5 }
        |                         ^
      help: write keys below it: `burst`, `key`, `rate`, `shadow`

    The configuration has 1 problem.
    ");
    insta::assert_snapshot!(wrong("handlers: { request-id: { header: x } }\n"), @"
    greeter.yaml:1:25: handlers.request-id: this takes no configuration
      1 | handlers: { request-id: { header: x } }
        |                         ^^
      help: remove it

    The configuration has 1 problem.
    ");
    insta::assert_snapshot!(wrong("expect: greeting\n"), @"
    greeter.yaml:1:9: expect: expected a list, found the text `greeting`
      1 | expect: greeting
        |         ^^^^^^^^
      help: write a list: `[a, b]`

    The configuration has 1 problem.
    ");
    insta::assert_snapshot!(wrong("chain: { provider: { default: auth } }\n"), @"
    greeter.yaml:1:31: chain.provider.default: expected a list or a map of keys, found the text `auth`
      1 | chain: { provider: { default: auth } }
        |                               ^^^^
      help: write a list: `[a, b]`

    The configuration has 1 problem.
    ");
    insta::assert_snapshot!(wrong("handlers: { rate-limit: { key: [peer] } }\n"), @"
    greeter.yaml:1:32: handlers.rate-limit.key: expected text or a map of keys, found a list
      1 | handlers: { rate-limit: { key: [peer] } }
        |                                ^
      help: write one of `peer`, `principal`

    The configuration has 1 problem.
    ");
}

#[test]
fn a_value_out_of_bounds_says_the_bounds() {
    insta::assert_snapshot!(wrong("handlers: { rate-limit: { burst: 0 } }\n"), @"
    greeter.yaml:1:34: handlers.rate-limit.burst: 0 is too small: at least 1
      1 | handlers: { rate-limit: { burst: 0 } }
        |                                  ^

    The configuration has 1 problem.
    ");
    insta::assert_snapshot!(wrong("handlers: { rate-limit: { burst: 5000000000 } }\n"), @"
    greeter.yaml:1:34: handlers.rate-limit.burst: 5000000000 is too large: at most 1000000
      1 | handlers: { rate-limit: { burst: 5000000000 } }
        |                                  ^^^^^^^^^^

    The configuration has 1 problem.
    ");
    insta::assert_snapshot!(wrong("schemas: { greeting: { word: '' } }\n"), @"
    greeter.yaml:1:30: schemas.greeting.word: this must not be empty
      1 | schemas: { greeting: { word: '' } }
        |                              ^^^
      help: What to say.

    The configuration has 1 problem.
    ");
    insta::assert_snapshot!(wrong("schemas: { greeting: { word: Hello hello hello hello } }\n"), @"
    greeter.yaml:1:30: schemas.greeting.word: `Hello hello hello hello` is too long: at most 20 characters
      1 | schemas: { greeting: { word: Hello hello hello hello } }
        |                              ^^^^^^^^^^^^^^^^^^^^^^^

    The configuration has 1 problem.
    ");
    insta::assert_snapshot!(wrong("schemas: { greeting: { word: hello } }\n"), @"
    greeter.yaml:1:30: schemas.greeting.word: `hello` does not have the form that is wanted here
      1 | schemas: { greeting: { word: hello } }
        |                              ^^^^^
      help: write what matches `^[A-Z]`: What to say.

    The configuration has 1 problem.
    ");
}

#[test]
fn a_text_that_is_none_of_its_kind_says_how_to_write_it() {
    insta::assert_snapshot!(wrong("drain: { delay: 5 parsecs }\n"), @"
    greeter.yaml:1:17: drain.delay: `5 parsecs` has the unknown unit `parsecs`
      1 | drain: { delay: 5 parsecs }
        |                 ^^^^^^^^^
      help: the units are ns, us, ms, s, m, h and d

    The configuration has 1 problem.
    ");
    insta::assert_snapshot!(wrong("drain: { delay: 5 }\n"), @"
    greeter.yaml:1:17: drain.delay: `5` has no unit
      1 | drain: { delay: 5 }
        |                 ^
      help: write `5s` for seconds, or use ms, m, h or d

    The configuration has 1 problem.
    ");
    insta::assert_snapshot!(wrong("handlers: { rate-limit: { rate: 100 } }\n"), @"
    greeter.yaml:1:33: handlers.rate-limit.rate: `100` does not say in how long
      1 | handlers: { rate-limit: { rate: 100 } }
        |                                 ^^^
      help: write `100/s` or `100/m`

    The configuration has 1 problem.
    ");
    insta::assert_snapshot!(wrong("protocols: { rest: { limit-body: 1Mi } }\n"), @"
    greeter.yaml:1:34: protocols.rest.limit-body: `1Mi` has the unknown unit `Mi`
      1 | protocols: { rest: { limit-body: 1Mi } }
        |                                  ^^^
      help: did you mean `MiB`?

    The configuration has 1 problem.
    ");
    insta::assert_snapshot!(wrong("timeout: 0s\n"), @"
    greeter.yaml:1:10: timeout: `0s` leaves a call no time
      1 | timeout: 0s
        |          ^^
      help: write `none` for no limit

    The configuration has 1 problem.
    ");
}

#[test]
fn a_number_of_threads_is_a_sensible_one() {
    insta::assert_snapshot!(wrong("runtime: { workers: 0 }\n"), @"
    greeter.yaml:1:21: runtime.workers: 0 is too small: at least 1
      1 | runtime: { workers: 0 }
        |                     ^

    The configuration has 1 problem.
    ");
    insta::assert_snapshot!(wrong("runtime: { workers: 5000 }\n"), @"
    greeter.yaml:1:21: runtime.workers: 5000 is too large: at most 1024
      1 | runtime: { workers: 5000 }
        |                     ^^^^

    The configuration has 1 problem.
    ");
    insta::assert_snapshot!(wrong("runtime: { workers: atuo }\n"), @"
    greeter.yaml:1:21: runtime.workers: `atuo` is not known here
      1 | runtime: { workers: atuo }
        |                     ^^^^
      help: did you mean `auto`?

    The configuration has 1 problem.
    ");
    insta::assert_snapshot!(wrong("runtime: { threads: 4 }\n"), @"
    greeter.yaml:1:12: runtime.threads: this key is not known
      1 | runtime: { threads: 4 }
        |            ^^^^^^^
      help: the keys here are `memory-budget`, `workers`

    The configuration has 1 problem.
    ");
}

#[test]
fn a_number_that_does_not_fit_says_which_would() {
    insta::assert_snapshot!(wrong("runtime: { workers: 1.5 }\n"), @"
    greeter.yaml:1:21: runtime.workers: expected a whole number or `auto`, found the number 1.5
      1 | runtime: { workers: 1.5 }
        |                     ^^^

    The configuration has 1 problem.
    ");
    insta::assert_snapshot!(wrong("handlers: { rate-limit: { burst: 99999999999999999999999 } }\n"), @"
    greeter.yaml:1:34: handlers.rate-limit.burst: the number is too large: at most 1000000
      1 | handlers: { rate-limit: { burst: 99999999999999999999999 } }
        |                                  ^^^^^^^^^^^^^^^^^^^^^^^

    The configuration has 1 problem.
    ");
    insta::assert_snapshot!(wrong("admin: { refusals: -99999999999999999999999 }\n"), @"
    greeter.yaml:1:20: admin.refusals: the number is too small: at least 0
      1 | admin: { refusals: -99999999999999999999999 }
        |                    ^^^^^^^^^^^^^^^^^^^^^^^^

    The configuration has 1 problem.
    ");
    let part = |_: &mut SchemaGenerator| json_schema!({ "type": "number", "minimum": 0.0, "maximum": 1.0 });
    let ratio = |text: &str| wrong_part(part, text);
    insta::assert_snapshot!(ratio("10%"), @"
    greeter.yaml:1:18: schemas.part: expected a number, found the text `10%`
      1 | schemas: { part: 10% }
        |                  ^^^
      help: write `0.1`

    The configuration has 1 problem.
    ");
    assert!(ratio("0.07%").contains("help: write `0.0007`"), "{}", ratio("0.07%"));
    assert!(!ratio("110%").contains("help"), "{}", ratio("110%"));
}

/// What is wrong with what is said about a part of this schema.
fn wrong_part(conf: fn(&mut SchemaGenerator) -> Schema, said: &str) -> String {
    let part = Part { kind: Kind::Schema, name: "part".to_owned(), doc: String::new(), conf };
    checked(&format!("schemas: {{ part: {said} }}\n"), Composed::new(&[part])).unwrap_err().to_string()
}

#[test]
fn keys_that_can_be_written_are_counted_where_they_are_too_many_to_list() {
    let conf = |_: &mut SchemaGenerator| {
        let keys = (0..30).map(|at| (format!("k{at:02}"), json!(true))).collect::<serde_json::Map<_, _>>();
        json_schema!({ "type": "object", "properties": keys })
    };
    let said = wrong_part(conf, "5");
    assert!(
        said.contains("help: write keys below it: `k00`, `k01`, ") && said.contains("`k11` and 18 more\n"),
        "{said}"
    );
}

#[test]
fn a_missing_key_says_what_it_is_for() {
    insta::assert_snapshot!(wrong("handlers:\n  auth:\n    leeway: 1s\n"), @"
    greeter.yaml:2:3: handlers.auth.jwt: the key `jwt` is missing
      2 |   auth:
        |   ^^^^
      help: `jwt`: Tokens in the `Authorization` field.

    The configuration has 1 problem.
    ");
    insta::assert_snapshot!(wrong("handlers:\n  auth:\n    jwt:\n      issuer:\n      keys: { file: x }\n"), @"
    greeter.yaml:3:5: handlers.auth.jwt.issuer: the key `issuer` is missing
      3 |     jwt:
        |     ^^^
      help: `issuer`: Who must have issued them.

    The configuration has 1 problem.
    ");
}

#[test]
fn alternatives_give_one_message() {
    insta::assert_snapshot!(wrong("log: { level: dbug }\n"), @"
    greeter.yaml:1:15: log.level: `dbug` is not known here
      1 | log: { level: dbug }
        |               ^^^^
      help: did you mean `debug`?

    The configuration has 1 problem.
    ");
    insta::assert_snapshot!(wrong("handlers: { rate-limit: { key: princpal } }\n"), @"
    greeter.yaml:1:32: handlers.rate-limit.key: `princpal` is not known here
      1 | handlers: { rate-limit: { key: princpal } }
        |                                ^^^^^^^^
      help: did you mean `principal`?

    The configuration has 1 problem.
    ");
    insta::assert_snapshot!(wrong("handlers: { rate-limit: { key: { heder: x } } }\n"), @"
    greeter.yaml:1:34: handlers.rate-limit.key.heder: this key is not known
      1 | handlers: { rate-limit: { key: { heder: *** } } }
        |                                  ^^^^^
      help: did you mean `header`?

    The configuration has 1 problem.
    ");
    insta::assert_snapshot!(wrong("handlers: { auth: { jwt: { issuer: x, keys: { fil: x } } } }\n"), @"
    greeter.yaml:1:47: handlers.auth.jwt.keys.fil: this key is not known
      1 | handlers: { auth: { jwt: { issuer: x, keys: { fil: *** } } } }
        |                                               ^^^
      help: did you mean `file`?

    The configuration has 1 problem.
    ");
    insta::assert_snapshot!(wrong("handlers: { auth: { jwt: { issuer: x, keys: { file: x, secret: y } } } }\n"), @"
    greeter.yaml:1:39: handlers.auth.jwt.keys: `file` and `secret` cannot be given together
      1 | handlers: { auth: { jwt: { issuer: x, keys: { file: ***, secret: *** } } } }
        |                                       ^^^^
      help: keep one of them

    The configuration has 1 problem.
    ");
    insta::assert_snapshot!(wrong("handlers: { auth: { jwt: { issuer: x, keys: {} } } }\n"), @"
    greeter.yaml:1:39: handlers.auth.jwt.keys: a key is missing
      1 | handlers: { auth: { jwt: { issuer: x, keys: {} } } }
        |                                       ^^^^
      help: write one of `file`, `secret`

    The configuration has 1 problem.
    ");
    insta::assert_snapshot!(wrong("components: { store: { limit: 1KiB } }\n"), @"
    greeter.yaml:1:15: components.store.kind: the key `kind` is missing
      1 | components: { store: { limit: *** } }
        |               ^^^^^
      help: write one of `memory`, `database`

    The configuration has 1 problem.
    ");
    insta::assert_snapshot!(wrong("components: { store: { kind: memry } }\n"), @"
    greeter.yaml:1:30: components.store.kind: `memry` is not known here
      1 | components: { store: { kind: memry } }
        |                              ^^^^^
      help: did you mean `memory`?

    The configuration has 1 problem.
    ");
    insta::assert_snapshot!(wrong("components: { store: { kind: memory, limt: 5 } }\n"), @"
    greeter.yaml:1:38: components.store.limt: this key is not known
      1 | components: { store: { kind: memory, limt: *** } }
        |                                      ^^^^
      help: did you mean `limit`?

    The configuration has 1 problem.
    ");
    insta::assert_snapshot!(wrong("chain: { provider: { default: { extend: x } } }\n"), @"
    greeter.yaml:1:33: chain.provider.default.extend: this key is not known
      1 | chain: { provider: { default: { extend: *** } } }
        |                                 ^^^^^^
      help: did you mean `extends`?

    The configuration has 1 problem.
    ");
}

#[test]
fn operations_and_chains_that_are_not_there_are_named() {
    insta::assert_snapshot!(wrong("operations: { greeting.helo: { timeout: 1s } }\n"), @"
    greeter.yaml:1:15: operations.greeting.helo: `greeting.helo` is no operation
      1 | operations: { greeting.helo: { timeout: 1s } }
        |               ^^^^^^^^^^^^^
      help: did you mean `greeting.hello`?

    The configuration has 1 problem.
    ");
    insta::assert_snapshot!(wrong("operations: { '*.create': {} }\n"), @"
    greeter.yaml:1:15: operations.*.create: `*.create` matches no operation
      1 | operations: { '*.create': {} }
        |               ^^^^^^^^^^
      help: the operations are `greeting.hello`, `greeting.list`, `greeting.remember`

    The configuration has 1 problem.
    ");
    insta::assert_snapshot!(wrong("operations:\n  greeting:\n    hello: {}\n"), @"
    greeter.yaml:2:3: operations.greeting: `greeting` is no operation and no pattern of operations
      2 |   greeting:
        |   ^^^^^^^^
      help: write `greeting.METHOD` for one operation, `greeting.*` for all of a schema

    The configuration has 1 problem.
    ");
    insta::assert_snapshot!(wrong("operations: { greeting.hello: { chain: opn } }\nchain: { provider: { open: [] } }\n"), @"
    greeter.yaml:1:40: operations.greeting.hello.chain: there is no chain `opn`
      1 | operations: { greeting.hello: { chain: opn } }
        |                                        ^^^
      help: did you mean `open`?

    The configuration has 1 problem.
    ");
    insta::assert_snapshot!(wrong("operations: { greeting.hello: { handlers: { rate-limt: {} } } }\n"), @"
    greeter.yaml:1:45: operations.greeting.hello.handlers.rate-limt: there is no handler `rate-limt`
      1 | operations: { greeting.hello: { handlers: { rate-limt: {} } } }
        |                                             ^^^^^^^^^
      help: did you mean `rate-limit`?

    The configuration has 1 problem.
    ");
    insta::assert_snapshot!(wrong("chain:\n  provider:\n    own:\n      extends: default\n      add: [{ handler: auth, after: request-id }]\n"), @"
    greeter.yaml:5:37: chain.provider.own.add[0].after: `request-id` is not in the chain `default`
      5 |       add: [{ handler: auth, after: request-id }]
        |                                     ^^^^^^^^^^
      help: at this point it holds `tracing`

    The configuration has 1 problem.
    ");
}

#[test]
fn an_edit_of_an_empty_chain_says_where_that_is_empty() {
    insta::assert_snapshot!(wrong("chain: { provider: { default: [], own: { extends: default, remove: [auth] } } }\n"), @"
    greeter.yaml:1:69: chain.provider.own.remove[0]: `auth` is not in the chain `default`, which is empty here (greeter.yaml:1:22)
      1 | chain: { provider: { default: [], own: { extends: default, remove: [auth] } } }
        |                                                                     ^^^^
      help: remove this, or list `auth` in chain.provider.default

    The configuration has 1 problem.
    ");
}

#[test]
fn a_misspelt_handler_hides_no_other_mistake_of_an_edit() {
    let edit = "{ extends: default, remove: [auth], add: [{ handler: request-id, after: nothing }] }";
    let said = wrong(&format!("chain: {{ provider: {{ default: [rate-limit], own: {edit} }} }}\n"));
    assert!(said.contains("remove[0]: `auth` is not in the chain `default` (greeter.yaml:1:22)"), "{said}");
    assert!(said.contains("add[0].after: there is no handler `nothing`"), "{said}");
    assert!(said.ends_with("The configuration has 2 problems."), "{said}");
    // What is misspelt where it is listed is missing where it is removed.
    let said = wrong("chain: { provider: { default: [auht], own: { extends: default, remove: [auth] } } }\n");
    assert!(said.ends_with("The configuration has 1 problem."), "{said}");
}

#[test]
fn help_names_what_can_be_written() {
    for (yaml, help) in [
        ("operations: { '': {} }", "write `SCHEMA.METHOD`, with `*` for any characters"),
        ("operations: { '*.remeber': {} }", "did you mean `*.remember`?"),
        ("operations: { 'greting.*': {} }", "did you mean `greeting.*`?"),
        ("protocols: { rest-b-c: {} }", "what follows the protocol is one word of lower-case letters and digits"),
        ("protocols: { rest-B: {} }", "what follows the protocol is one word of lower-case letters and digits"),
        ("handlers: { compression: {} }", "chassis has it with a feature: write `features = [\"compression\"]`"),
        ("chain: { provider: { default: [compression] } }", "chassis has it with a feature"),
        ("service: { name: [a] }", "write one value, without brackets and dashes"),
        ("service: { name: { a: b } }", "write one value instead of keys"),
    ] {
        let said = wrong(yaml);
        assert!(said.contains(&format!("help: {help}")), "{yaml}: {said}");
    }
}

#[test]
fn what_must_fit_together_is_checked_together() {
    insta::assert_snapshot!(wrong("drain:\n  deadline: 1m\n"), @"
    greeter.yaml:2:13: drain.deadline: 5s delay, 1m deadline and 2s flush are 1m7s, more than 30s grace
      2 |   deadline: 1m
        |             ^^
      help: shorten the deadline, or raise `terminationGracePeriodSeconds` and `drain.grace` together

    The configuration has 1 problem.
    ");
}

#[test]
fn a_key_that_is_gone_says_what_to_write_instead() {
    insta::assert_snapshot!(wrong("listen: ':80'\n"), @"
    greeter.yaml:1:1: listen: nothing reads `listen` here: it was renamed, or is another program's word
      1 | listen: ***
        | ^^^^^^
      help: write `protocols.rest.listen`

    The configuration has 1 problem.
    ");
    let gone = Tombstone { key: "handlers.rate-limit.limit", instead: "write `rate: 100/s`" };
    let error = checked("handlers: { rate-limit: { limit: 5 } }", sample::composed().with_tombstones([gone]));
    insta::assert_snapshot!(error.unwrap_err(), @"
    greeter.yaml:1:27: handlers.rate-limit.limit: nothing reads `limit` here: it was renamed, or is another program's word
      1 | handlers: { rate-limit: { limit: 5 } }
        |                           ^^^^^
      help: write `rate: 100/s`

    The configuration has 1 problem.
    ");
    let text = wrong("protocols: { rest-internal: { port: 80 } }");
    assert!(text.contains("write `listen: \":8080\"`"), "{text}");
}

/// What is wrong, and the configuration that is left.
fn reviewed(yaml: &str) -> (Vec<String>, Conf) {
    let document = Document::of_text("greeter.yaml", yaml).unwrap();
    let known = Known { operations: &OPERATIONS, later: &["late"] };
    let Reviewed { conf, problems } = document.review(sample::composed(), known, &InMemory::default());
    (problems.into_iter().map(|problem| problem.key).collect(), conf.unwrap())
}

#[test]
fn what_is_right_beside_something_wrong_can_still_be_read() {
    let (keys, conf) = reviewed(
        "drain: { dealy: 1s, deadline: 7s }\nlog: { level: [] }\ntimeout: 3s\n\
         chain: { provider: { default: [auth, nobody, request-id], other: 5, own: { extends: default, remvoe: [] } } }\n",
    );
    let wrong =
        ["log.level", "drain.dealy", "chain.provider.default[1]", "chain.provider.other", "chain.provider.own.remvoe"];
    assert!(wrong.iter().all(|key| keys.iter().any(|found| found == key)) && keys.len() == wrong.len(), "{keys:?}");
    assert_eq!((conf.root.drain.deadline, conf.root.timeout.limit()), (Interval::secs(7), Some(Interval::secs(3).0)));
    assert_eq!(conf.chains["default"], ["auth", "nobody", "request-id"]);
    assert_eq!(["default", "other", "own", "unmatched"].map(|chain| conf.is_broken_chain(chain)), [true; 4]);
}

#[test]
fn what_is_wrong_is_known_by_its_key_and_by_the_key_that_was_meant() {
    let (_, conf) = reviewed("chian: { provider: {} }\nhandlers: { rate-limit: { brust: 1 } }\n");
    assert!(conf.is_broken_chain("default"));
    assert!(conf.handler("rate-limit").is_broken() && !conf.handler("auth").is_broken());
    let (_, conf) = reviewed("operations: { greeting.hello: { chain: nowhere }, 'late.*': { timeout: 1s } }");
    assert!(conf.is_chain_lost("greeting.hello") && !conf.is_chain_lost("greeting.list"));
    assert!(!conf.is_broken_chain("default"));
}

#[test]
fn a_pattern_may_be_about_what_is_mounted_later() {
    assert!(reviewed("operations: { 'late.*': { timeout: 1s }, late.one: { timeout: 2s }, '*.one': {} }").0.is_empty());
    assert_eq!(reviewed("operations: { 'later.*': {} }").0, ["operations.later.*"]);
}

#[test]
fn a_file_full_of_mistakes_is_given_up() {
    let yaml: String = (0..5_000).map(|at| format!("k{at}: 1\n")).collect();
    let error = checked(&yaml, sample::composed()).unwrap_err();
    assert_eq!(error.problems.len(), 1_001);
    assert_eq!(
        error.problems.last().map(|last| last.message.as_str()),
        Some("and so on: too many problems to list them all")
    );
}

#[test]
fn everything_that_is_wrong_is_said_at_once() {
    insta::assert_snapshot!(wrong(r#"service: { nam: greeter }
chain:
  provider:
    default: [trace, auth]
handlers:
  rate-limit: { rate: 100, burst: 0 }
operations:
  greeting.helo: { timeout: 5 }
log: { level: "${LEVEL}" }
log: {}
"#), @r#"
    greeter.yaml:1:12: service.nam: this key is not known
      1 | service: { nam: *** }
        |            ^^^
      help: did you mean `name`?

    greeter.yaml:4:15: chain.provider.default[0]: there is no handler `trace`
      4 |     default: [trace, auth]
        |               ^^^^^
      help: the handlers that are linked in are `auth`, `rate-limit`, `request-id`

    greeter.yaml:6:23: handlers.rate-limit.rate: `100` does not say in how long
      6 |   rate-limit: { rate: 100, burst: 0 }
        |                       ^^^
      help: write `100/s` or `100/m`

    greeter.yaml:6:35: handlers.rate-limit.burst: 0 is too small: at least 1
      6 |   rate-limit: { rate: 100, burst: 0 }
        |                                   ^

    greeter.yaml:8:3: operations.greeting.helo: `greeting.helo` is no operation
      8 |   greeting.helo: { timeout: 5 }
        |   ^^^^^^^^^^^^^
      help: did you mean `greeting.hello`?

    greeter.yaml:8:29: operations.greeting.helo.timeout: `5` has no unit
      8 |   greeting.helo: { timeout: 5 }
        |                             ^
      help: write `5s` for seconds, or use ms, m, h or d

    greeter.yaml:9:16: log.level: the environment variable `LEVEL` is not set
      9 | log: { level: ***}
        |               ^^^
      help: set it, or say what to use without it: `${LEVEL||default}`

    greeter.yaml:10:1: log: the key `log` is there twice
      10 | log: {}
         | ^^^
      help: it is written on line 9 already; remove one of them

    The configuration has 8 problems.
    "#);
}

#[test]
fn secrets_are_read_from_where_they_are_kept_and_never_shown() {
    let secret = |text: &str| format!("handlers: {{ auth: {{ jwt: {{ issuer: x, keys: {{ secret: {text} }} }} }} }}\n");
    let read = |text: &str| right(&secret(text)).handler("auth").value()["jwt"]["keys"]["secret"].clone();
    assert_eq!(read("plain"), json!("plain"));
    assert_eq!(read("file:keys/jwt"), json!("hunter2"));
    insta::assert_snapshot!(wrong(&secret("file:keys/none")), @"
    greeter.yaml:1:55: handlers.auth.jwt.keys.secret: `keys/none` cannot be read: there is no such file
      1 | handlers: { auth: { jwt: { issuer: x, keys: { secret: file:keys/none } } } }
        |                                                       ^^^^^^^^^^^^^^

    The configuration has 1 problem.
    ");
    insta::assert_snapshot!(wrong(&secret("file:keys/empty")), @"
    greeter.yaml:1:55: handlers.auth.jwt.keys.secret: `keys/empty` is empty
      1 | handlers: { auth: { jwt: { issuer: x, keys: { secret: file:keys/empty } } } }
        |                                                       ^^^^^^^^^^^^^^^
      help: write the secret into it

    The configuration has 1 problem.
    ");
    insta::assert_snapshot!(wrong(&secret("env:NOWHERE")), @"
    greeter.yaml:1:55: handlers.auth.jwt.keys.secret: the environment variable `NOWHERE` is not set
      1 | handlers: { auth: { jwt: { issuer: x, keys: { secret: env:NOWHERE } } } }
        |                                                       ^^^^^^^^^^^
      help: set it for this process, or write `file:/path`

    The configuration has 1 problem.
    ");
    insta::assert_snapshot!(wrong(&secret("12345")), @"
    greeter.yaml:1:55: handlers.auth.jwt.keys.secret: expected text, found a whole number
      1 | handlers: { auth: { jwt: { issuer: x, keys: { secret: *** } } } }
        |                                                       ^^^
      help: put it in quotes

    The configuration has 1 problem.
    ");
    insta::assert_snapshot!(wrong(&secret("hunter2, x: y")), @"
    greeter.yaml:1:64: handlers.auth.jwt.keys.x: this key is not known
      1 | handlers: { auth: { jwt: { issuer: x, keys: { secret: ***, x: *** } } } }
        |                                                            ^
      help: the keys here are `secret`

    The configuration has 1 problem.
    ");
    insta::assert_snapshot!(wrong("handlers: { auth: { jwt: { issuer: x, keys: { secrt: hunter2 } } } }\n"), @"
    greeter.yaml:1:47: handlers.auth.jwt.keys.secrt: this key is not known
      1 | handlers: { auth: { jwt: { issuer: x, keys: { secrt: *** } } } }
        |                                               ^^^^^
      help: did you mean `secret`?

    The configuration has 1 problem.
    ");
    insta::assert_snapshot!(wrong(&secret("\"hun\n  ter2\", x: y")), @"
    greeter.yaml:2:10: handlers.auth.jwt.keys.x: this key is not known
      2 | ***
        | ^^^
      help: the keys here are `secret`

    The configuration has 1 problem.
    ");
    for broken in ["\"hunter2${a b}\"", "'hunter2-${NOWHERE}'", "!hunter2 x", "!hunter2"] {
        let error = wrong(&secret(broken));
        assert!(error.contains("keys: { secret: ***") && !error.contains("hunter2"), "{error}");
        let error = wrong(&secret(broken).replace("secret:", "secrt:"));
        assert!(error.contains("keys: { secrt: ***") && !error.contains("hunter2"), "{error}");
    }
    assert!(!format!("{:?}", right(&secret("hunter2"))).contains("hunter2"));
}

/// Every handler takes `when` here, as it does in a service.
fn with_terms(yaml: &str) -> Result<Conf, ConfError> {
    checked(yaml, sample::composed().with_terms())
}

#[test]
fn a_condition_names_operations_that_are_there() {
    let error =
        with_terms("handlers:\n  request-id: { when: [{ method: [GET] }, { operation: [greting.*, nope.all] }] }\n");
    insta::assert_snapshot!(error.unwrap_err(), @"
    greeter.yaml:2:57: handlers.request-id.when[1].operation[0]: `greting.*` matches no operation
      2 |   request-id: { when: [{ method: [GET] }, { operation: [greting.*, nope.all] }] }
        |                                                         ^^^^^^^^^
      help: did you mean `greeting.*`?

    greeter.yaml:2:68: handlers.request-id.when[1].operation[1]: `nope.all` is no operation
      2 |   request-id: { when: [{ method: [GET] }, { operation: [greting.*, nope.all] }] }
        |                                                                    ^^^^^^^^
      help: the operations are `greeting.hello`, `greeting.list`, `greeting.remember`

    The configuration has 2 problems.
    ");
    let conf = with_terms("handlers: { request-id: { when: { operation: [greeting.*, nope.all] } } }").unwrap();
    let idle: Vec<_> = conf.document.idle.iter().map(crate::conf::Problem::in_a_line).collect();
    assert_eq!(
        idle,
        ["handlers.request-id.when.operation[1] (greeter.yaml:1:59): `nope.all` is no operation; the operations are \
         `greeting.hello`, `greeting.list`, `greeting.remember`"]
    );
}

#[test]
fn what_the_environment_says_has_no_kind_of_its_own() {
    let mut document = Document::of_text("greeter.yaml", "").unwrap();
    for (name, value) in [("SERVICE__VERSION", "1.10"), ("DRAIN__DELAY", "3s"), ("HANDLERS__RATE_LIMIT__BURST", "7")] {
        document.lay(crate::conf::overlay::variable(&format!("CHASSIS__{name}"), value).unwrap());
    }
    let conf = document.check(sample::composed(), &OPERATIONS, &InMemory::default()).unwrap();
    assert_eq!(conf.root.service.version.as_deref(), Some("1.10"));
    assert_eq!(conf.root.drain.delay, Interval::secs(3));
    assert_eq!(conf.handler("rate-limit").value(), json!({"burst": 7}));
}

#[test]
fn a_part_that_says_nothing_is_built_from_its_defaults() {
    let conf = right("handlers:\n  rate-limit:\n");
    assert_eq!(conf.handler("rate-limit").value(), json!({}));
    assert_eq!(conf.handler("request-id").value(), json!(null));
    assert_eq!(conf.composed.open().names(Kind::Protocol).collect::<Vec<_>>(), ["rest"]);
    assert_eq!(conf.listeners.iter().count(), 1);
}
