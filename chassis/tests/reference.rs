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

#[test]
fn the_readme_shows_the_file_for_the_open_internet() {
    let (readme, file) = (include_str!("../../README.md"), include_str!("../../conf/internet.yaml"));
    assert!(readme.contains(&format!("```yaml\n{file}```")), "README.md shows another file than conf/internet.yaml");
    assert!(file.lines().filter(|line| !line.starts_with('#')).count() <= 30, "it is longer than 30 lines");
}
