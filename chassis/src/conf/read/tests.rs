//! What a part is handed, and where its problems are shown.

use proptest::prelude::*;
use serde_json::json;

use crate::conf::compose::sample::{self, Auth, Greeting, Key, Keys, RateLimit, Rest, Store};
use crate::conf::source::InMemory;
use crate::conf::{BuildError, Conf, Document, Interval, Rate, Size, Sources, typed};

const YAML: &str = "\
handlers:
  rate-limit:
    rate: 100/s
    burst: 200
operations:
  '*':
    handlers: { rate-limit: { key: principal } }
  greeting.*:
    timeout: 1s
    handlers:
      rate-limit: { burst: 10 }
  greeting.hello:
    handlers:
      rate-limit:
        burst: 5
";

fn conf() -> Conf {
    let document = Document::of_text("greeter.yaml", YAML).unwrap();
    document
        .check(sample::composed(), &["greeting.hello", "greeting.list", "other.list"], &InMemory::default())
        .unwrap()
}

#[test]
fn an_operation_changes_what_it_says_and_nothing_else() {
    let conf = conf();
    let check = |operation: &str, expected: &serde_json::Value, scope: Option<&str>| {
        let section = conf.handler_for("rate-limit", operation);
        assert_eq!(section.value(), *expected, "{operation}");
        assert_eq!(section.scope(), scope, "{operation}");
    };
    check("greeting.hello", &json!({"rate": "100/s", "burst": 5, "key": "principal"}), Some("greeting.hello"));
    check("greeting.list", &json!({"rate": "100/s", "burst": 10, "key": "principal"}), Some("greeting.*"));
    check("other.list", &json!({"rate": "100/s", "burst": 200, "key": "principal"}), Some("*"));
    assert_eq!(conf.handler("rate-limit").scope(), None);
    assert_eq!(conf.handler_for("auth", "greeting.hello").scope(), None);
}

#[test]
fn each_value_of_a_part_keeps_its_own_origin() {
    let conf = conf();
    let section = conf.handler_for("rate-limit", "greeting.hello");
    let origin = |key: &str| section.origin(key).map(ToString::to_string);
    assert_eq!(origin("rate").as_deref(), Some("greeter.yaml:3:11"));
    assert_eq!(origin("key").as_deref(), Some("greeter.yaml:7:36"));
    assert_eq!(origin("burst").as_deref(), Some("greeter.yaml:15:16"));
    assert_eq!(origin("shadow"), None);
}

