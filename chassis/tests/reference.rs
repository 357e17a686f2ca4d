//! The reference of all keys that is committed is the one the code generates.

use chassis::app::App;
use chassis::cli::Package;

#[test]
fn the_committed_reference_is_what_the_code_generates() {
    let generated = App::new(Package { name: "chassis", version: "" }).reference().expect("nothing is linked in twice");
    let committed = include_str!("../../conf/chassis.yaml");
    assert!(
        generated == committed,
        "conf/chassis.yaml is out of date: cargo run -p chassis --example reference > conf/chassis.yaml"
    );
}
