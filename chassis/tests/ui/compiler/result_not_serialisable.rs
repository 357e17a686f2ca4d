//! What is sent as JSON can be serialised.
#![allow(unused)]

use chassis::prelude::*;

#[schema("/greetings")]
struct Greeting;

#[operations]
impl Greeting {
    #[get("/a", public)]
    async fn hello(&self) -> Json<Hello> {
        Json(Hello)
    }

    #[get("/b", public)]
    async fn perhaps(&self) -> Result<Json<Hello>, Fault> {
        Ok(Json(Hello))
    }
}

struct Hello;

fn main() {}
