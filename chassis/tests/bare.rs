//! What a program says that names none of the crates its schemas are in.

use chassis::app::App;
use chassis::cli::Package;
use chassis::conf::Sources;

#[test]
fn a_program_without_schemas_says_which_line_is_missing() {
    let package = Package { name: "guest-house", version: "1.0.0" };
    let Err(error) = App::new(package).prepare(&Sources::default()) else { panic!("there is nothing to serve") };
    assert_eq!(error.exit_code(), 78);
    insta::assert_snapshot!(error, @"
    no schema is linked into `guest-house`, so there is nothing to serve
      help: if the schemas are in a module of this program, write its `mod` line into main.rs
      help: if they are in a library, such as `guest_house`, write `use guest_house as _;` into main.rs: the linker leaves out a crate that is listed in Cargo.toml and never named
    ");
}
