//! What may be a secret is shown in no message, whatever is wrong with it.

use std::collections::BTreeMap;

use super::*;
use crate::conf::{BuildError, Sources};

/// What is wrong, of which none may show `sekret`.
fn said(yaml: &str) -> String {
    let said = wrong(yaml);
    assert!(!said.contains("sekret"), "{said}");
    said
}

/// What is wrong with these texts and what the environment says.
fn said_by(texts: &[&str], variables: &[(&str, &str)]) -> String {
    let named = |(at, text): (usize, &&str)| (format!("{at}.yaml"), (*text).to_owned());
    let environment: BTreeMap<_, _> =
        variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let texts = texts.iter().enumerate().map(named).collect();
    let document = Document::load(&Sources { texts, environment, ..Sources::default() }).unwrap();
    let said = document.check(sample::composed(), &OPERATIONS, &InMemory::default()).unwrap_err().to_string();
    assert!(!said.contains("sekret"), "{said}");
    said
}

#[test]
fn all_that_stands_where_a_secret_belongs_is_hidden() {
    insta::assert_snapshot!(said("redis: { url: [\"redis://u:sekret@h\"] }\n"), @"
    greeter.yaml:1:15: redis.url: expected text, found a list
      1 | redis: { url: [***] }
        |               ^
      help: write it as `redis://127.0.0.1:6379`

    The configuration has 1 problem.
    ");
    insta::assert_snapshot!(said("redis:\n  url:\n    - sekret\n"), @"
    greeter.yaml:3:5: redis.url: expected text, found a list
      3 |     - ***
        |     ^
      help: write it as `redis://127.0.0.1:6379`

    The configuration has 1 problem.
    ");
    insta::assert_snapshot!(said("redis: { secret: true }\n"), @"
    greeter.yaml:1:18: redis.secret: expected text, found a truth value
      1 | redis: { secret: *** }
        |                  ^^^
      help: put it in quotes

    The configuration has 1 problem.
    ");
    insta::assert_snapshot!(said("redis: { secret: { sekret: 1 } }\n"), @"
    greeter.yaml:1:18: redis.secret: expected text, found a map of keys
      1 | redis: { secret: { ***: *** } }
        |                  ^^
      help: write it as `file:/run/secrets/key`, `env:API_KEY`

    The configuration has 1 problem.
    ");
    insta::assert_snapshot!(said("telemetry: { otlp: { headers: { authorization: [sekret] } } }\n"), @"
    greeter.yaml:1:48: telemetry.otlp.headers.authorization: expected text, found a list
      1 | telemetry: { otlp: { headers: { authorization: [***] } } }
        |                                                ^
      help: write it as `file:/run/secrets/key`, `env:API_KEY`

    The configuration has 1 problem.
    ");
    said("redis: { secret: [{ sekret: { sekret: [sekret] } }] }\n");
    said("handlers: { auth: { jwt: { issuer: x, keys: { secret: [12345, sekret] } } } }\n");
}

#[test]
fn what_stands_where_a_map_with_secrets_belongs_is_not_repeated() {
    insta::assert_snapshot!(said("telemetry: { otlp: { headers: [ \"authorization: Bearer sekret\" ] } }\n"), @"
    greeter.yaml:1:31: telemetry.otlp.headers: expected a map of keys, found a list
      1 | telemetry: { otlp: { headers: [ ***] } }
        |                               ^^
      help: write `key: value` lines below it

    The configuration has 1 problem.
    ");
    insta::assert_snapshot!(said("telemetry:\n  otlp:\n    headers:\n      - authorization=Bearer sekret\n"), @"
    greeter.yaml:4:7: telemetry.otlp.headers: expected a map of keys, found a list
      4 |       - ***
        |       ^
      help: write `key: value` lines below it

    The configuration has 1 problem.
    ");
    insta::assert_snapshot!(said("redis: \"redis://u:sekret@h:1\"\n"), @"
    greeter.yaml:1:8: redis: expected a map of keys, found text
      1 | redis: ***
        |        ^^^
      help: write keys below it: `ca`, `retry`, `secret`, `timeout`, `url`

    The configuration has 1 problem.
    ");
    said("redis: [\"redis://u:sekret@h:1\"]\n");
    said("redis: [{ url: sekret }]\n");
    said("handlers: { auth: sekret }\n");
    said("handlers: [sekret]\n");
    said("components: { store: sekret }\n");
    let yaml = "telemetry: { otlp: { headers: \"${OTEL_EXPORTER_OTLP_HEADERS}\" } }\n";
    insta::assert_snapshot!(said_by(&[yaml], &[("OTEL_EXPORTER_OTLP_HEADERS", "authorization=Bearer sekret")]), @"
    0.yaml:1:31: telemetry.otlp.headers: expected a map of keys, found text
      1 | telemetry: { otlp: { headers: ***} }
        |                               ^^^
      help: write `key: value` lines below it

    The configuration has 1 problem.
    ");
    insta::assert_snapshot!(said_by(&[], &[("CHASSIS__REDIS", "redis://u:sekret@h")]), @"
    environment CHASSIS__REDIS: redis: expected a map of keys, found text
      help: write keys below it: `ca`, `retry`, `secret`, `timeout`, `url`

    The configuration has 1 problem.
    ");
    said_by(&["redis: 'sekret ${NOWHERE}'\n"], &[]);
}

#[test]
fn what_is_said_a_second_time_is_hidden_the_first_time_too() {
    insta::assert_snapshot!(said("redis: { url: \"redis://u:sekret@h:1\", url: \"redis://u:sekret@i:1\" }\n"), @"
    greeter.yaml:1:39: redis.url: the key `url` is there twice
      1 | redis: { url: ***, url: ***}
        |                    ^^^
      help: it is written on line 1 already; remove one of them

    The configuration has 1 problem.
    ");
    said("telemetry: { otlp: { headers: { authorization: Bearer sekret, authorization: Bearer sekret } } }\n");
    said("redis: { url: { a: [sekret] }, url: sekret }\n");
    said("redis: { secret: 12345, secret: sekret }\n");
    insta::assert_snapshot!(said("redis: { <<: { secret: sekret }, secret: y, ulr: x }\n"), @"
    greeter.yaml:1:45: redis.ulr: this key is not known
      1 | redis: { <<: { secret: *** }, secret: ***, ulr: *** }
        |                                            ^^^
      help: did you mean `url`?

    The configuration has 1 problem.
    ");
    said("redis: { <<: [{ secret: x }, { secret: sekret }], ulr: x }\n");
    // The first file is shown for another reason.
    let over = ["redis: { url: \"redis://u:sekret@h:1\", ulr: x }\n", "redis: { url: x }\n"];
    insta::assert_snapshot!(said_by(&over, &[]), @"
    0.yaml:1:39: redis.ulr: this key is not known
      1 | redis: { url: ***, ulr: *** }
        |                    ^^^
      help: did you mean `url`?

    The configuration has 1 problem.
    ");
    said_by(&over[..1], &[("CHASSIS__REDIS__URL", "x")]);
}

#[test]
fn addresses_are_shown_without_the_user_they_hold() {
    let endpoint = "telemetry: { otlp: { endpoint: \"http://u:sekret@h:4318\", endpiont: x } }\n";
    insta::assert_snapshot!(said(endpoint), @r#"
    greeter.yaml:1:58: telemetry.otlp.endpiont: this key is not known
      1 | telemetry: { otlp: { endpoint: "http://***@h:4318", endpiont: *** } }
        |                                                     ^^^^^^^^
      help: did you mean `endpoint`?

    The configuration has 1 problem.
    "#);
    insta::assert_snapshot!(said("log: \"https://u:sekret@h/\"\n"), @r#"
    greeter.yaml:1:6: log: expected a map of keys, found the text `https://***@h/`
      1 | log: "https://***@h/"
        |      ^^^^^^^^^^^^^^^^
      help: write keys below it: `colour`, `format`, `level`, `targets`

    The configuration has 1 problem.
    "#);
    insta::assert_snapshot!(said("log: { level: \"https://u:sekret@h/\" }\n"), @r#"
    greeter.yaml:1:15: log.level: `https://***@h/` is not known here
      1 | log: { level: "https://***@h/" }
        |               ^^^^^^^^^^^^^^^^^
      help: write one of `off`, `error`, `warn`, `info`, `debug`, `trace`

    The configuration has 1 problem.
    "#);
    insta::assert_snapshot!(said("timeout: \"https://u:sekret@h/\"\n"), @r#"
    greeter.yaml:1:10: timeout: `https://***@h/` is not a length of time
      1 | timeout: "https://***@h/"
        |          ^^^^^^^^^^^^^^^^
      help: write it as `250ms`, `2s`, `5m` or `1m30s`

    The configuration has 1 problem.
    "#);
    insta::assert_snapshot!(said("admin: { listen: \"http://u:sekret@0.0.0.0:80\" }\n"), @r#"
    greeter.yaml:1:18: admin.listen: `http://***@0.0.0.0:80` is not an address
      1 | admin: { listen: "http://***@0.0.0.0:80" }
        |                  ^^^^^^^^^^^^^^^^^^^^^^^^
      help: write `host:port` without a scheme and a path

    The configuration has 1 problem.
    "#);
    for value in ["https://u:sekret@h/", "u:sekret@h", "//u:sekret@h", "https:/u:sekret@h", "https://h/?a=sekret"] {
        for key in [
            "timeout",
            "admin.listen",
            "protocols.rest.limit-body",
            "handlers.rate-limit.rate",
            "handlers.rate-limit.key",
            "handlers.rate-limit.burst",
            "admin.refusals",
            "log.format",
            "telemetry.otlp.protocol",
            "schemas.greeting.word.x",
            "chain.provider.default",
            "operations.greeting.hello.chain",
        ] {
            let (open, close) = (key.replace('.', ": { "), " }".repeat(key.matches('.').count()));
            said(&format!("{open}: \"{value}\"{close}\n"));
        }
        said(&format!("telemetry: {{ otlp: {{ endpoint: \"{value}\", endpiont: x }} }}\n"));
        said(&format!("telemetry: {{ otlp: {{ endpoint: {value}, endpiont: x }} }}\n"));
        said(&format!("telemetry: {{ otlp: {{ \"{value}\": a, endpiont: x }} }}\n"));
    }
    said("log: { level: [\"https://u:sekret@h/\"] }\n");
    said("log: { level: \"https://u:sekret@${NOWHERE}\" }\n");
    // Who uses it says so at its place.
    let conf = right("telemetry: { otlp: { endpoint: \"http://u:sekret@h:4318\" } }\n");
    let problem =
        conf.problem("telemetry", &BuildError::new("otlp.endpoint", "the address holds a user or a password"));
    insta::assert_snapshot!(problem, @r#"
    greeter.yaml:1:32: telemetry.otlp.endpoint: the address holds a user or a password
      1 | telemetry: { otlp: { endpoint: "http://***@h:4318" } }
        |                                ^^^^^^^^^^^^^^^^^^^^
    "#);
}

#[test]
fn what_is_written_in_another_way_than_it_reads_is_hidden_whole() {
    insta::assert_snapshot!(said("log: { level: \"https:\\/\\/u:sekret@h/\" }\n"), @"
    greeter.yaml:1:15: log.level: `https://***@h/` is not known here
      1 | log: { level: ***}
        |               ^^^
      help: write one of `off`, `error`, `warn`, `info`, `debug`, `trace`

    The configuration has 1 problem.
    ");
    said("log: { level: 'https://u:it''s sekret@h/' }\n");
}

#[test]
fn what_parts_say_of_addresses_says_nothing_of_users() {
    let conf = right("telemetry: { otlp: { endpoint: \"http://h\" } }\n");
    let error = BuildError::new("otlp.endpoint", "`http://u:sekret@h/` cannot be read").with_help("not `u:sekret@h`");
    insta::assert_snapshot!(conf.problem("telemetry", &error), @r#"
    greeter.yaml:1:32: telemetry.otlp.endpoint: `http://***@h/` cannot be read
      1 | telemetry: { otlp: { endpoint: "http://h" } }
        |                                ^^^^^^^^^^^
      help: not `***@h`
    "#);
}

#[test]
fn numbers_under_misspelt_keys_are_hidden_where_secrets_are() {
    let said = |yaml: &str| wrong(yaml).lines().nth(1).unwrap_or_default().to_owned();
    assert_eq!(said("redis: { secert: 12345678 }\n"), "  1 | redis: { secert: *** }");
    assert_eq!(said("log: { lvl: 12345678 }\n"), "  1 | log: { lvl: 12345678 }");
}

#[test]
fn a_word_that_may_have_been_meant_as_a_secret_is_not_repeated() {
    let conf = |_: &mut SchemaGenerator| {
        let secret = json!({ "type": "object", "properties": { "key": { "type": "string", "format": "secret" } } });
        json_schema!({ "oneOf": [{ "type": "string", "const": "none" }, secret] })
    };
    insta::assert_snapshot!(wrong_part(conf, "sekret"), @"
    greeter.yaml:1:18: schemas.part: this is not known here
      1 | schemas: { part: *** }
        |                  ^^^
      help: write one of `none`

    The configuration has 1 problem.
    ");
}

#[test]
fn of_a_file_that_is_given_up_no_values_are_shown() {
    let mistakes: String = (0..999).map(|at| format!("  a{at}: 1,\n")).collect();
    let error = said(&format!("redis: {{\n{mistakes}  b: 1, secret: sekret }}\n"));
    assert!(error.contains("1001 |   b: ***\n"), "{error}");
}
