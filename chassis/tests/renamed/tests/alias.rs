//! A service that gives chassis its own name back, once, and says nothing to the attributes.

extern crate spine as chassis;

use chassis::prelude::*;

#[schema("/greetings")]
struct Greeting;

#[operations]
impl Greeting {
    #[get("/", public)]
    fn hello(&self) {}
}

#[test]
fn the_entry_is_found() {
    let names: Vec<_> = chassis::catalog::CHASSIS_SCHEMAS_V1.iter().map(|entry| entry.head.name).collect();
    assert_eq!(names, ["greeting"]);
}
