//! Every fault of a path is told by what to write instead.
#![allow(unused)]

use chassis::prelude::*;

#[schema("/greetings")]
struct Greeting;

#[operations]
impl Greeting {
    #[get("a", public)]
    async fn no_slash(&self) {}

    #[get("/{a", public)]
    async fn never_closed(&self) {}

    #[get("/a}", public)]
    async fn never_opened(&self) {}

    #[get("/{}", public)]
    async fn no_name(&self) {}

    #[get("/{a b}", public)]
    async fn stranger(&self) {}

    #[get("/{a?}", public)]
    async fn optional(&self) {}

    #[get("/{_a}/{_a}", public)]
    async fn twice(&self) {}

    #[get("/{_a}{_b}", public)]
    async fn two_in_one(&self) {}

    #[get("/{_a:*}/{_b:*}", public)]
    async fn two_tails(&self) {}

    #[get("/v{_rest:*}", public)]
    async fn tail_with_company(&self) {}

    #[get("/{_a:}", public)]
    async fn empty_expression(&self) {}

    #[get("/{_id:int}", public)]
    async fn type_for_expression(&self) {}

    #[get("/{_a:[0-9}", public)]
    async fn class(&self) {}

    #[get("/{_a:(a|b}", public)]
    async fn parenthesis(&self) {}

    #[get("/:id", public)]
    async fn colon(&self) {}

    #[get("/*rest", public)]
    async fn star(&self) {}

    #[get("/{*rest}", public)]
    async fn star_in_braces(&self) {}

    #[get("/a/../b", public)]
    async fn dots(&self) {}

    #[get("/a?b={c}", public)]
    async fn query(&self) {}

    #[get("/a#b", public)]
    async fn fragment(&self) {}

    #[get("/100%", public)]
    async fn percent(&self) {}

    #[get("/a\tb", public)]
    async fn control(&self) {}

    #[get("/caf%E9", public)]
    async fn no_text(&self) {}
}

fn main() {}
