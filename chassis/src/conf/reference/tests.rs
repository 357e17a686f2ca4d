//! What the reference says, and that it changes nothing.

use crate::conf::compose::sample::{self, Greeting, RateLimit, Rest};
use crate::conf::compose::{Composed, Kind};
use crate::conf::source::InMemory;
use crate::conf::{Document, typed};

#[test]
fn every_key_is_there_with_its_default_and_its_comment() {
    let reference = sample::composed().reference();
    let part = |key: &str| {
        let lines = reference.lines().skip_while(|line| *line != key).take_while(|line| !line.is_empty());
        lines.map(|line| format!("{line}\n")).collect::<String>()
    };
    insta::assert_snapshot!(part("protocols:"), @r#"
    protocols:
      # HTTP/1.1 and HTTP/2.
      rest:
        # The largest body.
        limit-body: 1MiB
        # The address.
        listen: ":8080"
        # The schemas this listener serves. Without it: all that no other listener lists.
        #schemas: [greeting]
    "#);
    insta::assert_snapshot!(part("handlers:"), @r#"
    handlers:
      # Proves who calls.
      #auth:
        # Tokens in the `Authorization` field. Required.
        #jwt:
          # What else they must say.
          #claims:
            #NAME: TEXT
          # Who must have issued them. Required.
          #issuer: TEXT
          # Where the keys are. Required.
          # - `{ file: /etc/keys/FILE }`: In a file.
          # - `{ secret: "file:/run/secrets/key" }`: Here.
          #keys: { file: /etc/keys/FILE }
        # How long clocks may differ.
        #leeway: 1m
      # Refuses calls that come too often (RFC 6585 §4).
      rate-limit:
        # How many may come at once. 1 to 1000000.
        burst: 200
        # What is counted apart.
        # - `peer`: Every address.
        # - `principal`: Every known caller.
        # - `{ header: TEXT }`: Every value of a header field.
        key: peer
        # How often calls may come.
        rate: 100/s
        # Whether calls are only counted.
        shadow: false
      # Gives each call an id. It takes no configuration.
      #request-id:
    "#);
    insta::assert_snapshot!(part("schemas:"), @"
    schemas:
      # Greets visitors by name.
      greeting:
        # To whom not.
        #unwelcome: [TEXT]
        # What to say.
        word: Hello
    ");
    insta::assert_snapshot!(part("components:"), @r#"
    components:
      # Keeps what was said.
      # - `{ kind: memory, limit: 64KiB }`: In memory.
      # - `{ kind: database, password: "file:/run/secrets/key", url: TEXT }`: In a database.
      #store: { kind: memory, limit: 64KiB }
    "#);
    insta::assert_snapshot!(part("operations:"), @r#"
    operations:
      # What is different for the operations that a pattern matches.
      #"greeting.*":
        # Who may call, where that is to be another than the code says. It may ask for more; for less only with a
        # `reason`.
        #access:
          # Why callers may pass whom the code keeps out. Must be there if any may, for those who look later.
          #reason: TEXT
          # Callers that have at least one of these roles.
          #roles: [TEXT]
          # Callers that were granted every one of these scopes.
          #scopes: [TEXT]
          # Anyone, or any known caller.
          # - `public`: Anyone, known or not.
          # - `auth`: Any caller that proved who it is.
          #to: public
        # The chain that calls pass.
        #chain: default
        # What these handlers do differently; what is not said here holds as under `handlers`.
        #handlers: { auth: {} }
        # How long a call may take; `none` for no limit.
        #timeout: 2s
    "#);
}

#[test]
fn the_reference_is_a_configuration_that_changes_nothing() {
    let composed = sample::composed();
    let operations = ["greeting.hello"];
    let with = |yaml: &str| {
        let document = Document::of_text("chassis.yaml", yaml).unwrap_or_else(|error| panic!("{error}"));
        document.check(composed.clone(), &operations, &InMemory::default()).unwrap_or_else(|error| panic!("{error}"))
    };
    let (reference, nothing) = (with(&composed.reference()), with(""));
    let values = |conf: &crate::conf::Conf| {
        conf.listing().values.into_iter().map(|listed| (listed.key, listed.value)).collect::<Vec<_>>()
    };
    assert_eq!(values(&reference), values(&nothing));
    let section = reference.handler("rate-limit").value();
    assert_eq!(typed::<RateLimit>(section).unwrap().burst, RateLimit::default().burst);
    let section = reference.schema("greeting").value();
    assert_eq!(typed::<Greeting>(section).unwrap().word, Greeting::default().word);
    let section = reference.listener("rest").value();
    assert_eq!(typed::<Rest>(section).unwrap().listen, Rest::default().listen);
}

#[test]
fn what_is_commented_out_is_right_when_it_is_taken_in() {
    let composed = sample::composed();
    let take_in = |line: &str| match line.trim_start().strip_prefix('#') {
        Some(key) if !key.starts_with(' ') => line.replacen('#', "", 1),
        _ => line.to_owned(),
    };
    let yaml: String = composed.reference().lines().map(|line| take_in(line) + "\n").collect();
    let files = InMemory::default().with("/run/secrets/key", "secret");
    let checked =
        Document::of_text("chassis.yaml", &yaml).and_then(|text| text.check(composed, &["greeting.hello"], &files));
    assert_eq!(checked.err().map(|error| error.to_string()), None, "{yaml}");
}

#[test]
fn the_order_of_parts_changes_nothing() {
    let mut parts = sample::parts();
    let reference = Composed::new(&parts).reference();
    parts.reverse();
    assert_eq!(Composed::new(&parts).reference(), reference);
}

#[test]
fn every_key_of_every_part_is_in_it() {
    let composed = sample::composed();
    let reference = composed.reference();
    for kind in [Kind::Handler, Kind::Schema, Kind::Component, Kind::Protocol] {
        for name in composed.names(kind) {
            assert!(reference.contains(&format!("  {name}:")) || reference.contains(&format!("  #{name}:")), "{name}");
        }
    }
}