#[test]
fn a_problem_of_a_part_is_shown_where_the_value_is_said() {
    let conf = conf();
    let section = conf.handler_for("rate-limit", "greeting.hello");
    insta::assert_snapshot!(section.problem(&BuildError::new("burst", "too small").with_help("more")), @"
    greeter.yaml:15:16: operations.greeting.hello.handlers.rate-limit.burst: too small
      15 |         burst: 5
         |                ^
      help: more
    ");
    insta::assert_snapshot!(section.problem(&BuildError::new("rate", "too slow")), @"
    greeter.yaml:3:11: handlers.rate-limit.rate: too slow
      3 |     rate: 100/s
        |           ^^^^^
    ");
    insta::assert_snapshot!(section.problem(&BuildError::new("shadow", "no")), @"
    greeter.yaml:2:3: handlers.rate-limit.shadow: no
      2 |   rate-limit:
        |   ^^^^^^^^^^
    ");
    insta::assert_snapshot!(conf.schema("greeting").problem(&BuildError::new("", "no")), @"greeter.yaml:1:1: schemas.greeting: no");
}

#[test]
fn paths_are_relative_to_the_file_that_says_them() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::create_dir(directory.path().join("etc")).unwrap();
    let yaml = "handlers: { auth: { jwt: { issuer: x, keys: { file: keys/jwks.json } } } }";
    std::fs::write(directory.path().join("etc/greeter.yaml"), yaml).unwrap();
    let mut sources = Sources { directory: directory.path().to_owned(), ..Sources::default() };
    sources.files = vec!["etc/greeter.yaml".into()];
    let file = |sources: &Sources| {
        let conf = Document::load(sources).unwrap().check(sample::composed(), &[], &sources.disk()).unwrap();
        conf.handler("auth").value()["jwt"]["keys"]["file"].clone()
    };
    assert_eq!(file(&sources), json!(directory.path().join("etc/keys/jwks.json")));
    sources.sets = vec!["handlers.auth.jwt.keys.file=jwks.json".to_owned()];
    assert_eq!(file(&sources), json!("jwks.json"));
    sources.sets = vec!["handlers.auth.jwt.keys.file=/etc/jwks.json".to_owned()];
    assert_eq!(file(&sources), json!("/etc/jwks.json"));
}

#[test]
fn what_parts_are_made_from_is_not_in_what_chassis_reads() {
    let conf = conf();
    assert!(conf.root.handlers.is_empty());
    assert!(conf.root.operations["greeting.hello"].handlers.is_empty());
    assert_eq!(conf.settled("greeting.hello").timeout.map(|timeout| timeout.to_string()).as_deref(), Some("1s"));
}

#[test]
fn what_passes_the_check_can_be_read_by_its_type() {
    let yaml = "\
handlers:
  rate-limit: { rate: 5/m, key: { header: x-tenant } }
  auth: { jwt: { issuer: me, keys: { secret: s }, claims: { a: b } }, leeway: 1s }
schemas: { greeting: { unwelcome: [bob] } }
components: { store: { kind: database, url: x, password: 'env:PASSWORD' } }
protocols: { rest: { limit-body: 1KiB, schemas: [greeting] } }
";
    let mut document = Document::of_text("greeter.yaml", yaml).unwrap();
    document.environment.insert("PASSWORD".to_owned(), "hunter2".to_owned());
    let conf = document.check(sample::composed(), &[], &InMemory::default()).unwrap();
    let RateLimit { rate, burst, key, shadow } = typed(conf.handler("rate-limit").value()).unwrap();
    assert_eq!((rate, burst, key, shadow), (Rate::per_minute(5), 200, Key::Header("x-tenant".to_owned()), false));
    let Auth { jwt, leeway } = typed(conf.handler("auth").value()).unwrap();
    assert_eq!((jwt.issuer.as_str(), jwt.claims["a"].as_str(), leeway), ("me", "b", Interval::secs(1)));
    assert!(matches!(jwt.keys, Keys::Secret(secret) if secret.expose() == "s"));
    let Greeting { word, unwelcome } = typed(conf.schema("greeting").value()).unwrap();
    assert_eq!((word.as_str(), unwelcome), ("Hello", Some(vec!["bob".to_owned()])));
    let store = typed(conf.component("store").value()).unwrap();
    assert!(matches!(store, Store::Database { url, password } if url == "x" && password.expose() == "hunter2"));
    let Rest { listen, limit_body } = typed(conf.listener("rest").value()).unwrap();
    assert_eq!((listen.as_str(), limit_body), (":8080", Size::kib(1)));
    let store = typed(json!({ "kind": "memory", "limit": 512 })).unwrap();
    assert!(matches!(store, Store::Memory { limit: Size(512) }));
    let keys = typed(json!({ "file": "jwks.json" })).unwrap();
    assert!(matches!(keys, Keys::File(file) if file.to_string() == "jwks.json"));
    typed::<()>(conf.handler("request-id").value()).unwrap();
}

proptest! {
    #[test]
    fn what_the_check_admits_its_type_can_read(
        rate in "(5/s|5|0/m|x|''|5/0s|\\[\\])",
        burst in "(1|0|-1|200|1\\.5|1e9|5000000000|x|true|null)",
        key in "(peer|princpal|\\{header: x\\}|\\{header: 5\\}|\\{\\}|\\{header: x, peer: y\\}|5)",
        shadow in "(true|yes|0|null|'true')",
    ) {
        let yaml = format!("handlers: {{ rate-limit: {{ rate: {rate}, burst: {burst}, key: {key}, shadow: {shadow} }} }}");
        let document = Document::of_text("greeter.yaml", &yaml).unwrap();
        if let Ok(conf) = document.check(sample::composed(), &[], &InMemory::default()) {
            let read = typed::<RateLimit>(conf.handler("rate-limit").value());
            prop_assert!(read.is_ok(), "{}: {:?}", yaml, read);
        }
    }

    #[test]
    fn no_configuration_panics(yaml in r#"((handlers|chain|provider|default|operations|greeting\.\*|auth|rate-limit|key|log|store|components|kind|x): |[\[\]{},]|5s?|[a-z]|\n|  |- ){0,30}"#) {
        if let Ok(document) = Document::of_text("greeter.yaml", &yaml) {
            let _ = document.check(sample::composed(), &["greeting.hello"], &InMemory::default());
        }
    }
}
