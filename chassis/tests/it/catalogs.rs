//! What is linked in, what is mounted by hand, and what must be there.

use chassis::prelude::*;

use crate::rig::{refusal, saying, service, started};

/// Says where it comes from.
#[schema("/origins")]
struct Origin {
    /// What it says.
    #[conf(default = "linked")]
    text: String,
}

#[operations]
impl Origin {
    /// Says it.
    #[get("/", public)]
    fn say(&self) -> String {
        self.text.clone()
    }
}

#[tokio::test]
async fn a_linked_schema_answers_with_what_configuration_says() {
    assert_eq!(started("").await.get("/origins").send().await.text(), "linked");
    let app = started("schemas: { origin: { text: configured } }").await;
    assert_eq!(app.get("/origins").send().await.text(), "configured");
}

#[tokio::test]
async fn an_instance_takes_the_place_of_the_linked_schema_of_its_name() {
    let app = service("").mount(Origin { text: "mounted".to_owned() }).start().await.unwrap();
    assert_eq!(app.get("/origins").send().await.text(), "mounted");
}

#[tokio::test]
async fn what_is_expected_and_not_linked_in_is_named() {
    let error = refusal(service("expect: [origin, gate, orign, billing]")).await;
    // What is linked in grows with every handler.
    let (before, after) = error.split_once("`access-log`, `again`, `auth`").unwrap();
    let error = format!("{before}…{}", after.split_once(" more; ").unwrap().1);
    insta::assert_snapshot!(error, @"
    test-2.yaml:1:24: expect[2]: `orign` is not linked in
      1 | expect: [origin, gate, orign, billing]
        |                        ^^^^^
      help: did you mean `origin`?

    test-2.yaml:1:31: expect[3]: `billing` is not linked in
      1 | expect: [origin, gate, orign, billing]
        |                               ^^^^^^^
      help: linked in are …if it is in a crate of its own, write `use the_crate as _;` into main.rs

    The configuration has 2 problems.
    ");
}

#[tokio::test]
async fn two_operations_of_one_id_are_named_with_both_places() {
    let twice = [saying("hand.made", "/a", "a"), saying("hand.made", "/b", "b")];
    insta::assert_snapshot!(refusal(service("").mount_operations(twice)).await, @"
    two operations have the id `hand.made`: GET /a (made at run time) and GET /b (made at run time)
      help: give one of them another `name`
    ");
}

#[tokio::test]
async fn two_operations_of_one_route_are_named() {
    let twice = [saying("hand.one", "/a/{x}", "a"), saying("hand.two", "/a/{y}", "b")];
    insta::assert_snapshot!(refusal(service("").mount_operations(twice)).await, @"
    hand.two (made at run time): this is `GET /a/{x}` again: names and escapes do not tell two templates apart
      | GET /a/{y}
      = first declared: hand.one (made at run time)
      = help: remove one, or give it another method or path
    ");
}

#[tokio::test]
async fn templates_that_are_wrong_are_all_named() {
    let wrong = [saying("hand.one", "/a/{x", "a"), saying("hand.two", "/b/{y:[}", "b")];
    insta::assert_snapshot!(refusal(service("").mount_operations(wrong)).await, @"
    hand.one (made at run time): this `{` is never closed
      | GET /a/{x
      |        ^
      = help: write the `}` that closes it

    hand.two (made at run time): the regular expression cannot be used: unclosed character class
      | GET /b/{y:[}
      |           ^
      = help: see https://docs.rs/regex/latest/regex/#syntax for what is known
    ");
}
